"""How much one client may ask."""

from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address, IPv6Network

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
FREE_SECONDS = 0.001
"""How long one query may run for what its call costs."""
CALLS_PER_SECOND_RUN = 16_000
"""What a second of a longer query's time counts as: a quarter of the node's, in the long run."""
MAX_CLIENTS = 4_096
"""Addresses whose rate is remembered."""
CUSTOMER_BITS = 64
"""What providers give to one customer of IPv6: all addresses that begin alike are his."""


def customer_of(host: str) -> str:
    """Name who calls from an address: itself, or of IPv6 the network that it lies in."""
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    whole = int.from_bytes(address.packed, "big") >> (128 - CUSTOMER_BITS) << (128 - CUSTOMER_BITS)
    return str(IPv6Network((whole, CUSTOMER_BITS)))


class Rate:
    """A token bucket for each client address."""

    def __init__(
        self, now: Callable[[], float], per_second: float = RATE_PER_SECOND, burst: float = BURST
    ) -> None:
        """`now` is a monotonic clock in seconds."""
        self._now = now
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str, count: int = 1) -> bool:
        """Take `count` tokens; tell whether there were enough."""
        left = self._left(client)
        enough = left >= count
        self._keep(client, left - count if enough else left)
        return enough

    def owe(self, client: str, seconds: float) -> None:
        """Take what a query's running time counts as, whether or not there is enough.

        Whoever is in debt may call nothing, not even for 0, until it is paid by waiting.
        """
        longer = seconds - FREE_SECONDS
        if longer > 0:
            self._keep(client, self._left(client) - longer * CALLS_PER_SECOND_RUN)

    def _left(self, client: str) -> float:
        now = self._now()
        left, since = self._buckets.pop(client, (self._burst, now))
        return min(self._burst, left + (now - since) * self._per_second)

    def _keep(self, client: str, left: float) -> None:
        if len(self._buckets) >= MAX_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[client] = (left, self._now())


class Payer:
    def __init__(self, rate: Rate, client: str) -> None:
        self._rate = rate
        self._client = client

    def take(self, count: int) -> bool:
        """Whether there were enough, and no debt."""
        return self._rate.take(self._client, count)

    def owe(self, seconds: float) -> None:
        self._rate.owe(self._client, seconds)
