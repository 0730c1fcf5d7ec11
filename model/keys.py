"""Epochs follow on each other while hosts' disks are a block behind: who still has which key?

One member that stays, and the dealings to it: of each epoch they are encrypted to another key.
A certificate is shown to the enclave first, and the block is on the host's disk later. At any
moment all may die; then the newest state on the disk is what a recovery builds on. It may order
the living epoch, or the one that is kept: so the enclave needs the keys of both. A state is
bad when it has erased one.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

EPOCHS = 4
BEHIND = 3
"""How many blocks a host's disk may be behind."""


@dataclass(frozen=True)
class Rules:
    """What the design says; each can be taken out.

    Attributes:
        on_disk_first: A key is erased once the block that lets go of it is on the host's disk.
        also_at_a_switch: So is one that another switch lets go of, not only what settling does.
        each_block_its_own: What one block lets go of waits for that block, not for an older one
            that let go of something else.
    """

    on_disk_first: bool = True
    also_at_a_switch: bool = True
    each_block_its_own: bool = True


@dataclass(frozen=True)
class Block:
    """The state after a certified block: the living epoch, and the one that is kept, if any."""

    living: int
    kept: int | None

    @property
    def needs(self) -> frozenset[int]:
        """The keys that a recovery on this state may need."""
        return frozenset({self.living} if self.kept is None else {self.living, self.kept})


@dataclass(frozen=True)
class State:
    """One state.

    Attributes:
        disk: What the host's disk has.
        ahead: Certified blocks that the enclave was shown and the disk has not, oldest first.
        keys: What the enclave has sealed; the next epoch's is made in time.
        epochs: How many have begun; each has another key, one after a failed one too.
        owed: How many of `ahead` come up to the block whose writing lets keys go; None: none do.
    """

    disk: Block
    ahead: tuple[Block, ...]
    keys: frozenset[int]
    epochs: int
    owed: int | None

    @property
    def seen(self) -> Block:
        """The newest certified state."""
        return self.ahead[-1] if self.ahead else self.disk


FIRST = State(Block(0, None), (), frozenset({0}), 1, None)


def blocks(state: State) -> Iterator[Block]:
    """The states that the next block may leave."""
    seen = state.seen
    yield seen
    if state.epochs < EPOCHS:
        # A switch, that all hold at once or not. What is kept stays kept until all hold.
        yield Block(state.epochs, None)
        yield Block(state.epochs, seen.living if seen.kept is None else seen.kept)
    if seen.kept is not None:
        # The last one holds; or a recovery goes back.
        yield Block(seen.living, None)
        yield Block(seen.kept, None)


def shown(state: State, block: Block, rules: Rules) -> State:
    """The state after the enclave was shown a block's certificate."""
    ahead, before = (*state.ahead, block), state.seen
    keys = state.keys | {block.living}
    more = replace(state, ahead=ahead, keys=keys, epochs=max(state.epochs, block.living + 1))
    if keys == block.needs:
        return replace(more, owed=None)
    waits = block.living == before.living or rules.also_at_a_switch
    if not rules.on_disk_first or not waits:
        return replace(more, keys=block.needs, owed=None)
    anew = state.owed is None or (rules.each_block_its_own and block != before)
    return replace(more, owed=len(ahead) if anew else state.owed)


def written(state: State) -> State:
    """The state after the host wrote the oldest block that its disk has not."""
    disk, *ahead = state.ahead
    owed = None if state.owed is None else state.owed - 1
    made = replace(state, disk=disk, ahead=tuple(ahead), owed=owed)
    return replace(made, keys=made.seen.needs, owed=None) if owed == 0 else made


def search(rules: Rules) -> tuple[int, int]:
    """Search all states; the number of them, and how many lack a key that the disk's needs."""
    seen, stack = {FIRST}, [FIRST]
    while stack:
        state = stack.pop()
        following = [written(state)] if state.ahead else []
        if len(state.ahead) < BEHIND:
            following += [shown(state, block, rules) for block in blocks(state)]
        for one in following:
            if one not in seen:
                seen.add(one)
                stack.append(one)
    return len(seen), sum(not state.disk.needs <= state.keys for state in seen)


def main() -> int:
    """Print each search; 0 where no key is missed under the rules, and one without each."""
    rules = Rules()
    count, bad = search(rules)
    wrong = bad > 0
    print(f"{'all rules':32} {count:6} states  {bad} without a key")
    for one in fields(rules):
        count, bad = search(replace(rules, **{one.name: False}))
        wrong |= not bad
        print(f"without {one.name:24} {count:6} states  {bad} without a key")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
