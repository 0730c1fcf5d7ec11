"""The page "Add a contract" is true: its code runs, where its row says, in two files."""

import importlib.util
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.hexes import data
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, Height, Nonce, Wei
from keymoot.contracts.builtin.registry import BUILT_IN, built_in_registry
from keymoot.contracts.framework.registry import CODE, Deployment
from keymoot.contracts.framework.solidity import interface_of
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.gateway.errors import RpcError
from keymoot.gateway.logs import Filters
from keymoot.gateway.methods import method_table
from keymoot.gateway.services import NodeInfo, Services
from keymoot.runtime.chain import MemoryChain
from tests.engine import committee
from tests.engine.house import founded
from tests.runtime.people import OWNER, STRANGER, Scenario

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/contracts.md").read_text()
CONTRACT, ROW, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def tally(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    path = tmp_path_factory.mktemp("page") / "tally_of_the_page.py"
    path.write_text(CONTRACT)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[path.stem]


def row(tally: ModuleType, height: int) -> Deployment:
    text = ROW.strip()
    assert "Height(5_000)" in text
    names = {"Deployment": Deployment, "Tally": tally.Tally, "Height": Height}
    made = eval(text.replace("5_000", str(height)), names)  # noqa: S307
    assert isinstance(made, Deployment)
    return made


class TallyScenario(Scenario):
    def __init__(self, tally: ModuleType, height: int) -> None:
        self.kind = tally.Tally
        rich = dict.fromkeys((OWNER.address, STRANGER.address), Wei(10**24))
        self.chain = MemoryChain([row(tally, height)], rich)

    def count(self) -> int:
        found = self.chain.ask(self.kind.ADDRESS, self.kind.method("count").selector)
        return int(self.kind.method("count").decode_result(found)[0])


def test_it_counts_and_tells(tally: ModuleType) -> None:
    scenario = TallyScenario(tally, 0)
    for at, who in enumerate((OWNER, STRANGER, OWNER), 1):
        receipt = scenario.send(who, "bump", contract=scenario.kind)
        (log,) = receipt.logs
        assert tally.Raised.read(log.topics, log.data) == tally.Raised(who.address, at)
    assert scenario.count() == 3


def test_a_log_of_another_event_is_none(tally: ModuleType) -> None:
    receipt = TallyScenario(tally, 0).send(OWNER, "bump", contract=tally.Tally)
    (log,) = receipt.logs
    (topic, *others) = log.topics
    for topics in ([bytes(32), *others], [topic], [topic, *others, topic], []):
        with pytest.raises(Malformed, match="the log is no Raised"):
            tally.Raised.read(topics, log.data)
    with pytest.raises(Malformed, match="the log is no Raised"):
        tally.Raised.read(log.topics, log.data[:-1])


def test_it_is_there_from_its_block_on(tally: ModuleType) -> None:
    scenario = TallyScenario(tally, 2)
    first = scenario.send(OWNER, "bump", contract=scenario.kind)
    assert (first.status, first.logs, first.output) == (1, (), b"")
    second = scenario.send(OWNER, "bump", contract=scenario.kind)
    assert (len(second.logs), scenario.count()) == (1, 1)


def test_its_number_and_its_name_are_free(tally: ModuleType) -> None:
    registry = built_in_registry().plus(row(tally, 5_000))
    assert len(registry.deployments) == len(BUILT_IN) + 1


def test_its_interface_is_written_for_it(tally: ModuleType) -> None:
    text = interface_of(row(tally, 0))
    for line in (
        "interface ITally {",
        "    event Raised(address indexed by, uint64 count);",
        "    function bump() external returns (uint64);",
        "    function count() external view returns (uint64);",
    ):
        assert line in text.splitlines()


def bump(to: Address, nonce: int) -> bytes:
    data, fee = keccak256(b"bump()")[:4], Wei(10**9)
    gas = Gas(200_000)
    tx = EvmTransaction(
        DYNAMIC_FEE, LEDGER_CHAIN_ID, Nonce(nonce), Wei(0), fee, gas, to, Wei(0), data
    )
    return tx.signed_bytes(sign(OWNER.key, signing_hash(tx)))


async def test_a_network_executes_it_and_the_gateway_answers(
    tally: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four replicas agree on its blocks; eth_getCode and eth_call know from when on it is there."""
    kind = tally.Tally
    async with founded(tmp_path / "data") as house:
        start = house.height + 2
        registry = built_in_registry().plus(row(tally, start))
        monkeypatch.setattr(committee, "_CONTRACTS", registry)
        house.ledger.contracts = registry
        info = NodeInfo("test", simulated=True, seats=lambda: ())
        services = Services(house.ledger, None, None, info, None)  # type: ignore[arg-type]
        methods = method_table(services, Filters(time.monotonic))
        to = kind.ADDRESS.hex0x
        count = {"to": to, "data": data(kind.method("count").selector)}
        receipts = []
        for nonce in range(3):
            await house.ledger.submit(bump(kind.ADDRESS, nonce))
            await house.settle()
            code = await methods["eth_getCode"]([to, "latest"])
            answer = await methods["eth_call"]([count, "latest"])
            receipts.append((house.height >= start, code, answer))
        assert [one for one in receipts if not one[0]] == [(False, "0x", "0x")]
        there = [one for one in receipts if one[0]]
        assert [one[1] for one in there] == [data(CODE)] * 2
        assert [int(str(one[2]), 16) for one in there] == [1, 2]
        # Of the past it is asked as the past was.
        assert await methods["eth_getCode"]([to, hex(start - 1)]) == "0x"
        logs = await methods["eth_getLogs"]([{"fromBlock": "0x1", "address": to}])
        assert [one["topics"][0] for one in logs] == [tally.Raised.topic().hex0x] * 2
        with pytest.raises(RpcError, match="no method"):
            await methods["eth_call"]([{"to": to, "data": "0x12345678"}, "latest"])
