"""Questions over many blocks are answered in steps, and the ledger goes on between them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keymoot.gateway import jsonrpc, logs
from keymoot.gateway.errors import RpcError
from keymoot.gateway.limits import Payer, Rate
from keymoot.gateway.logs import Filters
from keymoot.gateway.methods import Method, method_table
from keymoot.gateway.services import NodeInfo, Services
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import OWNER

BLOCKS = 24


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with founded(tmp_path / "data") as made:
        for nonce in range(BLOCKS):
            await made.ledger.submit(transfer(OWNER, nonce))
            await made.settle()
        assert made.height >= BLOCKS
        yield made


@pytest.fixture
def methods(house: House) -> dict[str, Method]:
    info = NodeInfo("test", simulated=True, seats=lambda: ())
    services = Services(house.ledger, None, None, info, None)  # type: ignore[arg-type]
    return method_table(services, Filters(time.monotonic))


async def turns_beside(work) -> tuple[int, object]:
    """Count how often others have their turn while something is answered."""
    task, turns = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return turns, await task


async def log_filter(methods: dict[str, Method]) -> list[object]:
    return [await methods["eth_newFilter"]([{"fromBlock": "earliest"}])]


PLAIN: dict[str, list] = {
    "eth_getLogs": [{"fromBlock": "0x1", "toBlock": "latest"}],
    "eth_feeHistory": [BLOCKS, "latest", []],
}


@pytest.mark.parametrize("name", PLAIN)
async def test_a_long_answer_leaves_others_their_turn(methods, name) -> None:
    turns, _ = await turns_beside(methods[name](PLAIN[name]))
    assert turns >= BLOCKS


async def test_a_filter_does_so_too(methods) -> None:
    turns, _ = await turns_beside(methods["eth_getFilterLogs"](await log_filter(methods)))
    assert turns >= BLOCKS


async def test_and_a_batch_of_short_ones(methods) -> None:
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}] * 50
    payer = Payer(Rate(time.monotonic), "somebody")
    answering = jsonrpc.answer(methods, json.dumps(calls).encode(), lambda *_: None, payer)
    turns, raw = await turns_beside(answering)
    assert turns >= 50
    assert len(json.loads(raw)) == 50


async def test_one_is_answered_at_a_time(methods) -> None:
    several = [methods["eth_getLogs"](PLAIN["eth_getLogs"]) for _ in range(10)]
    turns, found = await turns_beside(asyncio.gather(*several))
    assert turns >= 10 * BLOCKS
    assert len(found) == 10


async def test_who_asks_too_much_keeps_nobody_waiting(methods, monkeypatch) -> None:
    monkeypatch.setattr(logs, "MAX_LOGS", -1)
    for _ in range(2):
        with pytest.raises(RpcError, match="cut it up"):
            await asyncio.wait_for(methods["eth_getLogs"](PLAIN["eth_getLogs"]), 60)
