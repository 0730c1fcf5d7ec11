"""Members change, and who comes needs the state secret: can the next members certify a block?

Only who has the secret executes, and only who executes signs. It is given over certified
blocks. First hosts are hostile: they choose who asks when, whether the broken ones say that
they have it, and when an attempt ends. Then nobody holds anything back, and the broken ones
are silent for good. A state is stuck when no honest steps lead from it to a certified block of
the new members, all honest ones of whom execute.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stuck import dead_ends, tell

MIN_SIZE = 4


@dataclass(frozen=True)
class Change:
    """Members before, who comes, who wants to go, and who of all is broken."""

    name: str
    before: frozenset[int]
    coming: frozenset[int]
    going: tuple[int, ...]
    broken: frozenset[int]


def _seats(*seats: int) -> frozenset[int]:
    return frozenset(seats)


_FOUR, _SEVEN = _seats(1, 2, 3, 4), frozenset(range(1, 8))

CHANGES = (
    Change("one", _FOUR, _seats(5), (4,), _seats(4, 5)),
    Change("half", _FOUR, _seats(5, 6), (4, 3), _seats(4, 6)),
    Change("all", _FOUR, _seats(5, 6, 7, 8), (4, 3, 2, 1), _seats(4, 8)),
    Change("four to seven", _FOUR, _seats(5, 6, 7), (), _seats(4, 7)),
    Change("seven to four", _SEVEN, _seats(8, 9), (7, 6, 5, 4, 3), _seats(6, 7, 9)),
)


@dataclass(frozen=True)
class Rules:
    """What the design says; each can be taken out.

    Attributes:
        newcomers_execute: Every newcomer says that it has the secret when the epoch begins; else
            n−f of the next members are enough.
        asked_before: A newcomer gets the secret when it is admitted; else when it is a member.
        silent_are_dropped: Who did not say so when an attempt fails must be admitted anew.
    """

    newcomers_execute: bool = True
    asked_before: bool = True
    silent_are_dropped: bool = True


@dataclass(frozen=True)
class State:
    """One state.

    Attributes:
        hostile: Whether hosts hold back, and the broken ones may still help.
        members: Who keeps the keys now.
        coming: Newcomers that are admitted.
        executing: Honest seats that have the secret.
        lying: Broken newcomers that say so too.
        certified: Whether the members now have certified a block of their own.
    """

    hostile: bool
    members: frozenset[int]
    coming: frozenset[int]
    executing: frozenset[int]
    lying: frozenset[int] = frozenset()
    certified: bool = True


def faults(size: int) -> int:
    """How many of a committee may be broken."""
    return (size - 1) // 3


def signs(state: State, change: Change) -> bool:
    """Tell whether the members now can certify a block."""
    size = len(state.members)
    able = state.members & state.executing
    helping = state.members & change.broken if state.hostile else frozenset[int]()
    return len(able | helping) >= size - faults(size)


def following(state: State, change: Change) -> frozenset[int]:
    """Give the next members; who wants to leave first leaves first."""
    seats = {*state.members, *state.coming}
    for seat in change.going:
        if len(seats) > MIN_SIZE:
            seats.discard(seat)
    return frozenset(seats)


def says(state: State, change: Change) -> frozenset[int]:
    """Give who says that it has the secret; broken members do while that may do harm."""
    broken = state.members & change.broken if state.hostile else frozenset[int]()
    return state.executing | state.lying | broken


def allowed(state: State, change: Change, rules: Rules) -> bool:
    """Tell whether the epoch may begin."""
    members, said = following(state, change), says(state, change)
    if not rules.asked_before:
        return True
    if rules.newcomers_execute and not members - state.members <= said:
        return False
    return len(members & said) >= len(members) - faults(len(members))


def steps(state: State, change: Change, rules: Rules) -> Iterator[State]:
    """Everything that may happen next."""
    switched = state.members != change.before
    if state.hostile:
        yield replace(state, hostile=False)
        for seat in (state.coming & change.broken) - state.lying:
            yield replace(state, lying=state.lying | {seat})
    if signs(state, change):
        # Over a certified block one more gets the secret.
        asking = state.members | (state.coming if rules.asked_before else frozenset())
        for seat in asking - change.broken - state.executing:
            yield replace(state, executing=state.executing | {seat}, certified=True)
        yield replace(state, certified=True)
    if switched or not signs(state, change):
        return
    members = following(state, change)
    if allowed(state, change, rules) and members != state.members:
        yield replace(state, members=members, coming=frozenset(), certified=False)
    dropped = state.coming - says(state, change) if rules.silent_are_dropped else frozenset()
    failed = replace(state, coming=state.coming - dropped)
    # Where more than f of those who are left would be broken, nothing is promised.
    rest = following(failed, change)
    if len(rest & change.broken) <= faults(len(rest)):
        yield failed


def goal(state: State, change: Change) -> bool:
    """The members now go on, and have changed unless only broken ones were left to come."""
    members = following(state, change)
    done = state.members != change.before or members <= state.members | change.broken
    alive = state.members - change.broken <= state.executing
    return not state.hostile and state.certified and done and alive


def search(change: Change, rules: Rules) -> tuple[int, int]:
    """Search all states of one change; the number of them, and how many are stuck."""
    honest = change.before - change.broken
    first = State(hostile=True, members=change.before, coming=change.coming, executing=honest)
    count, stuck = dead_ends(
        first, lambda state: steps(state, change, rules), lambda state: goal(state, change)
    )
    return count, len(stuck)


def main() -> int:
    """Print each search; 0 where nothing is stuck under the rules, and something without each."""
    return tell(CHANGES, Rules(), search)


if __name__ == "__main__":
    sys.exit(main())
