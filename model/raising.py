"""The state secret's version is raised once somebody has left with it: do the others get going?

Members before and members now share most seats. Until all of these hold their new shares, a
recovery may go back to those. Members now gather the next version; from the block that raises it
on, only who has it executes, and only who executes signs. First hosts are hostile, and the broken
ones say what does most harm. Then nobody holds anything back, and the broken ones are silent.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from executing import faults
from stuck import dead_ends, tell


@dataclass(frozen=True)
class Change:
    """Members before and now, and who of all is broken."""

    name: str
    before: frozenset[int]
    now: frozenset[int]
    broken: frozenset[int]


def _seats(*seats: int) -> frozenset[int]:
    return frozenset(seats)


CHANGES = (
    Change("one of four", _seats(1, 2, 3, 4), _seats(1, 2, 3, 5), _seats(3)),
    Change("one of five", _seats(1, 2, 3, 4, 5), _seats(1, 2, 3, 4), _seats(1)),
    Change("all of four", _seats(1, 2, 3, 4), _seats(5, 6, 7, 8), _seats(4, 8)),
    Change("two of seven", frozenset(range(1, 8)), _seats(1, 2, 3, 4, 5, 8, 9), _seats(1, 2)),
)


@dataclass(frozen=True)
class Rules:
    """What the design says; each can be taken out.

    Attributes:
        all_hold_it: All members say that they hold the next version; else n−f are enough.
        settled_first: Nothing is raised while a recovery may go back to the members before.
    """

    all_hold_it: bool = True
    settled_first: bool = True


@dataclass(frozen=True)
class State:
    """One state.

    Attributes:
        hostile: Whether hosts hold back, and the broken ones may still help.
        members: Who keeps the keys now.
        holding: Honest seats that have the next version.
        settled: Whether no recovery goes back any more.
        raised: Whether blocks need the next version.
        certified: Whether a block was certified since.
    """

    hostile: bool
    members: frozenset[int]
    holding: frozenset[int] = frozenset()
    settled: bool = False
    raised: bool = False
    certified: bool = False


def able(state: State, change: Change) -> frozenset[int]:
    """Give the honest members that can execute the next block."""
    honest = state.members - change.broken
    return honest & state.holding if state.raised else honest


def signs(state: State, change: Change) -> bool:
    """Tell whether the members can certify a block."""
    size = len(state.members)
    helping = state.members & change.broken if state.hostile else frozenset[int]()
    return len(able(state, change) | helping) >= size - faults(size)


def allowed(state: State, change: Change, rules: Rules) -> bool:
    """Tell whether the version may be raised."""
    if rules.settled_first and not state.settled:
        return False
    lying = state.members & change.broken if state.hostile else frozenset[int]()
    size, said = len(state.members), len(state.members & (state.holding | lying))
    return said == size if rules.all_hold_it else said >= size - faults(size)


def steps(state: State, change: Change, rules: Rules) -> Iterator[State]:
    """Everything that may happen next."""
    if state.hostile:
        yield replace(state, hostile=False)
    if not state.settled and state.members == change.now:
        # Its first block is signed by members before that can execute it, or never comes.
        yield replace(state, members=change.before, certified=False)
    if not signs(state, change):
        return
    yield replace(state, certified=True)
    if state.members != change.now:
        return
    for seat in state.members - change.broken - state.holding:
        yield replace(state, holding=state.holding | {seat})
    if state.hostile or not state.members & change.broken:
        # All say that they hold their shares; a broken one that is silent is voted out later.
        yield replace(state, settled=True)
    if not state.raised and allowed(state, change, rules):
        yield replace(state, raised=True, certified=False)


def goal(state: State, change: Change) -> bool:
    """All honest members execute, and certify."""
    everyone = able(state, change) == state.members - change.broken
    return not state.hostile and state.certified and everyone


def search(change: Change, rules: Rules) -> tuple[int, int]:
    """Search all states of one change; the number of them, and how many are stuck."""
    count, stuck = dead_ends(
        State(hostile=True, members=change.now),
        lambda state: steps(state, change, rules),
        lambda state: goal(state, change),
    )
    return count, len(stuck)


def main() -> int:
    """Print each search; 0 where nothing is stuck under the rules, and something without each."""
    return tell(CHANGES, Rules(), search)


if __name__ == "__main__":
    sys.exit(main())
