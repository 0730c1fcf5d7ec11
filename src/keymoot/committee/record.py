"""The page on which everything else of the committee hangs."""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base.fixed import Hash32
from keymoot.base.forms import U16, U32, U64, Cut
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.committee.seat_lists import Seats


@dataclass(frozen=True, slots=True)
class Cheat(Record):
    """Somebody who was caught, and the rule that was broken."""

    seat: U16
    height: Height
    what: Annotated[str, Cut(256)]


@dataclass(frozen=True, slots=True)
class CommitteeRecord(Record):
    """Who keeps the keys, and in which generation.

    Attributes:
        members: The seats of those who keep the keys, in rising order; there may be gaps.
        generation: Names the recovery since which one-time secrets live; zeros at first.
        recoveries: How many there were.
        out: Seats that deal no more in this generation, for they cheated.
        cheats: Who was caught, the newest last.
        epoch_seconds: How long an epoch lives before the roots are shared anew.
        since: The block in which the generation began; 0 at first.
    """

    REMEMBERED = 64

    members: tuple[U16, ...]
    generation: Hash32
    recoveries: U32
    out: Seats
    cheats: tuple[Cheat, ...]
    epoch_seconds: U64
    since: Height = Height(0)
