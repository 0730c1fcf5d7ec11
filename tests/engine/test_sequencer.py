"""The sequencer: the founding, certificates, liars, silent and late replicas, tails, recovery."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keymoot.base.errors import Fault
from keymoot.base.units import Height
from keymoot.committee.certified import CertifiedHeader, verify
from keymoot.engine import sequencer, tail
from keymoot.runtime.outcome import outcome_digest
from tests.engine.committee import MemoryReplica, message, order, session
from tests.engine.house import PATIENCE_SECONDS, House
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER, STRANGER

pytestmark = pytest.mark.own_time

BEFORE = 10**24


@pytest.fixture
async def house(tmp_path: Path):
    made = House(tmp_path / "data")
    await made.found()
    yield made
    made.close()


@pytest.fixture
def unfounded(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    made.close()


def balance(house: House) -> int:
    return house.ledger.state().account(STRANGER.address).balance


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110  no event tells it
            await asyncio.sleep(0.01)


def blames(house: House, words: str) -> list[int]:
    return [seat for seat, _, said in house.blamed if words in said]


async def test_a_network_is_founded_and_then_certifies_every_block(house: House) -> None:
    record = house.ledger.founding_record()
    record.check(house.genesis)
    async with house.at_work():
        (found,) = await house.include(transfer(OWNER, 0))
    assert found.receipt.status == 1
    assert balance(house) == BEFORE + 1
    header, signature = house.ledger.certified(found.block.height)
    assert header == found.block.header
    verify(record.verifying_key, house.genesis.network, CertifiedHeader(header, signature))
    assert house.ledger.certified(Height(1)) == (house.ledger.header(Height(1)), None)
    assert house.ledger.certified(Height(3)) is None
    assert not house.blamed


async def test_until_the_record_only_messages_enter_and_nothing_is_on_disk(
    unfounded: House,
) -> None:
    house = unfounded
    house.lies[3].founding = True
    async with house.at_work() as running:
        name = await house.ledger.submit(transfer(OWNER, 0))
        await house.ledger.submit(message(house.genesis, 1))
        await until(lambda: bool(blames(house, "founding record")))
        assert blames(house, "founding record") == [3]
        assert house.ledger.height() == 0
        assert house.ledger.founding_record() is None
        # What happens meanwhile can be seen, and nothing is left of it after a crash.
        assert house.sequencer.working_state().root != house.ledger.first_root
        assert house.ledger.state().root == house.ledger.first_root
        house.lies[3].founding = False
        found = await house.included(name)
        assert found.block.height == 2
        assert not running.done()
    assert len(house.ledger.block(Height(1)).transactions) == 1


async def test_the_record_is_on_disk_before_a_replica_sees_it(unfounded: House) -> None:
    house = unfounded
    write = house.chain.write

    def slow(batch: object) -> None:
        assert not any(replica.certificates for replica in house.replicas.values())
        write(batch)

    house.chain.write = slow
    await house.found()
    async with house.at_work():
        await until(lambda: all(one.certificates for one in house.replicas.values()))


async def test_a_founding_that_was_killed_leaves_nothing_behind(unfounded: House) -> None:
    house = unfounded
    house.lies[3].founding = True
    async with house.at_work():
        await house.ledger.submit(message(house.genesis, 1))
        await until(lambda: bool(blames(house, "founding record")))
    house.lies[3].founding = False
    house.reopen()
    assert house.ledger.height() == 0
    await house.found()
    assert house.ledger.height() == 1


async def test_a_bad_share_is_named_and_left_out(house: House) -> None:
    house.lies[2].share = True
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
        await house.include(transfer(OWNER, 1))
    assert set(blames(house, "share")) <= {2}
    assert balance(house) == BEFORE + 2


async def test_bad_shares_are_named_even_where_too_few_are_good(house: House) -> None:
    house.lies[2].share = house.lies[4].share = True
    async with house.at_work():
        name = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: set(blames(house, "share")) == {2, 4})
        assert house.ledger.height() == 1
        house.lies[4].share = False
        await house.included(name)
    assert balance(house) == BEFORE + 1


async def test_another_hash_is_named_and_certifies_nothing(house: House) -> None:
    house.lies[1].hash = True
    async with house.at_work():
        for nonce in range(3):
            await house.include(transfer(OWNER, nonce))
    assert set(blames(house, "another hash")) <= {1}
    assert balance(house) == BEFORE + 3


async def test_nobody_waits_for_one_that_hangs(house: House) -> None:
    house.lies[4].silent = True
    async with house.at_work():
        for nonce in range(3):
            await house.include(transfer(OWNER, nonce))
    assert balance(house) == BEFORE + 3
    assert not any("execute 3" in call for call in house.replicas[4].calls)


async def test_too_few_shares_are_asked_for_again_until_they_come(house: House) -> None:
    house.lies[3].mute = house.lies[4].mute = True
    async with house.at_work() as running:
        name = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: house.replicas[3].calls.count("execute 2") > 2)
        assert not running.done()
        assert house.ledger.height() == 1
        assert house.ledger.transaction(name) is None
        assert house.ledger.waiting(name) is not None
        assert {height for _, height, _ in house.answers} == {1}
        house.lies[3].mute = False
        found = await house.included(name)
    assert found.block.height == 2
    assert balance(house) == BEFORE + 1


@pytest.mark.parametrize("kind", ["outcome", "beside"])
@pytest.mark.parametrize("liar", [1, 2, 3, 4])
async def test_an_outcome_that_f_others_do_not_confirm_is_refused_and_another_asked(
    house: House, kind: str, liar: int
) -> None:
    setattr(house.lies[liar], kind, True)
    async with house.at_work():
        for nonce in range(2):
            await house.include(transfer(OWNER, nonce))
    assert balance(house) == BEFORE + 2
    assert {seat for seat, *_ in house.blamed} <= {liar}
    assert house.chain.snapshot.get(b"a" + b"\xff" * 9) is None
    assert house.chain.snapshot.get(b"B" + b"\xff" * 9) is None


async def test_the_liar_that_gives_the_outcome_first_is_named(house: House) -> None:
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
        # Whoever executed first gives it; all others only digests.
        for seat in (1, 2, 3):
            house.lies[seat].busy = 1
        house.lies[4].outcome = True
        await house.include(transfer(OWNER, 1))
        await house.include(transfer(OWNER, 2))
    assert set(blames(house, "another outcome")) == {4}
    assert balance(house) == BEFORE + 3


async def test_a_digest_that_differs_does_no_harm(house: House) -> None:
    house.lies[3].digest = True
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
    assert balance(house) == BEFORE + 1


async def test_what_writes_beside_the_state_is_refused_though_all_say_it(house: House) -> None:
    for lies in house.lies.values():
        lies.beside = True
    async with house.at_work():
        name = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: bool(blames(house, "beside the state")))
        assert house.ledger.height() == 1
        for lies in house.lies.values():
            lies.beside = False
        await house.included(name)
    assert house.chain.snapshot.get(b"B" + b"\xff" * 9) is None


async def test_one_replica_alone_is_believed(tmp_path: Path) -> None:
    house = House(tmp_path / "data")
    await house.found()
    # The others are on other machines: only their shares come, as of one that gives nothing else.
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
        await until(lambda: all(one.certified == 2 for one in house.replicas.values()))
        for seat in (2, 3, 4):
            house.lies[seat].over, house.lies[seat].at = Fault("gone"), "certify"
        name = await house.ledger.submit(transfer(OWNER, 1))
        await house.included(name)
    assert sorted(seat for seat, _ in house.lost) == [2, 3, 4]
    assert balance(house) == BEFORE + 2
    house.close()


async def test_a_replica_that_is_over_is_named_and_another_start_takes_its_seat(
    house: House,
) -> None:
    async with house.at_work():
        house.lies[4].over = Fault("its start is over")
        await house.include(transfer(OWNER, 0))
        await until(lambda: bool(house.lost))
        assert [(seat, str(why)) for seat, why in house.lost] == [(4, "its start is over")]
        house.lies[4].over = None
        house.lies[3].silent = True
        anew = MemoryReplica(4, house.replicas[1].chained, Height(1), house.lies[4])
        house.sequencer.seat(anew)
        # Without it there are not enough: it has caught up from the disk.
        await house.include(transfer(OWNER, 1))
    assert anew.calls[:4] == ["execute 2", "certify 2", "execute 3", "certify 3"]


async def test_a_replica_that_is_behind_catches_up_block_by_block(house: House) -> None:
    async with house.at_work():
        for nonce in range(5):
            await house.include(transfer(OWNER, nonce))
        late = MemoryReplica(4, house.replicas[1].chained, Height(2), house.lies[4])
        house.sequencer.seat(late)
        await until(lambda: late.certified == 6)
    wanted = [f"{what} {height}" for height in range(3, 7) for what in ("execute", "certify")]
    assert late.calls == wanted


async def test_one_that_cannot_now_is_asked_again(house: House) -> None:
    for lies in house.lies.values():
        lies.busy = 3
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
    assert not house.lost


async def test_shares_that_come_late_certify_a_tail_from_below(house: House) -> None:
    for lies in house.lies.values():
        lies.mute = True
    async with house.at_work():
        paid = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: house.sequencer.tail.top == 2)
        await grow(house, 3, 6)
        # Who is not a node waits: nothing of theirs stands on what is not certified.
        user = await house.ledger.submit(transfer(AGENT, 0))
        assert house.ledger.height() == 1
        for lies in house.lies.values():
            lies.mute = False
        assert (await house.included(paid)).block.height == 2
        assert (await house.included(user)).block.height == 7
    assert balance(house) == BEFORE + 2


async def grow(house: House, first: int, last: int) -> None:
    """Put a block with one message above the others, so often."""
    for height in range(first, last + 1):
        body = height.to_bytes(2, "big")
        await house.ledger.submit(message(house.genesis, height % 4 + 1, body=body))
        await until(lambda top=height: house.sequencer.tail.top == top)


async def test_an_orders_certificate_covers_a_hundred_blocks_in_one_write(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = []
    write = house.chain.write
    monkeypatch.setattr(house.chain, "write", lambda batch: (writes.append(batch), write(batch)))
    for lies in house.lies.values():
        lies.unnamed = True
    recover = order(house.chain)
    async with house.at_work():
        paid = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: house.sequencer.tail.top == 2)
        await grow(house, 3, 101)
        await house.ledger.submit(recover)
        found = await house.included(paid)
        assert found.block.height == 2
        assert house.ledger.height() == 102
        assert len(writes) == 1
        generation = house.ledger.header(Height(102)).generation
        assert generation != house.ledger.header(Height(101)).generation
        assert house.ledger.certified(Height(2))[0].height == 102
        # It goes on in the new generation.
        (more,) = await house.include(transfer(OWNER, 1))
        assert more.block.header.generation == generation
    # All of the hundred can be undone, one by one.
    assert house.ledger.state_at(Height(1)).account(STRANGER.address).balance == BEFORE
    assert house.ledger.state_at(Height(2)).account(STRANGER.address).balance == BEFORE + 1


async def test_an_order_that_the_ledger_refuses_begins_nothing(house: House) -> None:
    refused = order(house.chain, (1, 2))
    with pytest.raises(Exception, match="a recovery"):
        await house.ledger.submit(refused)
    assert session(1) != session(1, 1)


async def test_digests_are_of_the_bytes_that_everyone_gives(house: House) -> None:
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
        one, two = house.replicas[1], house.replicas[2]
        await until(lambda: one.certified == two.certified == 2)
        raw = await one.outcome(Height(2), digest=False)
        assert await two.outcome(Height(2), digest=True) == outcome_digest(raw)


async def test_a_tail_that_is_full_waits_and_an_order_still_enters(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MAX_TAIL_BLOCKS", 5)
    for lies in house.lies.values():
        lies.unnamed = True
    recover = order(house.chain)
    async with house.at_work() as running:
        paid = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: house.sequencer.tail.top == 2)
        await grow(house, 3, 6)
        # No block is made above these, whoever speaks; and nobody was told of any.
        late = await house.ledger.submit(message(house.genesis, 1, body=b"late"))
        asked = house.replicas[3].calls.count("execute 6")
        await until(lambda: house.replicas[3].calls.count("execute 6") > asked + 2)
        assert house.sequencer.tail.top == 6
        assert not running.done()
        assert house.ledger.height() == 1
        assert {height for _, height, _ in house.answers} == {1}
        # But for the order: were it to wait too, nobody could ever certify what it waits for.
        await house.ledger.submit(recover)
        assert (await house.included(paid)).block.height == 2
        assert house.ledger.waiting(late) is not None or house.ledger.transaction(late)
        await house.include(transfer(OWNER, 1))
    assert balance(house) == BEFORE + 2


async def test_a_full_tail_goes_on_when_shares_come(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MAX_TAIL_BLOCKS", 64)
    house.lies[3].silent = house.lies[4].silent = True
    monkeypatch.setattr(sequencer, "EXTEND_SECONDS", 0.0)
    async with house.at_work():
        paid = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: house.sequencer.tail.top == 2)
        await grow(house, 3, 65)
        user = await house.ledger.submit(transfer(AGENT, 0))
        late = await house.ledger.submit(message(house.genesis, 1, body=b"late"))
        assert house.ledger.height() == 1
        for seat in (3, 4):
            house.thaw(seat)
        assert (await house.included(paid)).block.height == 2
        assert (await house.included(user)).block.height > 65
        assert (await house.included(late)).block.height > 65
    assert balance(house) == BEFORE + 2
