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

WELL_SECONDS = 60.0
"""A registration that counted so long was a good one: the next failure is a first."""

_RETRY = Backoff(FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Where a registration stands.

    Attributes:
        expires_at: Last second at which it counts, by the ledger's time.
        due_at: When to register next, by ours.
        ends_at: When it ends, by ours.
        since: When it was made; None: something has failed since.
    """

    expires_at: UnixSeconds
    due_at: float
    ends_at: float
    backoff: Backoff = field(default=_RETRY)
    since: float | None = None

    @classmethod
    def of(cls, expires_at: UnixSeconds, counts: Seconds, now: float) -> "Renewal":
        """Take a registration that the ledger has just taken, and for how long it counts."""
        return _RENEWED.renewed(expires_at, counts, now)

    def renewed(self, expires_at: UnixSeconds, counts: Seconds, now: float) -> "Renewal":
        """Take a new one; how often one failed is remembered until it has stood well."""
        due_at = now + max(SHORTEST_SECONDS, counts / 2)
        return Renewal(expires_at, due_at, now + counts, self.backoff, now)

    def failed(self, now: float) -> "Renewal":
        """Try again later: it was not renewed, or does not count any more."""
        well = self.since is not None and now - self.since >= WELL_SECONDS
        backoff = (self.backoff.succeeded() if well else self.backoff).failed()
        return Renewal(self.expires_at, now + backoff.seconds, self.ends_at, backoff)


_RENEWED = Renewal(UnixSeconds(0), 0.0, 0.0)
