"""Answers for a derived key: nothing was burned for them, so they leave before they are on disk."""

import asyncio
from pathlib import Path

from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixSeconds
from keymoot.node.answers import share_collector
from keymoot.node.answers.signing_material import SigningMaterial
from tests.node.answers.house import OTHER, House, good, scenario

QUESTION = SigningMaterial(Height(7), UnixSeconds(10**6), 3, 4, burns=False)


def test_answers_for_which_nothing_was_burned_leave_at_once_and_are_written_together(
    tmp_path: Path, monkeypatch
) -> None:
    house = House(tmp_path, QUESTION)
    writes, write = [], house.store.write
    monkeypatch.setattr(house.store, "write", lambda batch: (writes.append(batch), write(batch)))

    async def story() -> None:
        for seat in (1, 2, 3, 4):
            house.handle(seat, good(seat), good(seat, OTHER))
        assert sorted(await house.of()) == [1, 2, 3, 4]
        assert writes == []
        while sorted(house.on_disk()) != [1, 2, 3, 4]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert [len(batch) for batch in writes] == [2]
        assert sorted(await house.of()) == [1, 2, 3, 4]

    scenario(house, story)


def test_what_is_due_takes_with_it_what_would_be_due_later(tmp_path: Path, monkeypatch) -> None:
    house = House(tmp_path, QUESTION)
    writes, write = [], house.store.write
    monkeypatch.setattr(house.store, "write", lambda batch: (writes.append(batch), write(batch)))
    names = [Hash32(bytes([at]) * 32) for at in range(1, 9)]

    async def story() -> None:
        for name in names:
            for seat in (1, 2, 3, 4):
                house.handle(seat, good(seat, name))
            await asyncio.sleep(share_collector.LATE_SECONDS / 10)
        assert writes == []
        await asyncio.sleep(3 * share_collector.LATE_SECONDS)
        assert [len(batch) for batch in writes] == [len(names)]

    scenario(house, story)


def test_too_few_answers_for_which_nothing_was_burned_are_waited_for(tmp_path: Path) -> None:
    house = House(tmp_path, QUESTION)

    async def story() -> None:
        waiting = asyncio.create_task(house.of())
        for seat in (1, 2):
            house.handle(seat)
        await asyncio.sleep(0.01)
        assert not waiting.done()
        house.handle(3)
        assert sorted(await waiting) == [1, 2, 3]
        assert house.asked == []

    scenario(house, story)


def test_a_disk_that_takes_nothing_holds_no_derived_key_back(tmp_path: Path) -> None:
    house = House(tmp_path, QUESTION)

    def refuse(_: object) -> None:
        raise CannotWrite("the ledger", 28)

    async def story() -> None:
        house.store.write = refuse  # type: ignore[method-assign]
        for seat in (1, 2, 3, 4):
            house.handle(seat)
        assert sorted(await house.of()) == [1, 2, 3, 4]

    scenario(house, story)
