"""Calls that need confidential state: the server asks an enclave, and has no secret itself."""

import asyncio
import gc
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Signature65
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, Height, Wei
from keymoot.contracts.builtin import registry
from keymoot.contracts.builtin.keys import Keys
from keymoot.contracts.framework.registry import Deployment
from keymoot.crypto import hpke
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.signed_query import REPLY_INFO, SignedQuery
from keymoot.crypto.transactions import signing_hash
from keymoot.enclave import frames
from keymoot.gateway import jsonrpc
from keymoot.gateway.errors import LIMIT_EXCEEDED, REJECTED, RESOURCE_UNAVAILABLE, REVERTED
from keymoot.gateway.limits import Payer, Rate
from keymoot.gateway.logs import Filters
from keymoot.gateway.methods import method_table
from keymoot.node.answers import queries
from keymoot.store.keys import StateKeys
from keymoot.testing.network import World
from keymoot.testing.process import MemoryProcess, Pace
from tests.contracts.notes import ForFriends, Notes, signed
from tests.node.stories import story
from tests.runtime.people import OWNER, STRANGER, Person, calldata

REPLY = Secret(b"r" * 32)

_numbers = count()


class Client:
    """Speaks JSON-RPC with a node in this process."""

    def __init__(self, world: World) -> None:
        self.world, services = world, world.node.services
        self.ledger = services.ledger
        self.methods = method_table(services, Filters(world.loop.time))
        self.rate = Rate(world.loop.time)

    async def rpc(self, method: str, *params: Any, who: str = "") -> Any:
        """Give the result, or the error object."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        payer = Payer(self.rate, who or f"client {next(_numbers)}")
        raw = await jsonrpc.answer(self.methods, json.dumps(question).encode(), _report, payer)
        found = json.loads(raw)
        return found["error"] if "error" in found else found["result"]

    async def call(self, data: bytes, when: Any = "latest", **fields: Any) -> Any:
        to = {"to": Notes.ADDRESS.hex0x, "data": "0x" + data.hex()}
        return await self.rpc("eth_call", to | fields, when)

    async def view(self, method: str, *arguments: Any, **fields: Any) -> Any:
        return await self.call(calldata(Notes, method, *arguments), **fields)

    async def number(self, method: str) -> int:
        found = await self.view(method)
        assert isinstance(found, str), found
        return int(found, 16)

    def sign(self, who: Person, method: str, **changes: Any) -> SignedQuery:
        tip = self.ledger.chain.tip
        return signed(who, self.ledger.block_environment(), tip.hash, method, **changes)

    async def write(self, who: Person, value: int) -> None:
        ledger = self.ledger
        nonce = ledger.pending_nonce(who.address)
        tx = EvmTransaction(
            DYNAMIC_FEE,
            ledger.genesis.chain_id,
            nonce,
            Wei(0),
            ledger.genesis.base_fee,
            Gas(300_000),
            Notes.ADDRESS,
            Wei(0),
            calldata(Notes, "write", value),
        )
        name = await ledger.submit(tx.signed_bytes(sign(who.key, signing_hash(tx))))
        included = await ledger.wait(name, 60)
        assert included is not None
        assert included.receipt.status == 1

    def asked(self) -> list[int]:
        """Count the queries of each enclave that runs."""
        return [one.asked.count(frames.QUERY) for one in self.processes]

    @property
    def processes(self) -> list[MemoryProcess]:
        return [self.world.process(one.seat) for one in self.world.enclaves.seats]


def _report(name: str, error: Exception) -> None:
    raise AssertionError(name) from error


@pytest.fixture(autouse=True)
def notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network has one contract more."""
    monkeypatch.setattr(registry, "BUILT_IN", (*registry.BUILT_IN, Deployment("Notes", Notes)))


@asynccontextmanager
async def running(world: World) -> AsyncIterator[Client]:
    async with world.running():
        client = Client(world)
        for who, value in ((OWNER, 7), (STRANGER, 38)):
            assert isinstance(await client.rpc("keymoot_faucet", who.address.hex0x), str)
            await client.write(who, value)
        yield client


