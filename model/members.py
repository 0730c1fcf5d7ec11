"""Members change at a block: who signs it, and when may the new ones sign?

Exhaustive, for members that change by none, by one, by half and by all, with one broken
enclave in each epoch. Each honest enclave executes one chain and signs a height once; the
broken ones sign everything. A block is a word of X, Y and one T, which changes the members.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

HEIGHTS = 3
FAULTS = 1


@dataclass(frozen=True)
class Change:
    """Members before and after, and who of both is broken."""

    name: str
    before: frozenset[int]
    after: frozenset[int]
    broken: frozenset[int]

    @property
    def honest(self) -> list[int]:
        """Honest members of either epoch, in order."""
        return sorted((self.before | self.after) - self.broken)


@dataclass(frozen=True)
class State:
    """What each honest enclave executed last, the heights that it signed, what is certified."""

    position: tuple[str, ...]
    signed: tuple[frozenset[int], ...]
    certified: frozenset[str]


def _four(*seats: int) -> frozenset[int]:
    return frozenset(seats)


CHANGES = (
    Change("nobody", _four(1, 2, 3, 4), _four(1, 2, 3, 4), _four(4)),
    Change("one", _four(1, 2, 3, 4), _four(1, 2, 3, 5), _four(4, 5)),
    Change("half", _four(1, 2, 3, 4), _four(3, 4, 5, 6), _four(4)),
    Change("half, another broken", _four(1, 2, 3, 4), _four(2, 3, 5, 6), _four(4, 6)),
    Change("all", _four(1, 2, 3, 4), _four(5, 6, 7, 8), _four(4, 8)),
)


def blocks() -> list[str]:
    """Every block of at most HEIGHTS, with at most one change of members below or in it."""
    level, found = [""], []
    for _ in range(HEIGHTS):
        level = [
            block + content
            for block in level
            for content in "TXY"
            if content != "T" or "T" not in block
        ]
        found += level
    return found


def conflict(certified: frozenset[str]) -> str | None:
    """Two certified blocks of which neither descends from the other."""
    for a, b in combinations(sorted(certified), 2):
        if not b.startswith(a):
            return f"{a or 'root'} | {b}"
    return None


def successors(state: State, change: Change, *, by_state_before: bool) -> Iterator[State]:
    """Every way to certify one more block; its parent is certified."""
    quorum = len(change.before) - FAULTS
    for block in blocks():
        if block in state.certified or block[:-1] not in state.certified:
            continue
        read = block[:-1] if by_state_before else block
        members = change.after if "T" in read else change.before
        able = [
            at
            for at, seat in enumerate(change.honest)
            if seat in members
            and block.startswith(state.position[at])
            and len(block) not in state.signed[at]
        ]
        for signers in combinations(able, quorum - len(members & change.broken)):
            position, signed = list(state.position), list(state.signed)
            for at in signers:
                position[at], signed[at] = block, signed[at] | {len(block)}
            yield State(tuple(position), tuple(signed), state.certified | {block})


def search(change: Change, *, by_state_before: bool) -> tuple[int, str | None]:
    """Search all states; the number of them and the first conflict."""
    count = len(change.honest)
    first = State(("",) * count, (frozenset(),) * count, frozenset([""]))
    seen, stack = {first}, [first]
    while stack:
        state = stack.pop()
        found = conflict(state.certified)
        if found:
            return len(seen), found
        for following in successors(state, change, by_state_before=by_state_before):
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return len(seen), None


def main() -> int:
    """Print each search; 0 where all ended as the rules say."""
    wrong = 0
    for change in CHANGES:
        for by_state_before in (True, False):
            count, found = search(change, by_state_before=by_state_before)
            # Members of the state after sign for themselves: half of them new is enough to fork.
            expected = by_state_before or change.name in ("nobody", "one")
            wrong += expected != (found is None)
            who = "before" if by_state_before else "after"
            verdict = f"CONFLICT {found}" if found else "no conflict"
            print(f"{change.name:22} signed by the state {who:6} {count:6} states  {verdict}")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
