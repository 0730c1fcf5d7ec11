"""Dealings of newest blocks, without what the state holds of them.

    D ‖ height ‖ index  the dealing whole; or what comes before, the state's key, what comes after

What a dealing brings stands in the state word for word, and later in the old values (`undo`). So
of the dealing itself only the rest is kept: its frame and its signature, 150 bytes of 50 KB. With
the state after its block it is whole again. A node that keeps dealings for ever keeps them whole.
"""

from keymoot.base import rlp
from keymoot.base.errors import BrokenStorage, Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.units import Height
from keymoot.engine.kept_answers import ScanTable
from keymoot.engine.undo import KEPT_BLOCKS
from keymoot.store.table import Batch, Table, Writes

KEPT_DEALINGS = KEPT_BLOCKS
"""So many of the newest blocks have their dealings: whoever has the state below a block, and can
execute it, finds it whole."""

ERASED_AT_ONCE = 512
"""Dealings that are erased for each block that is written: twice what a block can bring."""

SHARED_BYTES = 1_024
"""Shorter values of the state are not looked for in a dealing."""

_DEALING = b"D"
_START_BYTES = 64


def put_dealing(batch: Batch, height: Height, index: int, raw: bytes, writes: Writes) -> None:
    """Write a dealing, without what its block has written of it to the state.

    Nothing is left out that is not in `writes`.
    """
    batch[_key(height, index)] = rlp.encode(_parts(raw, writes))


def dealing_in(table: Table, height: Height, index: int, after: Table | None) -> bytes | None:
    """Give a dealing as it came; None: it is erased. The state after its block is `after`."""
    entry = table.get(_key(height, index))
    if entry is None:
        return None
    try:
        parts = [bytes_of(item, "dealing") for item in list_of(rlp.decode(entry), None, "dealing")]
        if len(parts) == 1:
            return parts[0]
        before, key, behind = parts
    except (Malformed, ValueError) as error:
        raise BrokenStorage(
            f"a dealing of block {height} is altered in the data folder: restore it whole, or "
            "start a new one"
        ) from error
    value = None if after is None else after.get(key)
    return None if value is None else before + value + behind


def keeps_dealings(height: Height, newest: Height) -> bool:
    """Tell whether every node has a block's dealings, as long as `newest` is the newest block."""
    return height + KEPT_DEALINGS > newest


def erase_dealings(table: ScanTable, batch: Batch, newest: Height, blocks: int) -> None:
    """Erase dealings that are not kept beside `newest`, which is in `batch`, the oldest first.

    For each block that is written a bounded number is erased, the rest later.
    """
    at_most = ERASED_AT_ONCE * blocks
    # Those that were erased are not even looked at: the scan begins at what is left.
    for key, _ in table.scan(_DEALING, _DEALING):
        if keeps_dealings(Height(int.from_bytes(key[1:9], "big")), newest) or not at_most:
            return
        batch[key] = None
        at_most -= 1


def _parts(raw: bytes, writes: Writes) -> list[rlp.Item]:
    for key, value in writes.items():
        if value is None or not SHARED_BYTES <= len(value) <= len(raw):
            continue
        at = raw.find(value[:_START_BYTES])
        if at >= 0 and raw.startswith(value, at):
            return [raw[:at], key, raw[at + len(value) :]]
    return [raw]


def _key(height: Height, index: int) -> bytes:
    return _DEALING + height.to_bytes(8, "big") + index.to_bytes(2, "big")
