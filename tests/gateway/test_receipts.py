"""A receipt is given once the header after its block proves it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keymoot.gateway import transactions
from tests.engine.parts import Machine, transfer
from tests.runtime.people import OWNER


async def test_what_is_seen_in_a_block_has_a_receipt(tmp_path: Path) -> None:
    """`cast receipt` looks at blocks, asks once for what it finds there, and else gives up."""
    machine = Machine(tmp_path / "data")
    await machine.settle()
    running = asyncio.create_task(machine.engine.run())
    services: Any = SimpleNamespace(ledger=machine.ledger)
    for nonce in range(3):
        name = await machine.ledger.submit(transfer(OWNER, nonce))
        assert await machine.ledger.wait_final(name, 60)
        seen = await transactions.by_hash(services, [name.hex0x])
        receipt = await transactions.receipt(services, [name.hex0x])
        assert receipt["status"] == "0x1"
        assert receipt["blockNumber"] == seen["blockNumber"]
        assert int(receipt["blockNumber"], 16) < machine.ledger.provable_height()
    running.cancel()
    machine.close()


async def test_a_proof_that_does_not_come_is_waited_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "FINISH_SECONDS", 0.05)
    machine = Machine(tmp_path / "data")
    await machine.settle()
    name = await machine.ledger.submit(transfer(OWNER, 0))
    machine.engine._propose()
    await machine.engine.step()
    services: Any = SimpleNamespace(ledger=machine.ledger)
    assert await transactions.by_hash(services, [name.hex0x]) is not None
    assert await transactions.receipt(services, [name.hex0x]) is None
    # Nobody waits any more.
    assert not machine.ledger._waiters
    await machine.settle()
    assert await transactions.receipt(services, [name.hex0x]) is not None
    machine.close()
