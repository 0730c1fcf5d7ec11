"""Where the state keeps the hashes of the blocks before it.

Follows EIP-2935: a ring of 8,191 slots of one account, which every block writes its parent's
hash into before its transactions. So whoever has a state proved knows which blocks it builds on.
"""

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Height

HISTORY_ADDRESS = Address.from_hex("0x0000f90827f1c53a10cb7a02335b175320002935")
"""The account whose slots they are."""

KEPT_HASHES = 8_191
"""How many blocks back are known: in the state after block n, those from n − 8,191 to n − 1."""


def history_slot(height: Height) -> Bytes32:
    """The slot for the hash of the block at `height`, which the block after it writes."""
    return Bytes32((height % KEPT_HASHES).to_bytes(Bytes32.LENGTH, "big"))


def keeps_hash(newest: Height, height: Height) -> bool:
    """Tell whether the state after block `newest` knows the hash of the block at `height`."""
    return max(0, newest - KEPT_HASHES) <= height < newest


def hash_in(value: bytes) -> Hash32:
    if not 0 < len(value) <= Hash32.LENGTH:
        raise Malformed(f"a block's hash has {Hash32.LENGTH} bytes, the slot has {len(value)}")
    return Hash32(value.rjust(Hash32.LENGTH, b"\0"))
