"""From every reachable state, can honest members that are back go on, with one seat silent?

n = 4, f = 1. Seats 0, 1, 2 are honest; the broken seat 3 helps while that suits it, and is
silent once it matters. First the hostile phase: enclaves crash (a start and its session
die) at any point, recoveries are begun and come to nothing, the epoch switches. Then all
hosts are honest: nobody crashes, and seat 3 says nothing more. A state is stuck when no
honest steps lead from it to a certified tip with three living sessions and shares.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeAlias, TypeVar

QUORUM = 3
CRASHES = 4
Three: TypeAlias = tuple[bool, bool, bool]
ALL: Three = (True, True, True)
NONE: Three = (False, False, False)


@dataclass(frozen=True)
class Rules:
    """What the design says; each can be taken out.

    Attributes:
        base_of_any_generation: A recovery's base is certified in any generation of its chain,
            not only in the one that the order ends.
        base_below_a_switch: It may be older than a switch of the epoch that is in the tail.
        order_block_counts_its_own: The starts that an order names may sign its block.
        endorse_again: A start may endorse another order after one that came to nothing.
        founding_is_a_base: The founding record counts as its block's certificate.
        back_to_the_old_epoch: A recovery before all hold new shares returns to the old ones.
    """

    base_of_any_generation: bool = True
    base_below_a_switch: bool = True
    order_block_counts_its_own: bool = True
    endorse_again: bool = True
    founding_is_a_base: bool = True
    back_to_the_old_epoch: bool = True


class Phased(Protocol):
    """A state that knows whether hosts are still hostile."""

    @property
    def hostile(self) -> bool:
        """Whether crashes still happen and the broken seat may still help."""
        ...


class Named(Protocol):
    """A change of members that one search is about."""

    @property
    def name(self) -> str:
        """What it is called where it is printed."""
        ...


S = TypeVar("S", bound=Phased)
C = TypeVar("C", bound=Named)

OLD, IN_TAIL, SWITCHED, SETTLED = range(4)
"""The epoch: before a switch; switched in an uncertified block; in a certified one; all hold."""


@dataclass(frozen=True)
class State:
    """One state; sessions, shares and endorsements are of the honest seats.

    Attributes:
        hostile: Whether crashes still happen and the broken seat may still help.
        founded: A certificate was made after the founding record.
        tip_certified: The newest block has its certificate.
        generation_certified: A block of the present generation has one.
        session: The session that the ledger names for the seat is of a living start.
        epoch: OLD, IN_TAIL, SWITCHED or SETTLED.
        holds: The seat has its share of the new epoch.
        endorsed: This start has endorsed an order of the present generation.
        crashes: How many are left.
    """

    hostile: bool = True
    founded: bool = False
    tip_certified: bool = True
    generation_certified: bool = True
    session: Three = ALL
    epoch: int = OLD
    holds: Three = ALL
    endorsed: Three = NONE
    crashes: int = CRASHES


def put(three: Three, at: int) -> Three:
    """The same three, true at one place."""
    return (three[0] or at == 0, three[1] or at == 1, three[2] or at == 2)


def drop(three: Three, at: int) -> Three:
    """The same three, false at one place."""
    return (three[0] and at != 0, three[1] and at != 1, three[2] and at != 2)


def able(state: State, without: int | None = None) -> int:
    """How many sign: a living session, and a share of the epoch; the broken one while hostile."""
    honest = sum(
        session and (state.epoch < SWITCHED or holds)
        for at, (session, holds) in enumerate(zip(state.session, state.holds, strict=True))
        if at != without
    )
    return honest + state.hostile


def certified(state: State) -> State:
    """The same with its tip certified."""
    epoch = SWITCHED if state.epoch == IN_TAIL else state.epoch
    if epoch == SWITCHED and all(state.holds):
        epoch = SETTLED
    return replace(state, founded=True, tip_certified=True, generation_certified=True, epoch=epoch)


def honest_steps(state: State, rules: Rules) -> Iterator[State]:
    """What the members do by themselves, in either phase."""
    if able(state) >= QUORUM:
        yield certified(state) if not state.tip_certified else replace(state, tip_certified=False)
    # A fresh start's session counts once the others have certified the block with its post.
    for at in range(3):
        if not state.session[at] and able(state, without=at) >= QUORUM:
            yield replace(certified(state), session=put(state.session, at))
    recovered = recovery(state, rules)
    if recovered is not None:
        yield recovered


def recovery(state: State, rules: Rules) -> State | None:
    """The state in which a recovery order of all three honest identities has been executed."""
    if sum(state.session) >= QUORUM and all(state.holds):
        return None
    allowed = (
        (rules.base_of_any_generation or state.generation_certified)
        and (rules.base_below_a_switch or state.epoch != IN_TAIL)
        and (rules.founding_is_a_base or state.founded)
        and (rules.endorse_again or not any(state.endorsed))
    )
    if not allowed:
        return None
    epoch, holds = state.epoch, state.holds
    if rules.back_to_the_old_epoch and epoch in (IN_TAIL, SWITCHED):
        epoch, holds = OLD, ALL
    return replace(
        state,
        tip_certified=False,
        generation_certified=False,
        session=ALL if rules.order_block_counts_its_own else NONE,
        epoch=epoch,
        holds=holds,
        endorsed=NONE,
    )


def hostile_steps(state: State) -> Iterator[State]:
    """What only the first phase has, and its end."""
    yield replace(state, hostile=False)
    for at in range(3):
        if state.crashes:
            yield replace(
                state,
                session=drop(state.session, at),
                endorsed=drop(state.endorsed, at),
                crashes=state.crashes - 1,
            )
        # A recovery is begun and comes to nothing: who endorsed signs no more in its generation.
        if not state.endorsed[at]:
            yield replace(
                state,
                session=drop(state.session, at),
                endorsed=put(state.endorsed, at),
            )
    if state.epoch == OLD and state.tip_certified and sum(state.session) >= QUORUM - 1:
        # n-f say that they hold new shares, the broken one among them: its bad dealing to
        # an honest seat that was away may come out only now.
        for holds in (ALL, drop(ALL, 2)):
            yield replace(state, tip_certified=False, epoch=IN_TAIL, holds=holds)


def goal(state: State) -> bool:
    """The network lives, and would live on without the broken seat."""
    shares = state.epoch in (OLD, SETTLED) or all(state.holds)
    return not state.hostile and state.tip_certified and all(state.session) and shares


def search(rules: Rules) -> tuple[int, list[State]]:
    """Search all states; the number of them, and those that are stuck."""

    def steps(state: State) -> Iterator[State]:
        yield from honest_steps(state, rules)
        if state.hostile:
            yield from hostile_steps(state)

    return dead_ends(State(), steps, goal)


def dead_ends(
    first: S, steps: Callable[[S], Iterator[S]], goal: Callable[[S], bool]
) -> tuple[int, list[S]]:
    """Search all states from `first`.

    Gives their number, and those without hostility from which no steps lead to a goal.
    """
    seen, stack = {first}, [first]
    before: dict[S, list[S]] = {}
    while stack:
        state = stack.pop()
        for following in steps(state):
            if not state.hostile:
                before.setdefault(following, []).append(state)
            if following not in seen:
                seen.add(following)
                stack.append(following)
    alive = {state for state in seen if goal(state)}
    queue = deque(alive)
    while queue:
        for state in before.get(queue.popleft(), ()):
            if state not in alive:
                alive.add(state)
                queue.append(state)
    return len(seen), [state for state in seen if not state.hostile and state not in alive]


def tell(changes: Sequence[C], rules: Any, search: Callable[[C, Any], tuple[int, int]]) -> int:
    """Print the search of each change, under all rules and without each.

    Gives 0 where nothing is stuck under the rules, and without each of them something is.
    """
    wrong = False
    for change in changes:
        count, stuck = search(change, rules)
        wrong |= stuck > 0
        print(f"all rules, {change.name:21} {count:6} states  {stuck} stuck")
    for one in fields(rules):
        less = replace(rules, **{one.name: False})
        found = [change.name for change in changes if search(change, less)[1]]
        wrong |= not found
        print(f"without {one.name:24} stuck: {', '.join(found) or 'NONE'}")
    return int(wrong)


def main() -> int:
    """Print each search; 0 where nothing is stuck under the rules, and something without each."""
    rules = Rules()
    count, stuck = search(rules)
    wrong = len(stuck) > 0
    print(f"{'all rules':32} {count:6} states  {len(stuck)} stuck")
    for name in Rules.__dataclass_fields__:
        count, stuck = search(replace(rules, **{name: False}))
        wrong |= not stuck
        print(f"without {name:24} {count:6} states  {len(stuck)} stuck")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
