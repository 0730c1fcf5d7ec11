"""What a seat has to do now: steps of arithmetic that end in messages."""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.fixed import Hash32
from keymoot.committee.messages import Kind
from keymoot.threshold.rng import SeededRng

Message = tuple[Kind, bytes]

_UNSET = Hash32(bytes(32))


@dataclass(frozen=True, slots=True)
class SeatTask:
    """Something a seat has to do now.

    Attributes:
        name: Says what, for which session; done once.
        run: Does it; takes a freshly seeded generator, gives messages to be signed and posted.
        generation: To which it belongs; what it says is worth nothing in another.
    """

    name: str
    run: Callable[[SeededRng], list[Message]]
    generation: Hash32 = _UNSET