@story
async def test_a_view_of_confidential_state_is_asked_of_an_enclave_and_no_public_one(
    world: World,
) -> None:
    async with running(world) as client:
        before = sum(client.asked())
        assert await client.number("written") == 2
        assert (await client.view("mine"))["code"] == REVERTED
        assert (await client.view("lucky"))["code"] == REVERTED
        refused = await client.call(calldata(Notes, "enter"), **{"from": OWNER.address.hex0x})
        assert "in a query to views" in refused["message"]
        for method in ("eth_estimateGas", "eth_call"):
            public = {"to": Keys.ADDRESS.hex0x, "data": "0x"}
            assert (await client.rpc(method, public))["code"] == REVERTED
        assert sum(client.asked()) == before, "public calls go to no enclave"

        # 1. Who asks is nobody, or who has signed it.
        assert await client.number("sum") == 45
        assert int(await client.call(client.sign(OWNER, "mine").encode()), 16) == 7
        assert int(await client.call(client.sign(STRANGER, "mine").encode()), 16) == 38
        # 2. In turn by all enclaves, which answer alike.
        for _ in range(5):
            assert await client.number("sum") == 45
        assert sum(client.asked()) == before + 8
        assert all(client.asked())
        # 3. A signed query of public state stays here.
        assert int(await client.call(client.sign(OWNER, "written").encode()), 16) == 2
        assert sum(client.asked()) == before + 8
        # 4. A refusal comes with its error data, as from any contract.
        told = await client.view("whisper")
        assert told["code"] == REVERTED
        assert told["data"] == "0x" + ForFriends(45).revert_data().hex()

        # 5. What was written is seen at once; no old state is read.
        height = client.ledger.height()
        await client.write(OWNER, 9)
        assert await client.number("sum") == 54
        old = await client.call(calldata(Notes, "sum"), when=hex(height))
        assert old["code"] == RESOURCE_UNAVAILABLE
        assert "as of the newest block only" in old["message"]
        exact = await client.call(calldata(Notes, "sum"), when=hex(client.ledger.height()))
        assert int(exact, 16) == 54

        # 6. Nobody signs for another, on another's calldata, or for ever.
        forged = client.sign(STRANGER, "mine", sender=OWNER.address)
        assert "is not signed by" in (await client.call(forged.encode()))["message"]
        ended = replace(client.sign(OWNER, "mine"), signature=Signature65(bytes(65)))
        assert (await client.call(ended.encode()))["code"] == -32602
        late = client.sign(OWNER, "mine", block=Height(1), reach=1)
        assert (await client.call(late.encode()))["code"] == REJECTED

        # 7. Sealed, for its asker alone; a public view too, since an enclave vouches for it.
        for method, value in (("mine", 9), ("written", 3)):
            sealed = client.sign(OWNER, method, reply_key=hpke.public_key(REPLY))
            output = bytes.fromhex((await client.call(sealed.encode()))[2:])
            _, content, _ = decode(["bytes32", "bytes", "bytes"], output)
            network = client.ledger.network
            name = sealed.digest(network, client.ledger.genesis.chain_id, Notes.ADDRESS)
            inner = hpke.open_with(REPLY, content, REPLY_INFO + network, name)
            content = decode(["bool", "uint64", "bytes32", "bytes", "bytes"], inner)
            fine, height, block, value_bytes, _ = content
            assert (fine, int.from_bytes(value_bytes, "big")) == (True, value)
            assert (height, block) == (client.ledger.height(), client.ledger.chain.tip.hash)

        # 8. Estimates need no enclave, and no proof of who asks.
        before = sum(client.asked())
        for data in (calldata(Notes, "write", 5), calldata(Notes, "sum")):
            found = await client.rpc(
                "eth_estimateGas",
                {"to": Notes.ADDRESS.hex0x, "data": "0x" + data.hex(), "from": OWNER.address.hex0x},
            )
            assert 21_000 < int(found, 16) < 300_000
        envelope = {
            "to": Notes.ADDRESS.hex0x,
            "data": "0x" + client.sign(OWNER, "mine").encode().hex(),
        }
        assert 21_000 < int(await client.rpc("eth_estimateGas", envelope), 16) < 300_000
        assert sum(client.asked()) == before


