"""Write and read the hashes of earlier blocks in state (`store.history` says where they stand).

Before the transactions of block n the state gets the hash of block n - 1. So it knows the last
blocks that it descends from, and not its own: that hash exists only after the state.
"""

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.store.history import HISTORY_ADDRESS, hash_in, history_slot, keeps_hash
from keymoot.store.journal import Journal
from keymoot.store.state import State


def remember_parent(journal: Journal, height: Height, parent: Hash32) -> None:
    """Write the hash of the parent of the block at `height`, before its transactions."""
    journal.set_slot(HISTORY_ADDRESS, history_slot(Height(height - 1)), Bytes32(parent))


def ancestor_hash(slots: State | Journal, height: Height, below: Height) -> Hash32 | None:
    """Give the hash of the block at `height` (0: the network's id), or None where it is not known.

    The newest block whose transactions are in `slots`, finished or not, is `below`. The ring
    forgets: without this a later block's hash would pass for an earlier one's.
    """
    if not keeps_hash(below, height):
        return None
    value = slots.slot(HISTORY_ADDRESS, history_slot(height))
    return hash_in(value) if value else None
