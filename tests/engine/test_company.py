"""While requests are being answered, the next block waits a little for more transactions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.engine import company
from tests.engine.parts import Machine, transfer
from tests.runtime.people import AGENT, OWNER, STRANGER

LONG, SHORT = 60.0, 0.3


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path / "data")
    await made.settle()
    task = asyncio.create_task(made.engine.run())
    yield made
    task.cancel()
    made.close()


async def included(machine: Machine, raw: bytes) -> int:
    """Submit, wait until a block holds it; give its height."""
    name = await machine.ledger.submit(raw)
    assert await machine.ledger.wait_final(name, 5)
    found = machine.ledger.transaction(name)
    assert found is not None
    return found.block.header.height


async def test_alone_it_waits_for_nobody(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    await included(machine, transfer(OWNER, 0))
    with machine.ledger.answering(Height(machine.height)):
        pass
    await included(machine, transfer(OWNER, 1))


async def test_those_who_come_meanwhile_share_a_block(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    before = machine.height
    with machine.ledger.answering(Height(machine.height)):
        waiting = [
            asyncio.create_task(included(machine, transfer(who, 0)))
            for who in (OWNER, AGENT, STRANGER)
        ]
        await asyncio.sleep(SHORT)
        assert machine.height == before
    heights = await asyncio.gather(*waiting)
    assert len(set(heights)) == 1
    block = machine.ledger.block(Height(heights[0]))
    assert block is not None
    assert len(block.transactions) == 3


async def test_a_step_under_way_leaves_the_next_block_to_wait_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    await machine.ledger.submit(transfer(OWNER, 0))
    machine.engine._propose()
    with machine.ledger.answering(Height(machine.height)):
        await machine.ledger.submit(transfer(AGENT, 0))
        await machine.engine.step()
        assert machine.engine._proposal is None


async def test_whoever_fetches_an_old_answer_makes_nobody_wait(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    bound = await included(machine, transfer(OWNER, 0))
    for nonce in range(1, 1 + company.RECENT_BLOCKS):
        await included(machine, transfer(OWNER, nonce))
    with machine.ledger.answering(Height(bound)):
        await included(machine, transfer(AGENT, 0))


async def test_nobody_waits_for_long(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", 0.01)
    with machine.ledger.answering(Height(machine.height)):
        await included(machine, transfer(OWNER, 0))
        await included(machine, transfer(OWNER, 1))


async def test_whoever_waits_for_a_proof_ends_the_waiting(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    with machine.ledger.answering(Height(machine.height)):
        name = await machine.ledger.submit(transfer(OWNER, 0))
        await asyncio.sleep(SHORT)
        assert machine.ledger.transaction(name) is None
        assert await machine.ledger.wait(name, 5)
        await machine.ledger.submit(transfer(OWNER, 1))
        await asyncio.sleep(SHORT)
        async with asyncio.timeout(5):
            await machine.ledger.new_block()


async def test_while_somebody_hurries_no_waiting_begins(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "COMPANY_SECONDS", LONG)
    with machine.engine.company.hurry(), machine.ledger.answering(Height(machine.height)):
        await included(machine, transfer(OWNER, 0))
