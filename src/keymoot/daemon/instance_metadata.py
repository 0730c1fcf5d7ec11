"""What an agent tells the world of its instance: texts by name, which stand on the ledger.

They are part of the registration, so a change is a registration anew; what the network refuses is
not kept here either. The names get a prefix on the ledger, so that none is taken for the
daemon's own.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from keymoot.base.errors import Refused
from keymoot.contracts.builtin.apps.record import MAX_ENTRIES_BYTES

PREFIX = "net.oasis.app."
MAX_PAIRS = 54
"""Of the ledger's 64 entries ten are left to the daemon, as ROFL leaves them."""

MAX_NAME_BYTES = 1_024
"""With the prefix."""

MAX_VALUE_BYTES = 16_384
MAX_BYTES = MAX_ENTRIES_BYTES - 10 * MAX_PAIRS - 10
"""Bytes of all names and values together: what the ledger takes, less their lengths."""


class BadMetadata(Refused, code="BAD_METADATA"):
    """Metadata that the ledger would not take."""


class InstanceMetadata:
    """The metadata of one instance; empty at each start, as registrations are."""

    def __init__(self, registered_anew: Callable[[Mapping[str, bytes]], object]) -> None:
        """Take what registers anew with all entries; it raises where that fails."""
        self._anew = registered_anew
        self._pairs: dict[str, str] = {}
        self._lock = threading.Lock()

    def all(self) -> Mapping[str, str]:
        return dict(self._pairs)

    def entries(self) -> Mapping[str, bytes]:
        """Give what stands on the ledger."""
        return _entries(self._pairs)

    def replace(self, pairs: Mapping[str, str]) -> None:
        with self._lock:
            self._become(dict(pairs))

    def merge(self, pairs: Mapping[str, str]) -> None:
        with self._lock:
            self._become(self._pairs | dict(pairs))

    def drop(self, names: Iterable[str]) -> None:
        """Take names away; ones that are not there are none's business."""
        with self._lock:
            gone = set(names)
            self._become({name: value for name, value in self._pairs.items() if name not in gone})

    def _become(self, pairs: dict[str, str]) -> None:
        _check(pairs)
        if pairs != self._pairs:
            self._anew(_entries(pairs))
            self._pairs = pairs


def _entries(pairs: Mapping[str, str]) -> dict[str, bytes]:
    return {PREFIX + name: value.encode() for name, value in pairs.items()}


def _check(pairs: Mapping[str, str]) -> None:
    if len(pairs) > MAX_PAIRS:
        raise BadMetadata(f"there are at most {MAX_PAIRS} entries of metadata, got {len(pairs)}")
    size = 0
    for name, value in pairs.items():
        long, big = len((PREFIX + name).encode()), len(value.encode())
        if long > MAX_NAME_BYTES or big > MAX_VALUE_BYTES:
            raise BadMetadata(
                f"a name has at most {MAX_NAME_BYTES - len(PREFIX)} bytes, a value "
                f"{MAX_VALUE_BYTES}: got {long - len(PREFIX)} and {big}"
            )
        size += long + big
    if size > MAX_BYTES:
        raise BadMetadata(f"metadata have at most {MAX_BYTES} bytes together, got {size}")
