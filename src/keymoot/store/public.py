"""A contract's public store: anyone may read it, with proof."""

from functools import lru_cache

from keymoot.base.fixed import Address, Bytes32
from keymoot.crypto.keccak import keccak256_raw
from keymoot.store.errors import ReadOnly
from keymoot.store.journal import Journal
from keymoot.store.meter import Meter

_KEPT_SLOTS, _KEPT_KEY_BYTES = 16_384, 128
"""How many slots are remembered, and the longest keys of which: 4 MB."""


def public_slot(key: bytes) -> Bytes32:
    """Give the slot of a public cell: Keccak-256 of its key."""
    return _remembered(key) if len(key) <= _KEPT_KEY_BYTES else Bytes32(keccak256_raw(key))


@lru_cache(maxsize=_KEPT_SLOTS)
def _remembered(key: bytes) -> Bytes32:
    return Bytes32(keccak256_raw(key))


class PublicStore:
    """Cells of one contract by key, in the clear."""

    __slots__ = ("_address", "_journal", "_meter", "_writable")

    def __init__(
        self, journal: Journal, address: Address, meter: Meter, *, writable: bool = True
    ) -> None:
        self._journal = journal
        self._address = address
        self._meter = meter
        self._writable = writable

    def get(self, key: bytes) -> bytes | None:
        slot = public_slot(key)
        value, warm = self._journal.read(self._address, slot)
        self._meter.charge_read(len(value or b""), warm=warm, confidential=False)
        return value

    def set(self, key: bytes, value: bytes | None) -> None:
        if not self._writable:
            raise ReadOnly
        slot = public_slot(key)
        warm = self._journal.touch(self._address, slot)
        self._meter.charge_write(len(value or b""), warm=warm, confidential=False)
        self._journal.set_entry(self._address, slot, value)
