"""Blocks around the one that raises the state secret's version."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.contracts.nodes import CellPages, Nodes
from keymoot.moot.statekey import FORMER, STATE, Standing, former_in, write_former
from keymoot.runtime.assembly import assembly_in, version_of
from keymoot.runtime.block import Block, Executed, execute_block
from keymoot.runtime.chain import MemoryChain
from keymoot.store.errors import NoStateKeys
from keymoot.store.journal import Journal
from keymoot.store.keys import FIRST_NAME, Former, StateKeys, Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.contracts.toys import Counter
from tests.runtime.people import AGENT, OWNER, STRANGER, Play, calldata

NAME = Bytes32(b"v" * 32)
SECOND = Secret(b"the second secret".ljust(32, b"."))


@pytest.fixture
def play() -> Play:
    """A counter at 1, in a state that says that the version has been raised just now."""
    rich = {one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)}
    play = Play(MemoryChain({Counter.ADDRESS: Counter()}, rich))
    assert play.send(STRANGER, "bump", contract=Counter).status == 1
    assert named(play) == 0
    journal = Journal(play.chain.state())
    pages = CellPages(PublicStore(journal, Nodes.ADDRESS, FreeMeter()))
    pages.set(STATE, Standing(1, NAME, since=Height(1)).encode())
    pages.set(FORMER, write_former((Former(FIRST_NAME, b""),)))
    play.chain.alter(journal.changes())
    play.chain.keys.take(SECOND, NAME)
    return play


def named(play: Play) -> int:
    """Give the version that the counter's entry names."""
    blinded = play.chain.keys.at(Version()).contract_keys(Counter.ADDRESS)
    entry = play.chain.state().entry(Counter.ADDRESS, blinded.slot(Counter.count._key))
    assert entry is not None
    return int.from_bytes(entry[:4], "big")


def peek(play: Play, keys: StateKeys | None = None) -> int:
    chain = play.chain
    if keys is not None:
        chain.keys = keys
    return int.from_bytes(chain.ask(Counter.ADDRESS, calldata(Counter, "peek")), "big")


def only(play: Play, secret: Secret, name: Bytes32) -> StateKeys:
    keys = StateKeys(None, play.chain.chain.network)
    keys.take(secret, name)
    return keys


def run(play: Play, keys: StateKeys, *raws: bytes) -> Executed:
    """Execute the next block as another replica does."""
    chain = play.chain
    state = State(MemoryTable(dict(chain.table.items())), chain.root)
    block = Block(Height(chain.tip.height + 1), UnixSeconds(chain.tip.time + 1), raws)
    return execute_block(state, chain.tip, block, chain.chain, chain.contracts, keys, chain._open)


def test_the_first_block_wraps_the_former_secret_whatever_is_in_it(play: Play) -> None:
    chain = play.chain
    assert not version_of(chain.state()).former[0].wrapped
    chain.send_together([])
    former = former_in(assembly_in(chain.state(), chain.chain.network).hall.pages)
    assert [one.name for one in former] == [FIRST_NAME]
    newest = only(play, SECOND, NAME)
    assert newest.secret(version_of(chain.state()), 0).expose() == bytes(32)
    # Once is enough.
    before = version_of(chain.state())
    chain.send_together([])
    assert version_of(chain.state()) == before


def test_an_old_value_opens_and_is_sealed_anew_by_the_next_write(play: Play) -> None:
    assert peek(play) == 1
    play.chain.send_together([])
    assert (peek(play), named(play)) == (1, 0)
    assert play.send(STRANGER, "bump", contract=Counter).status == 1
    assert (peek(play), named(play)) == (2, 1)


def test_who_has_the_newest_alone_comes_to_the_same_block(play: Play) -> None:
    play.chain.send_together([])
    bump = play.raw(STRANGER, Counter.ADDRESS, calldata(Counter, "bump"))
    one = run(play, play.chain.keys, bump)
    other = run(play, only(play, SECOND, NAME), bump)
    assert one.header == other.header
    assert one.writes == other.writes
    assert one.receipts[0].status == 1


def test_who_has_the_older_alone_executes_nothing_and_opens_what_it_opened(play: Play) -> None:
    older = only(play, Secret(bytes(32)), FIRST_NAME)
    for _ in range(2):
        with pytest.raises(Defect, match="before it is here"):
            run(play, older)
        play.chain.send_together([])
    assert play.send(STRANGER, "bump", contract=Counter).status == 1
    # Nor does it answer a query about it.
    with pytest.raises(NoStateKeys):
        peek(play, older)


def test_headers_differ_under_another_secret_of_the_same_number(play: Play) -> None:
    other = StateKeys(Secret(bytes(32)), play.chain.chain.network)
    other.take(Secret(b"x" * 32), NAME)
    here, there = run(play, play.chain.keys).header, run(play, other).header
    assert here.mix_hash != there.mix_hash
    assert here.state_root != there.state_root
