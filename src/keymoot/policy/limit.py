"""Limits: how much per transaction, and how much in any window of time.

A window rolls. Spending is kept in buckets a 64th of the window wide and counts until
its bucket has left the window whole, so never more than `max` passes in any true
window, and state stays bounded.
"""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.base.units import Seconds, UnixSeconds

BUCKETS = 64
"""Buckets of one window; at most one more is ever kept."""

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

    @property
    def bucket_seconds(self) -> int:
        """Width of a bucket."""
        return -(-(self.window or 0) // BUCKETS)

    def bucket_end(self, now: UnixSeconds) -> UnixSeconds:
        """Give the last second of the bucket that `now` falls into."""
        width = self.bucket_seconds
        return UnixSeconds((now // width + 1) * width - 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent of one limit: (last second of a bucket, amount), oldest first."""

    buckets: tuple[tuple[UnixSeconds, int], ...] = ()

    def used(self, limit: Limit, now: UnixSeconds) -> int:
        """Sum what is still inside the window that ends now."""
        oldest = now - (limit.window or 0)
        return sum(amount for end, amount in self.buckets if end > oldest)

    def available_at(self, limit: Limit, requested: int, now: UnixSeconds) -> UnixSeconds | None:
        """Give the first moment at which `requested` fits, or None if it never does."""
        left = self.used(limit, now) + requested - limit.max
        oldest = now - (limit.window or 0)
        for end, amount in self.buckets:
            if end > oldest:
                left -= amount
                if left <= 0:
                    return UnixSeconds(end + (limit.window or 0))
        return None

    def add(self, limit: Limit, amount: int, now: UnixSeconds) -> "Usage":
        """Spend `amount` now; forget buckets that have left the window."""
        end, oldest = limit.bucket_end(now), now - (limit.window or 0)
        kept = [(at, spent) for at, spent in self.buckets if at > oldest]
        for index, (at, spent) in enumerate(kept):
            if at == end:
                kept[index] = (at, spent + amount)
                break
        else:
            kept.append((end, amount))
        return Usage(tuple(sorted(kept)))

    def take_back(self, end: UnixSeconds, amount: int) -> "Usage":
        """Remove what a replaced transaction had reserved in the bucket that ends at `end`."""
        left = [
            (at, spent - min(spent, amount) if at == end else spent) for at, spent in self.buckets
        ]
        return Usage(tuple((at, spent) for at, spent in left if spent))

    def encode(self) -> list[rlp.Item]:
        """Give the RLP item."""
        return [[uint(end), uint(amount)] for end, amount in self.buckets]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Usage":
        """Read the RLP item.

        Raises:
            Malformed: not one.
        """
        buckets = []
        for pair in list_of(item, None, "usage"):
            end, amount = list_of(pair, 2, "usage")
            buckets.append((UnixSeconds(uint_of(end, "end", 8)), uint_of(amount, "amount", 40)))
        return Usage(tuple(buckets))


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one signed nonce holds of one limit, and in which bucket."""

    limit: str
    amount: int
    bucket_end: UnixSeconds

    def encode(self) -> list[rlp.Item]:
        """Give the RLP item."""
        return [self.limit.encode(), uint(self.amount), uint(self.bucket_end)]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Reservation":
        """Read the RLP item.

        Raises:
            Malformed: not one.
        """
        name, amount, end = list_of(item, 3, "reservation")
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else ""
        return Reservation(text, uint_of(amount, "amount", 40), UnixSeconds(uint_of(end, "end", 8)))
