"""Answers come together: enough of them, on disk before they leave, and asked for again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestBound, RequestDecided
from keymoot.enclave.answer import RequestAnswer
from keymoot.node.answers import share_collector
from keymoot.node.answers.response_cache import ResponseCache
from keymoot.node.answers.signing_material import SigningMaterial
from tests.node.answers.house import ECDSA, OTHER, PATIENCE, REQUEST, House, good, no, scenario

SIGNED = SigningMaterial(Height(7), UnixSeconds(10**6), 3, 3, frozenset({1, 2, 3}))
VAULT = SigningMaterial(Height(7), UnixSeconds(10**6), 1, 1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_answers_are_given_once_there_are_enough_whoever_lies(house: House) -> None:
    async def story() -> None:
        waiting = asyncio.create_task(house.of())
        for seat in (1, 2, 4):
            await asyncio.sleep(0)
            assert not waiting.done()
            house.handle(seat)
        assert sorted(await waiting) == [1, 2, 4]
        assert sorted(house.on_disk()) == [1, 2, 4]
        assert house.asked == []

    scenario(house, story)


def test_whoever_is_late_is_not_waited_for_and_is_added_when_it_comes(house: House) -> None:
    async def story() -> None:
        house.handle(1)
        house.handle(2)
        assert sorted(await house.of()) == [1, 2]
        assert house.asked == []
        house.handle(3)
        while sorted(await house.of()) != [1, 2, 3]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while sorted(house.on_disk()) != [1, 2, 3]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    scenario(house, story)


def test_who_rests_is_asked_as_soon_as_the_others_are_too_few(house: House) -> None:
    async def story() -> None:
        waiting = asyncio.create_task(house.of())
        house.handle(3, no("RESTS"))
        house.handle(1)
        house.handle(4, no())
        await asyncio.sleep(0.01)
        assert house.asked == []
        assert not waiting.done()
        house.again = [(3, [good(3)]), (1, [good(1)]), (2, [good(2)]), (4, [no()])]
        house.handle(2)
        found = await waiting
        assert house.asked == [[REQUEST]]
        assert sorted(seat for seat, one in found.items() if not one.code) == [1, 2, 3]
        assert found[4].code == "NOT_HELD"

    scenario(house, story)


def test_who_rests_is_asked_where_one_hangs_and_another_has_nothing(house: House) -> None:
    async def story() -> None:
        house.handle(3, no("RESTS"))
        house.handle(1)
        house.handle(4, no())
        house.again = [(3, [good(3)]), (1, [good(1)]), (4, [no()])]
        begun = asyncio.get_running_loop().time()
        found = await house.of()
        assert house.asked == [[REQUEST]]
        assert sorted(seat for seat, one in found.items() if not one.code) == [1, 3]
        # Not only when everybody's time is over.
        assert asyncio.get_running_loop().time() - begun < share_collector.SILENT_SECONDS

    scenario(house, story)


def test_who_rests_is_not_asked_where_the_others_are_enough(house: House) -> None:
    async def story() -> None:
        house.handle(3, no("RESTS"))
        for seat in (1, 2, 4):
            house.handle(seat)
        assert {seat: one.code for seat, one in (await house.of()).items()} == dict.fromkeys(
            (1, 2, 4), ""
        )
        assert house.asked == []

    scenario(house, story)


def test_no_more_is_kept_than_is_enough_whoever_lies(house: House) -> None:
    async def story() -> None:
        for seat in (4, 2, 1, 3):
            house.handle(seat)
        first = await house.of()
        assert sorted(first) == [1, 2, 4]
        written: list[object] = []
        house.store.write = written.append  # type: ignore[method-assign]
        house.handle(3)
        await asyncio.sleep(0.05)
        assert await house.of() == first == house.on_disk()
        assert written == []

    scenario(house, story)


def test_answers_that_came_before_the_block_was_written_are_in_the_same_write(
    house: House, monkeypatch
) -> None:
    monkeypatch.setattr(share_collector, "LATE_SECONDS", 0.2)
    bound, waited, decided = RequestBound.topic(), Hash32(b"w" * 32), RequestDecided.topic()
    logs = [
        SimpleNamespace(address=Wallets.ADDRESS, topics=[topic, b"", b"", bytes(name)])
        for topic, name in ((decided, REQUEST), (bound, REQUEST), (bound, waited), (decided, OTHER))
    ]
    outcome = SimpleNamespace(receipts=[SimpleNamespace(logs=logs)])
    time = UnixSeconds(ECDSA.until - REMEMBERED_SECONDS)
    block = SimpleNamespace(header=SimpleNamespace(time=time))
    covered = SimpleNamespace(blocks=[SimpleNamespace(outcome=outcome, block=block)])

    async def story() -> None:
        told = [
            (1, [good(1), good(1, OTHER), good(1, waited)]),
            (2, [good(2), good(2), no()]),
            (4, [no()]),
        ]
        house.store.write(house.made.beside(covered, told))
        with house.store.snapshot() as table:
            assert [key[9:] for key, _ in table.scan(b"S", b"S")] == [REQUEST]
        assert sorted(house.on_disk()) == [1, 2]
        writes, write = [], house.store.write
        monkeypatch.setattr(
            house.store, "write", lambda batch: (writes.append(batch), write(batch))
        )
        house.handle(1)
        house.handle(2)
        waiting = asyncio.create_task(house.of())
        await asyncio.sleep(0)
        assert not waiting.done()
        house.handle(3)
        # The third leaves with the two that are on disk, and is written down later.
        assert sorted(await waiting) == [1, 2, 3]
        assert writes == []
        while sorted(house.on_disk()) != [1, 2, 3]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(writes) == 1
        assert sorted(await house.of()) == [1, 2, 3]

    scenario(house, story)


def test_where_all_have_said_something_nobody_else_is_waited_for(house: House, monkeypatch) -> None:
    monkeypatch.setattr(share_collector, "GRACE_SECONDS", PATIENCE)

    async def story() -> None:
        house.handle(1)
        house.handle(2, no())
        house.handle(3)
        house.handle(4, no())
        found = await house.of()
        assert {seat: one.code for seat, one in found.items()} == {
            1: "",
            2: "NOT_HELD",
            3: "",
            4: "NOT_HELD",
        }
        assert sorted(house.on_disk()) == [1, 3]

    scenario(house, story)


def test_too_few_are_asked_for_once_more(house: House) -> None:
    async def story() -> None:
        for seat in (1, 2, 3, 4):
            house.handle(seat, good(seat) if seat == 1 else no())
        house.again = [(2, [good(2)]), (3, [no()])]
        assert {seat for seat, one in (await house.of()).items() if not one.code} == {1, 2}
        assert house.asked == [[REQUEST]]

    scenario(house, story)


def test_who_fetches_often_has_enclaves_asked_seldom(house: House) -> None:
    async def story() -> None:
        for seat in (1, 2, 3, 4):
            house.handle(seat, no())
        for _ in range(20):
            assert all(one.code for one in (await house.of()).values())
        assert house.asked == [[REQUEST]]

    scenario(house, story)


def test_silent_ones_are_asked_after_a_while(house: House, monkeypatch) -> None:
    monkeypatch.setattr(share_collector, "SILENT_SECONDS", 0.05)

    async def story() -> None:
        house.handle(1)
        house.again = [(3, [good(3)])]
        assert sorted(await house.of()) == [1, 3]

    scenario(house, story)


def test_named_signers_are_waited_for_and_what_there_is_is_given_then(
    tmp_path, monkeypatch
) -> None:
    house = House(tmp_path, SIGNED)
    monkeypatch.setattr(share_collector, "SILENT_SECONDS", 0.05)

    async def story() -> None:
        house.handle(1)
        house.handle(2)
        house.handle(4, no("NOT_A_SIGNER"))
        found = await house.of()
        assert {seat for seat, one in found.items() if not one.code} == {1, 2}
        # What leaves is on disk, also where it is too little.
        assert sorted(house.on_disk()) == [1, 2]
        house.handle(3)
        while 3 not in await house.of():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    scenario(house, story)


def test_the_first_answer_of_a_seat_counts(house: House) -> None:
    async def story() -> None:
        house.handle(1)
        house.handle(1, RequestAnswer(REQUEST, b"another", b"s"), no())
        house.handle(2)
        house.handle(3)
        assert (await house.of())[1] == good(1)

    scenario(house, story)


def test_in_vault_the_first_one_stays_the_answer(tmp_path: Path) -> None:
    house = House(tmp_path, VAULT)

    async def story() -> None:
        house.handle(3)
        assert await house.of() == {3: good(3)}
        house.handle(1)
        await asyncio.sleep(0.05)
        assert await house.of() == {3: good(3)}
        assert house.on_disk() == {3: good(3)}

    scenario(house, story)


def test_what_another_start_wrote_is_given_again_and_nobody_is_asked(house: House) -> None:
    async def story() -> None:
        kept = {seat: good(seat) for seat in (1, 2)}
        await ResponseCache(house.store).keep({REQUEST: (ECDSA.until, kept)}, UnixSeconds(100))
        assert await house.of(0) == kept
        assert house.asked == []

    scenario(house, story)


def test_nothing_leaves_while_the_disk_takes_nothing(house: House, monkeypatch) -> None:
    monkeypatch.setattr(share_collector, "WRITE_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(share_collector, "SILENT_SECONDS", 0.05)
    write = house.store.write

    def refuse(_: object) -> None:
        raise CannotWrite("the ledger", 28)

    async def story() -> None:
        house.store.write = refuse  # type: ignore[method-assign]
        for seat in (1, 2, 3):
            house.handle(seat)
        with pytest.raises(CannotWrite):
            await house.of()
        house.store.write = write  # type: ignore[method-assign]
        assert sorted(await house.of()) == [1, 2, 3]

    scenario(house, story)


def test_what_nobody_asked_takes_no_memory(tmp_path: Path, monkeypatch) -> None:
    house = House(tmp_path, None)
    monkeypatch.setattr(share_collector, "MAX_HEARD", 3)

    async def story() -> None:
        house.handle(1, good(1), good(1, OTHER))
        assert house.made._heard == {}
        house.need = ECDSA
        for at in range(10):
            house.handle(1, good(1, Hash32(bytes([at]) * 32)))
        assert len(house.made._heard) == 3
        assert set(house.made._dirty) <= set(house.made._heard)

    scenario(house, story)
