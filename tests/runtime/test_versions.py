"""Blocks around the one that raises the state secret's version."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.committee.pages import FORMER_KEYS, PRESENT_KEY
from keymoot.committee.statekey.record import FormerVersions, StateKeyStatus
from keymoot.committee.statekey.version import version_in
from keymoot.contracts.builtin.nodes import CellPages, Nodes
from keymoot.runtime.block import Block, Executed
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.committee_pages import committee_in, version_of
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.errors import NoStateKeys
from keymoot.store.journal import Journal
from keymoot.store.keys import FIRST_NAME, Former, StateKeys, Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.contracts.toys import Counter, deployed
from tests.runtime.people import AGENT, OWNER, STRANGER, Scenario, calldata

NAME = Bytes32(b"v" * 32)
SECOND = Secret(b"the second secret".ljust(32, b"."))


@pytest.fixture
def scenario() -> Scenario:
    """A counter at 1, in a state that says that the version has been raised just now."""
    rich = {one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)}
    scenario = Scenario(MemoryChain(deployed(Counter), rich))
    assert scenario.send(STRANGER, "bump", contract=Counter).status == 1
    assert named(scenario) == 0
    journal = Journal(scenario.chain.state())
    pages = CellPages(PublicStore(journal, Nodes.ADDRESS, FreeMeter()))
    PRESENT_KEY.status.write(pages, StateKeyStatus(1, NAME, since=Height(1)))
    FORMER_KEYS.write(pages, FormerVersions((Former(FIRST_NAME, b""),)))
    scenario.chain.alter(journal.changes())
    scenario.chain.keys.take(SECOND, NAME)
    return scenario


def named(scenario: Scenario) -> int:
    """Give the version that the counter's entry names."""
    blinded = scenario.chain.keys.at(Version()).contract_keys(Counter.ADDRESS)
    entry = scenario.chain.state().entry(Counter.ADDRESS, blinded.slot(Counter.count._key))
    assert entry is not None
    return int.from_bytes(entry[:4], "big")


def peek(scenario: Scenario, keys: StateKeys | None = None) -> int:
    chain = scenario.chain
    if keys is not None:
        chain.keys = keys
    return int.from_bytes(chain.ask(Counter.ADDRESS, calldata(Counter, "peek")), "big")


def only(scenario: Scenario, secret: Secret, name: Bytes32) -> StateKeys:
    keys = StateKeys(None, scenario.chain.chain.network)
    keys.take(secret, name)
    return keys


def run(scenario: Scenario, keys: StateKeys, *raws: bytes) -> Executed:
    """Execute the next block as another replica does."""
    chain = scenario.chain
    state = State(MemoryTable(dict(chain.table.items())), chain.root)
    block = Block(Height(chain.tip.height + 1), UnixSeconds(chain.tip.time + 1), raws)
    transition = StateTransition(chain.chain, chain.contracts, keys)
    return transition.execute(state, chain.tip, block)


def test_the_first_block_wraps_the_former_secret_whatever_is_in_it(scenario: Scenario) -> None:
    chain = scenario.chain
    assert not version_of(chain.state()).former[0].wrapped
    chain.send_together([])
    former = version_in(committee_in(chain.state(), chain.chain.network).state.pages).former
    assert [one.name for one in former] == [FIRST_NAME]
    newest = only(scenario, SECOND, NAME)
    assert newest.secret(version_of(chain.state()), 0).expose() == bytes(32)
    # Once is enough.
    before = version_of(chain.state())
    chain.send_together([])
    assert version_of(chain.state()) == before


def test_an_old_value_opens_and_is_sealed_anew_by_the_next_write(scenario: Scenario) -> None:
    assert peek(scenario) == 1
    scenario.chain.send_together([])
    assert (peek(scenario), named(scenario)) == (1, 0)
    assert scenario.send(STRANGER, "bump", contract=Counter).status == 1
    assert (peek(scenario), named(scenario)) == (2, 1)


def test_who_has_the_newest_alone_comes_to_the_same_block(scenario: Scenario) -> None:
    scenario.chain.send_together([])
    bump = scenario.raw(STRANGER, Counter.ADDRESS, calldata(Counter, "bump"))
    one = run(scenario, scenario.chain.keys, bump)
    other = run(scenario, only(scenario, SECOND, NAME), bump)
    assert one.header == other.header
    assert one.writes == other.writes
    assert one.receipts[0].status == 1


def test_who_has_the_older_alone_executes_nothing_and_opens_what_it_opened(
    scenario: Scenario,
) -> None:
    older = only(scenario, Secret(bytes(32)), FIRST_NAME)
    for _ in range(2):
        with pytest.raises(Defect, match="before it is here"):
            run(scenario, older)
        scenario.chain.send_together([])
    assert scenario.send(STRANGER, "bump", contract=Counter).status == 1
    # Nor does it answer a query about it.
    with pytest.raises(NoStateKeys):
        peek(scenario, older)


def test_headers_differ_under_another_secret_of_the_same_number(scenario: Scenario) -> None:
    other = StateKeys(Secret(bytes(32)), scenario.chain.chain.network)
    other.take(Secret(b"x" * 32), NAME)
    here, there = run(scenario, scenario.chain.keys).header, run(scenario, other).header
    assert here.mix_hash != there.mix_hash
    assert here.state_root != there.state_root
