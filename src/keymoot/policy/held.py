"""What one nonce of one chain holds of limits, and how a replacement moves it.

Of all that was signed for one nonce one transaction is mined at most, and it may be any: in a
window, the nonce counts with the greatest amount that was signed for it inside that window.
So what it holds are steps, each an amount more than the later ones: 80 at noon and 50 at one
o'clock are 30 of noon and 50 of one. A replacement moves as much as it asks to its own
second, of the latest steps first; what asks more than all of them adds the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.forms import AtMost, Uint
from keymoot.base.record import Record
from keymoot.base.units import UnixSeconds
from keymoot.policy.limit import Limit, Usage

MAX_STEPS = 4
"""Steps of one nonce and limit. What an older one held stays spent, and is not moved again."""

MAX_RESERVATIONS = 128
"""Steps of one nonce, of all limits: the same holds for those of limits that are no more."""

_NAME_BYTES = 48


@dataclass(frozen=True, slots=True)
class Reservation(Record):
    """One step: what a nonce holds of one limit, and the second at which it was signed."""

    limit: Annotated[str, AtMost(_NAME_BYTES)]
    amount: Annotated[int, Uint(40)]
    at: UnixSeconds


@dataclass(frozen=True, slots=True)
class LimitAsk:
    """What a limit is asked for by one wish, whose nonce may hold some of it already.

    Attributes:
        amount: What the wish asks.
        beside: What else counts in the fullest window that the wish adds to.
        usage: What was spent, without what the wish moves.
        stays: Steps that stay where they are, oldest first.
    """

    amount: int
    beside: Usage
    usage: Usage
    stays: tuple[Reservation, ...]

    def fits(self, limit: Limit, now: UnixSeconds) -> bool:
        """Tell whether all windows keep to the limit; what asks nothing adds to none."""
        return self.amount == 0 or self.beside.used(limit, now) + self.amount <= limit.max


def ask(
    limit: Limit, amount: int, usage: Usage, steps: Iterable[Reservation], now: UnixSeconds
) -> LimitAsk:
    """Look what a wish adds to a limit with a window, of which its nonce holds `steps` already."""
    buckets = list(usage.buckets)
    beside = list(usage.buckets)
    left, since = amount, limit.oldest(now)
    stays: list[Reservation] = []
    for step in sorted(steps, key=lambda step: step.at, reverse=True):
        place = next((index for index, (at, _) in enumerate(buckets) if at >= step.at), None)
        if place is None or step.at <= usage.forgotten:
            continue
        at, spent = buckets[place]
        moved = min(step.amount, left, spent)
        if moved:
            buckets[place] = (at, spent - moved)
            left -= moved
            if left == 0 and place:
                # As much was signed for it here: longer windows hold it already.
                since = max(since, buckets[place - 1][0])
        if step.amount > moved:
            stays.append(Reservation(step.limit, step.amount - moved, step.at))
        # No window that the wish adds to begins before the steps that it moves.
        beside[place] = (at, beside[place][1] - min(step.amount, beside[place][1]))
    return LimitAsk(
        amount,
        Usage(tuple((at, spent) for at, spent in beside if at > since)),
        Usage(tuple(buckets), usage.longest, usage.forgotten),
        tuple(reversed(stays)),
    )
