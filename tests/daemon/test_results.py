"""What a transaction of an agent's came to, told as ROFL's daemon tells it."""

from collections.abc import Iterator
from typing import Any

import cbor2
import pytest

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.owner import new_key
from keymoot.base.fixed import Measurement
from keymoot.contracts.builtin import registry
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.daemon.joined import JoinedInstance
from keymoot.daemon.port import CallOutcome
from keymoot.daemon.rofl_transactions import result_of
from tests.contracts.toys import Caller, deployed
from tests.daemon.conftest import Asking
from tests.node.in_memory import in_memory
from tests.runtime.people import calldata

BUILT = Measurement(b"b" * 48)
SUBMIT = "/rofl/v1/tx/sign-submit"


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "BUILT_IN", (*registry.BUILT_IN, *deployed(Caller)))
        with in_memory(tmp_path_factory.mktemp("results")) as net:
            boss = AppAdmin(net.network, new_key())
            net.network.faucet(boss.address)
            app = boss.create(AppPolicy(measurements=(BUILT,), vendors=("simulated",)))
            instance = AppInstance(net.network, app, InstanceKeys.new(), simulated(BUILT))
            net.network.faucet(instance.keys.address)
            yield Asking(JoinedInstance(instance, simulated(BUILT), {}))


def balance(asking: Asking) -> int:
    query = {
        "method": "evm.Balance",
        "args": cbor2.dumps({"address": asking.instance.identity.key}).hex(),
    }
    told = asking.json("POST", "/rofl/v1/query", query)
    return int.from_bytes(cbor2.loads(bytes.fromhex(told["data"])), "big")


def sent(asking: Asking, gas: int, name: str, *arguments: Any) -> Any:
    data = {
        "to": Caller.ADDRESS.hex(),
        "value": "0",
        "data": calldata(Caller, name, *arguments).hex(),
        "gas_limit": gas,
    }
    told = asking.json("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}})
    return cbor2.loads(bytes.fromhex(told["data"]))


@pytest.mark.parametrize("gas", [0, 1_000_000])
def test_what_a_call_returned_is_told(asking: Asking, gas: int) -> None:
    told = sent(asking, gas, "rename", "0x" + "0b" * 20, "somebody")
    assert told == {"ok": (1).to_bytes(32, "big")}


@pytest.mark.parametrize("gas", [0, 1_000_000])
def test_what_a_contract_refuses_is_a_result_too(asking: Asking, gas: int) -> None:
    """Whether the network tried it out and took nothing, or carried it out and it failed."""
    fail = sent(asking, gas, "setThenBreak", 7)["fail"]
    assert (fail["module"], fail["code"]) == ("evm", 8)
    assert "it broke with 7" in fail["message"]
    assert gas == 0 or fail["message"].startswith("BROKE: ")


def test_who_has_the_gas_estimated_spends_no_more_than_who_names_it(asking: Asking) -> None:
    """Else an agent would eat what registrations are paid with, by calls that take much."""
    held = balance(asking)
    data = {
        "to": Caller.ADDRESS.hex(),
        "value": "0",
        "data": calldata(Caller, "burn", 20_000_000).hex(),
        "gas_limit": 0,
    }
    refused = asking("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}})
    assert (refused.status, b"at most 5000000" in refused.body) == (400, True)
    assert balance(asking) == held


def test_what_the_daemon_will_not_send_is_no_result(asking: Asking) -> None:
    data = {"to": Caller.ADDRESS.hex(), "value": "0", "data": "00", "gas_limit": 5_000_001}
    assert asking("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}}).status == 400


@pytest.mark.parametrize(
    "outcome",
    [
        CallOutcome(fine=False, reason="BROKE", message="y" * 100_000),
        CallOutcome(fine=False, reason="B" * 100_000, message="broke"),
        CallOutcome(fine=False, reason="BROKE", message="half a pair \ud800, \x1b[2J\u202e"),
    ],
)
def test_a_nodes_words_for_a_failure_are_few_and_harmless(outcome: CallOutcome) -> None:
    """No receipt proves them, and an agent reads them."""
    message = cbor2.loads(result_of(outcome))["fail"]["message"]
    assert message.startswith("B")
    assert len(message.encode()) <= 1_024
    assert not set(message) & set("\x1b\u202e")