@story
async def test_an_enclave_that_ends_is_no_answer_and_the_next_is_asked(world: World) -> None:
    async with running(world) as client:
        # Each is stopped in the middle of a query, and killed there.
        asking = asyncio.ensure_future(client.number("sum"))
        processes = client.processes
        for one in processes:
            one.freeze()
        asking.cancel()
        await asyncio.wait({asking})
        asking = asyncio.ensure_future(client.number("sum"))

        def asked() -> MemoryProcess | None:
            now = zip(before, client.asked(), processes, strict=True)
            return next((one for old, new, one in now if new > old), None)

        before = client.asked()
        first = await world.until(asked)
        for one in processes:
            if one is not first:
                one.thaw()
        first.kill()
        assert await asking == 45


@story
async def test_without_an_enclave_that_executes_the_error_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(world) as client:
        monkeypatch.setattr(queries, "ASK_SECONDS", 0.2)
        for one in client.processes:
            one.freeze()
        silent = await client.view("sum")
        assert silent["code"] == REJECTED
        assert (
            "opens in an enclave, and none here answers now (not within 0.2 s)" in silent["message"]
        )
        for one in world.enclaves.seats:
            one._unseat()
        gone = await client.view("sum")
        assert "none of them executes yet" in gone["message"]
        assert await client.number("written") == 2


@story
async def test_who_comes_when_too_many_wait_is_told(world: World) -> None:
    async with running(world) as client:
        for one in client.processes:
            one.freeze()
        waiting = [asyncio.ensure_future(client.view("sum")) for _ in range(queries.MAX_WAITING)]
        await world.until(lambda: world.node.services.queries._waiting >= 16)
        busy = await client.view("sum")
        assert busy["code"] == LIMIT_EXCEEDED
        assert busy["message"].startswith("busy: 16 queries")
        assert await client.number("written") == 2
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        for one in client.processes:
            one.thaw()
        assert await client.number("sum") == 45


@story
async def test_who_asks_owes_the_time_that_enclaves_worked(world: World) -> None:
    async with running(world) as client:
        assert isinstance(await client.view("spin", 3_000_000), str)
        for one in client.processes:
            one.pace = Pace(work=(0.3, 0.3))
        question = {
            "to": Notes.ADDRESS.hex0x,
            "data": "0x" + calldata(Notes, "spin", 3_000_000).hex(),
        }
        found = "0x"
        for _ in range(20):
            found = await client.rpc("eth_call", question, who="the same")
            if not isinstance(found, str):
                break
        assert not isinstance(found, str)
        assert found["message"] == "too many calls: wait a second"


@story
async def test_the_server_holds_no_key_of_the_state(world: World) -> None:
    async with running(world) as client:
        assert await client.number("sum") == 45
        enclaves = {id(one.enclave) for one in client.processes}
        assert len(enclaves) == 4
        server = world.node.services
        held = [one for one in gc.get_objects() if isinstance(one, StateKeys) and one.names()]
        assert held, "the enclaves of this process have it"
        reachable, waiting = set(), [server.ledger, server.queries._turn, server.queries]
        while waiting:
            one = waiting.pop()
            if id(one) in reachable or isinstance(one, type | threading.Thread):
                continue
            reachable.add(id(one))
            if type(one).__module__.startswith(("keymoot.engine", "keymoot.gateway")):
                waiting += (
                    [value for value in vars(one).values()] if hasattr(one, "__dict__") else []
                )
        assert not reachable & {id(one) for one in held}


@story
async def test_a_network_that_is_being_founded_opens_nothing(world: World) -> None:
    async with world.up():
        found = await Client(world).view("sum")
        assert found["code"] == REJECTED
        assert "being founded" in found["message"]
