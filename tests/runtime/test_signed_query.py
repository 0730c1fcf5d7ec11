"""A signed query opens to its signer what a view would, and only near the block that he knew."""

from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, Nonce, Wei
from keymoot.contracts.framework.errors import Anonymous, KeyUseRefused
from keymoot.contracts.framework.registry import Deployment
from keymoot.crypto.signed_query import SignedQuery
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.leash import MAX_REACH, LeashBroken, check_leash
from keymoot.runtime.query import UNSEEN_GAS, AsksSecrets, Query, call, estimate
from keymoot.store.errors import NoStateKeys, ReadOnly
from tests.contracts.notes import ForFriends, Notes, signed
from tests.runtime.people import OWNER, STRANGER, Person, Scenario, calldata


class NotesScenario(Scenario):
    def __post_init__(self) -> None:
        balances = {one.address: Wei(10**24) for one in (OWNER, STRANGER)}
        self.chain = MemoryChain([Deployment("Notes", Notes)], balances)


@pytest.fixture(scope="module")
def scenario() -> NotesScenario:
    made = NotesScenario()
    for who, value in ((OWNER, 7), (STRANGER, 30), (STRANGER, 8)):
        assert made.send(who, "write", value, contract=Notes).status == 1
    return made


def ask(
    scenario: Scenario, who: Person | None, method: str, *arguments: Any, keys: bool = True
) -> Any:
    chain = scenario.chain
    data = calldata(Notes, method, *arguments)
    query = Query(Notes.ADDRESS, data, signer=None if who is None else who.address)
    held = chain.keys if keys else None
    output = call(chain.state(), chain.block, chain.contracts, held, query)
    return decode(["uint256"], output)[0]


def test_each_reads_his_own_and_nobody_reads_nothing(scenario: NotesScenario) -> None:
    assert (ask(scenario, OWNER, "mine"), ask(scenario, STRANGER, "mine")) == (7, 8)
    assert ask(scenario, None, "sum") == 45
    with pytest.raises(Anonymous):
        ask(scenario, None, "mine")
    with pytest.raises(Anonymous):
        scenario.chain.ask(Notes.ADDRESS, calldata(Notes, "mine"), OWNER.address)


def test_without_keys_a_view_is_for_an_enclave_whatever_it_makes_of_that(
    scenario: NotesScenario,
) -> None:
    for method in ("sum", "swallows", "whisper"):
        with pytest.raises(AsksSecrets):
            ask(scenario, None, method, keys=False)
    # What is public or refused to all is answered where it is asked.
    assert ask(scenario, None, "written", keys=False) == 3
    with pytest.raises(Anonymous):
        ask(scenario, None, "mine", keys=False)
    with pytest.raises(KeyUseRefused):
        ask(scenario, None, "lucky", keys=False)


def test_a_query_writes_its_way_to_no_secret(scenario: NotesScenario) -> None:
    for who in (OWNER, None):
        with pytest.raises(NoStateKeys) as refused:
            ask(scenario, who, "enter")
        assert type(refused.value) is NoStateKeys, "an enclave would not open it either"
        with pytest.raises(ReadOnly):
            ask(scenario, who, "rewrite")
        with pytest.raises(KeyUseRefused):
            ask(scenario, who, "lucky")
    with pytest.raises(ForFriends):
        ask(scenario, OWNER, "whisper")


def test_who_watches_may_stop_a_query(scenario: NotesScenario) -> None:
    seen = []

    def watch() -> None:
        seen.append(None)
        if len(seen) > 50:
            raise ReadOnly

    chain = scenario.chain
    query = Query(Notes.ADDRESS, calldata(Notes, "spin", 10**6))
    with pytest.raises(ReadOnly):
        call(chain.state(), chain.block, chain.contracts, chain.keys, query, watch)
    assert len(seen) < 60


def test_estimates_of_confidential_methods_tell_nothing(scenario: NotesScenario) -> None:
    chain = scenario.chain

    def gas(method: str, *arguments: Any) -> int:
        query = Query(Notes.ADDRESS, calldata(Notes, method, *arguments), claimed=OWNER.address)
        return estimate(chain.state(), chain.block, chain.contracts, query)

    receipt = scenario.send(OWNER, "write", 7, contract=Notes)
    assert receipt.gas_used <= gas("write", 7) < 2 * receipt.gas_used
    # It fails behind a secret, of which the estimate knows nothing: it may well succeed.
    assert gas("whisper") > UNSEEN_GAS


# -- the leash


def leash(scenario: Scenario, query: SignedQuery) -> None:
    chain = scenario.chain
    check_leash(query, chain.state(), chain.block, chain.tip.hash)


def made(scenario: Scenario, **changes: Any) -> SignedQuery:
    return signed(OWNER, scenario.chain.block, scenario.chain.tip.hash, "mine", **changes)


def test_it_counts_at_the_block_that_its_sender_knew_and_for_a_while(
    scenario: NotesScenario,
) -> None:
    query = made(scenario, reach=2)
    leash(scenario, query)
    for _ in range(2):
        scenario.send(STRANGER, "write", 8, contract=Notes)
        leash(scenario, query)
    scenario.send(STRANGER, "write", 8, contract=Notes)
    with pytest.raises(LeashBroken, match="it is for blocks"):
        leash(scenario, query)


def test_it_counts_on_no_other_chain_and_no_older_state(scenario: NotesScenario) -> None:
    block, tip = scenario.chain.block, scenario.chain.tip
    before = scenario.chain.blocks[-2].header
    leash(scenario, made(scenario, block=before.height, block_hash=before.hash))
    with pytest.raises(LeashBroken, match="another hash"):
        leash(scenario, made(scenario, block=before.height, block_hash=tip.hash))
    with pytest.raises(LeashBroken, match="another hash"):
        leash(scenario, made(scenario, block_hash=Hash32(bytes(32))))
    with pytest.raises(LeashBroken, match="it is for blocks"):
        leash(scenario, made(scenario, block=Height(block.height + 1)))
    leash(scenario, made(scenario, reach=MAX_REACH))
    with pytest.raises(LeashBroken, match="at most 256"):
        leash(scenario, made(scenario, reach=MAX_REACH + 1))


def test_any_transaction_of_its_sender_ends_it(scenario: NotesScenario) -> None:
    nonce = scenario.chain.state().account(OWNER.address).nonce
    query = made(scenario, nonce=Nonce(nonce))
    leash(scenario, query)
    scenario.send(OWNER, "write", 7, contract=Notes)
    with pytest.raises(LeashBroken, match="by now"):
        leash(scenario, query)
