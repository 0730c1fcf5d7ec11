"""Members change while hosts crash: can those who are left always go on, one of four silent?

Seats of the epoch before and of the one after, four each, one of either broken. The switch
needs three holders of new shares, the broken one among them: its box for an honest member may
have been bad, so that only two are left once it is silent. First hosts are hostile: enclaves
crash at any point. Then nobody crashes, and who is broken says nothing more. A state is stuck
when no honest steps lead from it to a certified tip with three members that hold their shares.

One switch, on disks that are never behind; `keys.py` has many, on disks that are.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stuck import IN_TAIL, OLD, SETTLED, SWITCHED, dead_ends, tell

NEEDED = 3
CRASHES = 4


@dataclass(frozen=True)
class Change:
    """The honest members of the epoch before, and of the one after."""

    name: str
    before: frozenset[int]
    after: frozenset[int]


def _three(*seats: int) -> frozenset[int]:
    return frozenset(seats)


CHANGES = (
    Change("nobody", _three(1, 2, 3), _three(1, 2, 3)),
    Change("one", _three(1, 2, 3), _three(1, 2, 5)),
    Change("half", _three(1, 2, 3), _three(3, 5, 6)),
    Change("half, another broken", _three(1, 2, 3), _three(2, 3, 5)),
    Change("all", _three(1, 2, 3), _three(5, 6, 7)),
)


@dataclass(frozen=True)
class Rules:
    """What the design says; each can be taken out.

    Attributes:
        back_to_the_old_epoch: A recovery before all hold new shares returns to the old ones.
        before_may_order: Until then the members before may order it, not only the present ones.
        until_all_hold: The old epoch is kept until every member holds, not until three do.
        leavers_keep_keys: Who leaves keeps its keys until a certified state lets go of it.
    """

    back_to_the_old_epoch: bool = True
    before_may_order: bool = True
    until_all_hold: bool = True
    leavers_keep_keys: bool = True


@dataclass(frozen=True)
class State:
    """One state; sets are of honest seats.

    Attributes:
        hostile: Whether crashes still happen and the broken seats may still help.
        epoch: OLD, IN_TAIL, SWITCHED or SETTLED.
        tip_certified: The newest block has its certificate.
        session: Whose living start is the one that the newest state names, or named before a
            switch in the tail.
        holds: Who holds its share of the new epoch.
        keys: Who of the members before still has what opens the old dealings.
        crashes: How many are left.
    """

    hostile: bool
    epoch: int
    tip_certified: bool
    session: frozenset[int]
    holds: frozenset[int]
    keys: frozenset[int]
    crashes: int = CRASHES


def able(state: State, change: Change, without: int | None = None) -> bool:
    """Tell whether the newest block gets its certificate: the members before a switch sign it."""
    old = state.epoch in (OLD, IN_TAIL)
    shares = change.before & state.keys if old else change.after & state.holds
    return len((shares & state.session) - {without}) + state.hostile >= NEEDED


def kept(state: State, rules: Rules) -> bool:
    """Tell whether a recovery may still go back to the epoch before."""
    if state.epoch == IN_TAIL:
        return True
    holders = len(state.holds) + 1  # the broken one says so, whatever it has
    return state.epoch == SWITCHED and (rules.until_all_hold or holders < NEEDED)


def certified(state: State, change: Change, rules: Rules) -> State:
    """The same with its tip certified."""
    epoch, keys = state.epoch, state.keys
    if epoch == IN_TAIL:
        epoch = SWITCHED
    if epoch == SWITCHED and change.after <= state.holds:
        epoch = SETTLED
    if epoch != OLD and (epoch == SETTLED or not rules.leavers_keep_keys):
        keys &= change.after
    return replace(state, epoch=epoch, tip_certified=True, keys=keys)


def honest_steps(state: State, change: Change, rules: Rules) -> Iterator[State]:
    """What the members do by themselves, in either phase."""
    if able(state, change):
        following = certified(state, change, rules)
        yield replace(state, tip_certified=False) if state.tip_certified else following
    # A fresh start's session counts once the others have certified the block with its post.
    for seat in (change.before if state.epoch == OLD else change.after) - state.session:
        if state.epoch != IN_TAIL and able(state, change, without=seat):
            following = certified(state, change, rules)
            yield replace(following, session=following.session | {seat})
    yield from recoveries(state, change, rules)


def recoveries(state: State, change: Change, rules: Rules) -> Iterator[State]:
    """The states that a recovery order leaves, signed by all honest members of one epoch."""
    back = kept(state, rules)
    orders = [change.before if state.epoch == OLD else change.after]
    if back and rules.before_may_order:
        orders.append(change.before)
    for named in orders:
        if back and rules.back_to_the_old_epoch and len(named & change.before) >= NEEDED:
            yield replace(state, epoch=OLD, tip_certified=False, session=named, holds=frozenset())
        elif state.epoch != IN_TAIL:
            yield replace(state, tip_certified=False, session=named)
        else:
            # The switch stands, in a block that the order's own covers.
            yield replace(state, epoch=SWITCHED, tip_certified=False, session=named)


def hostile_steps(state: State, change: Change) -> Iterator[State]:
    """What only the first phase has, and its end."""
    yield replace(state, hostile=False)
    for seat in state.session:
        if state.crashes:
            yield replace(state, session=state.session - {seat}, crashes=state.crashes - 1)
    if state.epoch == OLD and state.tip_certified and able(state, change):
        for cheated in (frozenset[int](), *(frozenset({seat}) for seat in change.after)):
            yield replace(
                state,
                epoch=IN_TAIL,
                tip_certified=False,
                session=state.session | (change.after - change.before),
                holds=change.after - cheated,
            )


def goal(state: State, change: Change) -> bool:
    """The network lives, and would live on without the broken seat."""
    members, shares = (
        (change.before, state.keys) if state.epoch == OLD else (change.after, state.holds)
    )
    settled = state.epoch in (OLD, SETTLED) or members <= state.holds
    alive = members <= state.session and members <= shares and settled
    return not state.hostile and state.tip_certified and alive


def search(change: Change, rules: Rules) -> tuple[int, int]:
    """Search all states of one change; the number of them, and how many are stuck."""

    def steps(state: State) -> Iterator[State]:
        yield from honest_steps(state, change, rules)
        if state.hostile:
            yield from hostile_steps(state, change)

    before = change.before
    first = State(
        hostile=True, epoch=OLD, tip_certified=True, session=before, holds=frozenset(), keys=before
    )
    count, stuck = dead_ends(first, steps, lambda state: goal(state, change))
    return count, len(stuck)


def main() -> int:
    """Print each search; 0 where nothing is stuck under the rules, and something without each."""
    return tell(CHANGES, Rules(), search)


if __name__ == "__main__":
    sys.exit(main())
