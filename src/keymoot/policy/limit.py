"""Limits: how much per transaction, and how much in any window of time.

A window rolls. Spending is kept in buckets, each at most a 64th of the window wide and dated
by the last spending in it, and counts until that has left the window: so never more than
`max` passes in any true window, and state stays bounded. `held.py` says what one nonce holds
of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.units import Seconds, UnixSeconds

BUCKETS = 64
"""A bucket is at most this part of its window."""

MAX_BUCKETS = 3 * BUCKETS + 2
"""Buckets that are ever kept of one limit: twice 64 at most inside its window, for their
widths are powers of two, and 64 of what a longer window of before remembers."""

_AT_BYTES, _AMOUNT_BYTES = 8, 40
"""Bytes of a bucket's date, and of its amount at most."""

MAX_FEE, COUNT, VALUE = "maxFee", "count", "value"
METERS = (MAX_FEE, COUNT, VALUE)
"""What a limit measures of every wish: its fee at most, one each, native units (wei, lamports)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. Without a meter only rules feed it (`spend`); without a window it is per tx."""

    name: str
    max: int
    meter: str | None
    window: Seconds | None

    def oldest(self, now: UnixSeconds) -> int:
        """Give the last second that is no longer inside the window that ends now."""
        return now - (self.window or 0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent of one limit, whatever the limit's window was at the time.

    Attributes:
        buckets: (second of the last spending in it, amount), oldest first. What was spent at
            a second is in the first bucket that is not dated earlier.
        longest: Longest window under which any of it was spent: so long it is remembered.
        forgotten: Whatever was spent up to this second is in no bucket.
    """

    buckets: tuple[tuple[UnixSeconds, int], ...] = ()
    longest: Seconds = Seconds(0)
    forgotten: UnixSeconds = UnixSeconds(0)

    def used(self, limit: Limit, now: UnixSeconds) -> int:
        oldest = limit.oldest(now)
        return sum(amount for at, amount in self.buckets if at > oldest)

    def available_at(self, limit: Limit, requested: int, now: UnixSeconds) -> UnixSeconds | None:
        """Give the first moment at which `requested` fits, or None if it never does."""
        left = self.used(limit, now) + requested - limit.max
        oldest = limit.oldest(now)
        for at, amount in self.buckets:
            if at > oldest:
                left -= amount
                if left <= 0:
                    return UnixSeconds(at + (limit.window or 0))
        return None

    def add(self, limit: Limit, amount: int, now: UnixSeconds) -> "Usage":
        """Spend `amount` now; forget what has left every window that it was spent under."""
        window = limit.window or Seconds(0)
        longest = max(self.longest, window)
        oldest, forgotten = now - longest, self.forgotten
        # Powers of two: a cell of the one grid lies whole in one of the other, so a window
        # that changes to and fro never makes a bucket wider than the wider of the two.
        inside, before = _power_up_to(window // BUCKETS), 2 * _power_up_to(longest // BUCKETS)
        kept: list[tuple[UnixSeconds, int]] = []
        for at, spent in (*self.buckets, (now, amount)):
            width = inside if at > limit.oldest(now) else before
            if at <= oldest:
                forgotten = max(forgotten, at)
            elif kept and kept[-1][0] // width == at // width:
                kept[-1] = (at, kept[-1][1] + spent)
            elif spent:
                kept.append((at, spent))
        return Usage(tuple(kept), longest, forgotten)

    def encode(self) -> list[rlp.Item]:
        """Give the RLP item; buckets in one piece, for they are many and RLP is slow."""
        width = _width(self.buckets)
        packed = [
            at.to_bytes(_AT_BYTES, "big") + amount.to_bytes(width, "big")
            for at, amount in self.buckets
        ]
        return [uint(self.longest), uint(self.forgotten), uint(width), b"".join(packed)]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Usage":
        """Read the RLP item.

        Raises:
            Malformed: not one.
        """
        longest, forgotten, wide, packed = list_of(item, 4, "usage")
        return Usage(
            _buckets(bytes_of(packed, "usage"), uint_of(wide, "width", 1)),
            Seconds(uint_of(longest, "longest", 8)),
            UnixSeconds(uint_of(forgotten, "forgotten", 8)),
        )


@lru_cache(maxsize=64)
def _buckets(raw: bytes, width: int) -> tuple[tuple[UnixSeconds, int], ...]:
    """Read buckets; a book is read several times for each time that one of its limits changes."""
    step = _AT_BYTES + width
    if step > _AT_BYTES + _AMOUNT_BYTES or len(raw) % step:
        raise Malformed("the buckets of a limit do not end where the last one does", "usage")
    buckets = tuple(
        [
            (
                UnixSeconds(int.from_bytes(raw[at : at + _AT_BYTES], "big")),
                int.from_bytes(raw[at + _AT_BYTES : at + step], "big"),
            )
            for at in range(0, len(raw), step)
        ]
    )
    if width != _width(buckets):
        raise Malformed("the amounts are wider than the greatest of them", "usage")
    return buckets


def _width(buckets: Iterable[tuple[UnixSeconds, int]]) -> int:
    return (max((amount for _, amount in buckets), default=0).bit_length() + 7) // 8


def _power_up_to(seconds: int) -> int:
    return 1 << (max(seconds, 1).bit_length() - 1)
