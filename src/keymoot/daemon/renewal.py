"""When a registration is renewed, and what is told of it; no clock, no network.

Halfway to its end, so that a network that is away for a while costs nothing. How long it counts is
the ledger's word, and what passes since is measured here: the host's clock may be any. What fails
is tried again, later each time: each attempt costs gas, and an app whose code is not admitted any
more would spend all it has by asking.
"""

from dataclasses import dataclass, field

from keymoot.base.units import Seconds, UnixSeconds
from keymoot.daemon.backoff import Backoff

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2.0, 300.0
SHORTEST_SECONDS = 5.0
"""Between two registrations, however short an app's registrations live."""

_RETRY = Backoff(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Where a registration stands.

    Attributes:
        expires_at: Last second at which it counts.
        due_at: When to register next.
    """

    expires_at: UnixSeconds
    due_at: float
    backoff: Backoff = field(default=_RETRY)

    @classmethod
    def of(cls, expires_at: UnixSeconds, counts: Seconds, now: float) -> "Renewal":
        """Take a registration that the ledger has just taken, and how long it counts there."""
        return cls(expires_at, now + max(SHORTEST_SECONDS, counts / 2))

    def failed(self, now: float) -> "Renewal":
        backoff = self.backoff.failed()
        return Renewal(self.expires_at, now + backoff.seconds, backoff)
