"""Hashes of earlier blocks in state, where any proof of a slot proves them.

Follows EIP-2935: before the transactions of block n, slot (n - 1) mod 8191 of the history
account becomes the hash of block n - 1. So a state knows the last 8191 blocks that it
descends from, and not its own: that hash exists only after the state.
"""

from typing import Protocol

from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.store.journal import Journal

HISTORY = Address.from_hex("0x0000F90827F1C53a10cb7A02335B175320002935")
"""The account whose slots these are, as on Ethereum's chains."""

SERVED_BLOCKS = 8_191
"""Blocks whose hashes a state knows: its ring has so many slots."""


class Slots(Protocol):
    """Slots by account: a `State`, or a `Journal` over one."""

    def slot(self, address: Address, slot: Bytes32) -> bytes:
        """Give a slot's value without leading zeros; empty for absent."""
        ...


def remember_parent(journal: Journal, height: Height, parent: Hash32) -> None:
    """Write the hash of the parent of the block at `height`, before its transactions."""
    journal.set_slot(HISTORY, history_slot(Height(height - 1)), Bytes32(parent))


def ancestor_hash(slots: Slots, height: Height, below: Height) -> Hash32 | None:
    """Give the hash of the block at `height`, or None where the state does not know it.

    Args:
        slots: The state inside or after the block at `below`.
        height: Whose hash; the one of height 0 is the network's id.
        below: The newest block whose transactions are in `slots`, finished or not. The ring
            forgets: without this a later block's hash would pass for an earlier one's.
    """
    if not 0 <= height < below or height < below - SERVED_BLOCKS:
        return None
    value = slots.slot(HISTORY, history_slot(height))
    return Hash32(value.rjust(Hash32.LENGTH, b"\0")) if value else None


def history_slot(height: Height) -> Bytes32:
    """Give the slot in which the hash of the block at `height` stands."""
    return Bytes32((height % SERVED_BLOCKS).to_bytes(Bytes32.LENGTH, "big"))
