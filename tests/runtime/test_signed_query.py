"""A signed query opens to its signer what a view would, and only near the block that he knew."""

from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, Nonce, Wei
from keymoot.contracts.errors import Anonymous, KeyUseRefused
from keymoot.crypto.signed_query import SignedQuery
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.leash import MAX_REACH, LeashBroken, check_leash
from keymoot.runtime.query import UNSEEN_GAS, AsksSecrets, Query, call, estimate
from keymoot.store.errors import NoStateKeys, ReadOnly
from tests.contracts.notes import ForFriends, Notes, signed
from tests.runtime.people import OWNER, STRANGER, Person, Play, calldata


class NotesPlay(Play):
    def __post_init__(self) -> None:
        balances = {one.address: Wei(10**24) for one in (OWNER, STRANGER)}
        self.chain = MemoryChain({Notes.ADDRESS: Notes()}, balances)


@pytest.fixture(scope="module")
def play() -> NotesPlay:
    made = NotesPlay()
    for who, value in ((OWNER, 7), (STRANGER, 30), (STRANGER, 8)):
        assert made.send(who, "write", value, contract=Notes).status == 1
    return made


def ask(play: Play, who: Person | None, method: str, *arguments: Any, keys: bool = True) -> Any:
    chain = play.chain
    data = calldata(Notes, method, *arguments)
    query = Query(Notes.ADDRESS, data, signer=None if who is None else who.address)
    held = chain.keys if keys else None
    output = call(chain.state(), chain.block, chain.contracts, held, query)
    return decode(["uint256"], output)[0]


def test_each_reads_his_own_and_nobody_reads_nothing(play: NotesPlay) -> None:
    assert (ask(play, OWNER, "mine"), ask(play, STRANGER, "mine")) == (7, 8)
    assert ask(play, None, "sum") == 45
    with pytest.raises(Anonymous):
        ask(play, None, "mine")
    with pytest.raises(Anonymous):
        play.chain.ask(Notes.ADDRESS, calldata(Notes, "mine"), OWNER.address)


def test_without_keys_a_view_is_for_an_enclave_whatever_it_makes_of_that(play: NotesPlay) -> None:
    for method in ("sum", "swallows", "whisper"):
        with pytest.raises(AsksSecrets):
            ask(play, None, method, keys=False)
    # What is public or refused to all is answered where it is asked.
    assert ask(play, None, "written", keys=False) == 3
    with pytest.raises(Anonymous):
        ask(play, None, "mine", keys=False)
    with pytest.raises(KeyUseRefused):
        ask(play, None, "lucky", keys=False)


def test_a_query_writes_its_way_to_no_secret(play: NotesPlay) -> None:
    for who in (OWNER, None):
        with pytest.raises(NoStateKeys) as refused:
            ask(play, who, "enter")
        assert type(refused.value) is NoStateKeys, "an enclave would not open it either"
        with pytest.raises(ReadOnly):
            ask(play, who, "rewrite")
        with pytest.raises(KeyUseRefused):
            ask(play, who, "lucky")
    with pytest.raises(ForFriends):
        ask(play, OWNER, "whisper")


def test_who_watches_may_stop_a_query(play: NotesPlay) -> None:
    seen = []

    def watch() -> None:
        seen.append(None)
        if len(seen) > 50:
            raise ReadOnly

    chain = play.chain
    query = Query(Notes.ADDRESS, calldata(Notes, "spin", 10**6))
    with pytest.raises(ReadOnly):
        call(chain.state(), chain.block, chain.contracts, chain.keys, query, watch)
    assert len(seen) < 60


def test_estimates_of_confidential_methods_tell_nothing(play: NotesPlay) -> None:
    chain = play.chain

    def gas(method: str, *arguments: Any) -> int:
        query = Query(Notes.ADDRESS, calldata(Notes, method, *arguments), claimed=OWNER.address)
        return estimate(chain.state(), chain.block, chain.contracts, query)

    receipt = play.send(OWNER, "write", 7, contract=Notes)
    assert receipt.gas_used <= gas("write", 7) < 2 * receipt.gas_used
    # It fails behind a secret, of which the estimate knows nothing: it may well succeed.
    assert gas("whisper") > UNSEEN_GAS


# -- the leash


def leash(play: Play, query: SignedQuery) -> None:
    chain = play.chain
    check_leash(query, chain.state(), chain.block, chain.tip.hash)


def made(play: Play, **changes: Any) -> SignedQuery:
    return signed(OWNER, play.chain.block, play.chain.tip.hash, "mine", **changes)


def test_it_counts_at_the_block_that_its_sender_knew_and_for_a_while(play: NotesPlay) -> None:
    query = made(play, reach=2)
    leash(play, query)
    for _ in range(2):
        play.send(STRANGER, "write", 8, contract=Notes)
        leash(play, query)
    play.send(STRANGER, "write", 8, contract=Notes)
    with pytest.raises(LeashBroken, match="it is for blocks"):
        leash(play, query)


def test_it_counts_on_no_other_chain_and_no_older_state(play: NotesPlay) -> None:
    block, tip = play.chain.block, play.chain.tip
    before = play.chain.blocks[-2].header
    leash(play, made(play, block=before.height, block_hash=before.hash))
    with pytest.raises(LeashBroken, match="another hash"):
        leash(play, made(play, block=before.height, block_hash=tip.hash))
    with pytest.raises(LeashBroken, match="another hash"):
        leash(play, made(play, block_hash=Hash32(bytes(32))))
    with pytest.raises(LeashBroken, match="it is for blocks"):
        leash(play, made(play, block=Height(block.height + 1)))
    leash(play, made(play, reach=MAX_REACH))
    with pytest.raises(LeashBroken, match="at most 256"):
        leash(play, made(play, reach=MAX_REACH + 1))


def test_any_transaction_of_its_sender_ends_it(play: NotesPlay) -> None:
    nonce = play.chain.state().account(OWNER.address).nonce
    query = made(play, nonce=Nonce(nonce))
    leash(play, query)
    play.send(OWNER, "write", 7, contract=Notes)
    with pytest.raises(LeashBroken, match="by now"):
        leash(play, query)
