"""While requests are being answered, the next block waits a little for more transactions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.engine import block_delay
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER, STRANGER

pytestmark = pytest.mark.own_time

LONG, SHORT = 60.0, 0.3


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with founded(tmp_path / "data") as made, made.at_work():
        yield made


async def included(house: House, raw: bytes) -> int:
    """Submit, wait until a block holds it; give its height."""
    return (await house.included(await house.ledger.submit(raw))).block.height


async def test_alone_it_waits_for_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_delay, "COMPANY_SECONDS", LONG)
    await included(house, transfer(OWNER, 0))
    with house.ledger.answering(Height(house.height)):
        pass
    await included(house, transfer(OWNER, 1))


async def test_those_who_come_meanwhile_share_a_block(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_delay, "COMPANY_SECONDS", LONG)
    before = house.height
    with house.ledger.answering(Height(house.height)):
        waiting = [
            asyncio.create_task(included(house, transfer(who, 0)))
            for who in (OWNER, AGENT, STRANGER)
        ]
        await asyncio.sleep(SHORT)
        assert house.height == before
    heights = await asyncio.gather(*waiting)
    assert len(set(heights)) == 1
    block = house.ledger.block(Height(heights[0]))
    assert block is not None
    assert len(block.transactions) == 3


async def test_whoever_fetches_an_old_answer_makes_nobody_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_delay, "COMPANY_SECONDS", LONG)
    bound = await included(house, transfer(OWNER, 0))
    for nonce in range(1, 1 + block_delay.RECENT_BLOCKS):
        await included(house, transfer(OWNER, nonce))
    with house.ledger.answering(Height(bound)):
        await included(house, transfer(AGENT, 0))


async def test_nobody_waits_for_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_delay, "COMPANY_SECONDS", 0.01)
    with house.ledger.answering(Height(house.height)):
        await included(house, transfer(OWNER, 0))
        await included(house, transfer(OWNER, 1))
