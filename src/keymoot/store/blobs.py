"""Values too long for a slot that were checked before, so that reading one again costs nothing."""

from collections import OrderedDict

ENTRY_BYTES = 256
"""What keeping a value costs beside its bytes."""


class BlobCache:
    """Blobs by the slot that names them (`store.entry`); the oldest go first.

    Right under any root: a slot has the hash of its blob. Bounded in bytes, since a blob may
    have a quarter of a megabyte.
    """

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes
        self._blobs: OrderedDict[bytes, bytes] = OrderedDict()

    def get(self, slot: bytes) -> bytes | None:
        return self._blobs.get(slot)

    def put(self, slot: bytes, blob: bytes) -> None:
        """Keep a blob whose hash `slot` has: it was checked, or made here."""
        if slot in self._blobs:
            return
        self._blobs[slot] = blob
        self._left -= len(blob) + ENTRY_BYTES
        while self._left < 0:
            _, gone = self._blobs.popitem(last=False)
            self._left += len(gone) + ENTRY_BYTES
