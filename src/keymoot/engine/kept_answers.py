"""Sealed answers to requests, kept until the requests expire.

They stand under `S ‖ time ‖ request`, in the order in which they expire: that is about the order
in which they come, so pages are filled one after the other, and what is over lies together. Each
is sealed to the reply key of its request, so another copy costs no secret.
"""

from collections.abc import Iterator
from typing import Protocol

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.store.table import Batch, Table

_SHARES = b"S"


class ScanTable(Table, Protocol):
    """A table that can also be walked in the order of keys."""

    def scan(self, start: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give entries with `prefix` from the key `start` on, in order."""
        ...


def put_shares(batch: Batch, request: Hash32, expires_at: UnixSeconds, answers: bytes) -> None:
    batch[_key(request, expires_at)] = answers


def shares_of(table: Table, request: Hash32, expires_at: UnixSeconds) -> bytes | None:
    return table.get(_key(request, expires_at))


def forget_shares(table: ScanTable, batch: Batch, now: UnixSeconds) -> None:
    # In the order of expiry: those that live are not even looked at.
    for key, _ in table.scan(_SHARES, _SHARES):
        if int.from_bytes(key[1:9], "big") >= now:
            return
        batch[key] = None


def _key(request: Hash32, expires_at: UnixSeconds) -> bytes:
    return _SHARES + expires_at.to_bytes(8, "big") + request
