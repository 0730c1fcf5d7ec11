"""How much one client may ask."""

from collections.abc import Callable

MAX_BODY_BYTES = 1_048_576
"""Longest HTTP body."""
MAX_DRAINED_BYTES = 16_777_216
"""How much of a longer body is read, and dropped, before the connection ends."""
MAX_REFUSED = 1_000
"""Calls of a batch that is too long which are refused one by one."""
MAX_BATCH = 100
"""Calls of one batch."""
MAX_JSON_DEPTH = 32
RATE_PER_SECOND = 4_000
"""Calls that one address may make, in the long run."""
BURST = 8_000
"""Calls that one address may make at once."""
MAX_CLIENTS = 4_096
"""Addresses whose rate is remembered."""


class Rate:
    """A token bucket for each client address."""

    def __init__(
        self, now: Callable[[], float], per_second: float = RATE_PER_SECOND, burst: float = BURST
    ) -> None:
        """Start with full buckets; `now` is a monotonic clock in seconds."""
        self._now = now
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, count: int = 1) -> bool:
        """Take `count` tokens; tell whether there were enough."""
        now = self._now()
        left, since = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        enough = left >= count
        if len(self._buckets) >= MAX_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[client] = (left - count if enough else left, now)
        return enough
