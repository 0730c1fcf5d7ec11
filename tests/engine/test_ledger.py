"""The ledger as others see it: states of the past, blocks, certificates, waiting."""

import asyncio
from pathlib import Path

import pytest

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.engine import chain_store, undo
from keymoot.engine.ledger import NotIncluded
from keymoot.engine.undo import StateNotKept
from keymoot.runtime.inadmissible import Inadmissible
from keymoot.runtime.query import Query
from tests.engine.house import PATIENCE_SECONDS, House
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER, STRANGER, calldata

pytestmark = pytest.mark.own_time

BEFORE = 10**24


@pytest.fixture
async def house(tmp_path: Path):
    made = House(tmp_path / "data")
    await made.found()
    yield made
    made.close()


async def test_states_of_the_past_are_what_they_were(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undo, "KEPT_BLOCKS", 8)
    monkeypatch.setattr(chain_store, "KEPT_BLOCKS", 8)
    roots = {house.ledger.height(): house.ledger.state().root}
    async with house.at_work():
        for nonce in range(14):
            await house.include(transfer(OWNER, nonce))
            roots[house.ledger.height()] = house.ledger.state().root
    assert house.ledger.height() == 15
    assert house.ledger.oldest_state() == 7
    for height in range(7, 16):
        state = house.ledger.state_at(Height(height))
        assert state.root == roots[height] == house.ledger.header(Height(height)).state_root
        assert state.account(STRANGER.address).balance == BEFORE + height - 1
        assert state.account(OWNER.address).nonce == height - 1
        assert house.ledger.environment_at(Height(height)).height == height
    with pytest.raises(StateNotKept, match="from 7 to 15"):
        house.ledger.state_at(Height(6))
    with pytest.raises(StateNotKept):
        house.ledger.state_at(Height(16))


async def test_the_genesis_is_a_state_of_the_past_too(house: House) -> None:
    state = house.ledger.state_at(Height(0))
    assert state.root == house.ledger.first_root
    assert state.account(OWNER.address).balance == BEFORE
    assert house.ledger.block(Height(0)) is None
    assert house.ledger.height_of(Hash32(house.genesis.network)) == 0
    assert house.ledger.environment_at(Height(0)).seed == Hash32(house.genesis.network)


async def test_blocks_are_found_by_height_and_hash_and_lead_to_each_other(house: House) -> None:
    async with house.at_work():
        for nonce in range(3):
            await house.include(transfer(OWNER, nonce))
    parent = Hash32(house.genesis.network)
    for height in range(1, 5):
        block = house.ledger.block(Height(height))
        assert block.header.parent_hash == parent
        parent = block.header.hash
        assert house.ledger.height_of(parent) == height
        assert house.ledger.certified(Height(height))[0] == block.header
    assert house.ledger.height_of(keccak256(b"unknown")) is None
    assert house.ledger.block(Height(5)) is None
    assert house.ledger.certified(Height(5)) is None


async def test_a_transaction_is_found_with_its_receipt(house: House) -> None:
    async with house.at_work():
        one, two = await house.include(transfer(OWNER, 0), transfer(OWNER, 1))
    assert (one.index, two.index) == (0, 1)
    assert two.gas_before == one.receipt.gas_used == 21_000
    assert house.ledger.transaction(two.transaction.hash) == two
    assert house.ledger.receipts(two.block) == (one.receipt, two.receipt)
    assert house.ledger.transaction(keccak256(b"unknown")) is None


async def test_waiting_ends_when_time_is_up_and_leaves_nothing_behind(house: House) -> None:
    assert await house.ledger.wait(keccak256(b"unknown"), 0.01) is None
    assert not house.ledger._waiters
    async with house.at_work():
        waiting = asyncio.create_task(house.ledger.new_block())
        await house.include(transfer(OWNER, 0))
        assert (await waiting).height == 2
    assert not house.ledger._block_waiters


async def test_what_cannot_enter_its_block_after_all_tells_who_waits(house: House) -> None:
    first = await house.ledger.submit(transfer(OWNER, 0, value=10**24 - 10**17))
    with pytest.raises(Inadmissible, match="transactions that wait take up to"):
        await house.ledger.submit(transfer(OWNER, 1, value=10**17))
    # As if it had been checked a moment before.
    late = house.ledger.open(transfer(OWNER, 1, value=10**17))
    house.sequencer.mempool.add(late)
    async with house.at_work():
        waiting = asyncio.create_task(house.ledger.wait(late.hash, PATIENCE_SECONDS))
        await house.included(first)
        with pytest.raises(NotIncluded, match="insufficient funds"):
            await waiting
    assert house.ledger.transaction(late.hash) is None
    assert house.ledger.waiting(late.hash) is None


async def test_nonces_count_what_waits(house: House) -> None:
    await house.ledger.submit(transfer(OWNER, 0))
    await house.ledger.submit(transfer(OWNER, 1))
    assert house.ledger.pending_nonce(OWNER.address) == 2
    assert house.ledger.waiting_count() == 2
    with pytest.raises(Inadmissible, match="nonce too high"):
        await house.ledger.submit(transfer(OWNER, 70))
    async with house.at_work():
        (found,) = await house.include(transfer(OWNER, 2))
    assert found.block.height == 2
    assert house.ledger.pending_nonce(OWNER.address) == 3
    assert house.ledger.waiting_count() == 0
    with pytest.raises(Inadmissible, match="nonce too low"):
        await house.ledger.submit(transfer(OWNER, 2, value=5))


async def test_queries_see_the_block_that_they_name(house: House) -> None:
    query = Query(Wallets.ADDRESS, calldata(Wallets, "wallet", b"w" * 32))
    with pytest.raises(Refused):
        house.ledger.query(query, house.ledger.height())
    with pytest.raises(StateNotKept):
        house.ledger.query(query, Height(9))


async def test_time_never_goes_back(house: House) -> None:
    async with house.at_work():
        for nonce in range(4):
            house.clock.now -= 10**9 * nonce
            await house.include(transfer(OWNER, nonce))
    times = [house.ledger.header(Height(h)).time for h in range(1, 6)]
    assert times == sorted(times)
    house.clock.now -= 10**12
    assert house.ledger.now() == times[-1]


async def test_an_idle_network_makes_no_blocks_unless_it_is_told_to(house: House) -> None:
    async with house.at_work():
        await asyncio.sleep(0.2)
        assert house.ledger.height() == 1
    house.sequencer._idle_seconds = 0
    async with house.at_work():
        header = await house.ledger.new_block()
    assert header.gas_used == 0
    assert not house.ledger.block(header.height).transactions


async def test_a_block_waits_for_company_while_requests_are_answered(house: House) -> None:
    async with house.at_work():
        with house.ledger.answering(Height(1)):
            names = [await house.ledger.submit(transfer(OWNER, 0))]
            await asyncio.sleep(0.01)
            names.append(await house.ledger.submit(transfer(AGENT, 0)))
            found = [await house.included(name) for name in names]
    assert {one.block.height for one in found} == {2}
