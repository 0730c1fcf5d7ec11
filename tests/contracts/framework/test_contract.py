"""The contract framework: ABI, cells, calls, re-entrancy, undo."""

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Defect, KeymootError
from keymoot.base.units import Wei
from keymoot.contracts import Contract, PublicCell, call, uint256
from keymoot.contracts.framework.cells import WrongStore
from keymoot.contracts.framework.errors import (
    BadArguments,
    KeyUseRefused,
    NotPayable,
    UnknownMethod,
)
from keymoot.contracts.framework.types import OutOfRange
from keymoot.crypto.keccak import keccak256_raw
from keymoot.runtime.block import CannotExecute
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.query import Query, estimate
from keymoot.store.errors import NoStateKeys, ReadOnly
from tests.contracts.toys import TOYS, Breaker, Caller, Counter
from tests.runtime.people import OWNER, STRANGER, Scenario, calldata


class ToyScenario(Scenario):
    def __post_init__(self) -> None:
        self.chain = MemoryChain(TOYS, {OWNER.address: Wei(10**24), STRANGER.address: Wei(10**24)})


@pytest.fixture
def scenario() -> ToyScenario:
    return ToyScenario()


def test_the_designs_counter_counts(scenario: ToyScenario) -> None:
    results = [scenario.send(OWNER, "bump", contract=Counter).output for _ in range(3)]
    assert [decode(["uint256"], one)[0] for one in results] == [0, 1, 2]
    assert (
        decode(["uint256"], scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "peek")))[0] == 3
    )
    plain = b"".join(value for _, value in scenario.chain.table.items())
    assert b"count" not in plain


def test_a_view_cannot_write(scenario: ToyScenario) -> None:
    with pytest.raises(ReadOnly):
        scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "cheat"))
    assert scenario.send(OWNER, "cheat", contract=Counter).error_code == "READ_ONLY"


def test_a_confidential_cell_refuses_the_public_store(scenario: ToyScenario) -> None:
    with pytest.raises(CannotExecute) as stopped:
        scenario.send(OWNER, "leak", contract=Counter)
    assert isinstance(stopped.value.__cause__, WrongStore)


def test_a_query_leaves_no_trace(scenario: ToyScenario) -> None:
    root = scenario.chain.root
    rename = calldata(Caller, "rename", OWNER.address.hex0x, "name")
    assert decode(["bool"], scenario.chain.ask(Caller.ADDRESS, rename))[0]
    assert scenario.chain.root == root
    assert Caller.names.get(*_public(scenario, Caller), OWNER.address) is None


def test_in_a_query_only_views_open_confidential_state(scenario: ToyScenario) -> None:
    assert (
        decode(["uint256"], scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "peek")))[0] == 0
    )
    with pytest.raises(NoStateKeys):
        scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "bump"))


def test_what_a_refused_call_wrote_is_undone_and_its_gas_is_kept(scenario: ToyScenario) -> None:
    before = scenario.chain.state().account(OWNER.address)
    receipt = scenario.send(OWNER, "setThenBreak", 5, contract=Caller)
    assert (receipt.status, receipt.error_code, receipt.error) == (0, "BROKE", "it broke with 5")
    assert receipt.output == keccak256_raw(b"Broke(uint256)")[:4] + encode(["uint256"], [5])
    after = scenario.chain.state().account(OWNER.address)
    assert after.nonce == before.nonce + 1
    assert before.balance - after.balance == receipt.gas_used * 10**9
    assert Caller.seen.get(*_public(scenario, Caller)) is None


def test_a_caught_refusal_undoes_only_the_callee(scenario: ToyScenario) -> None:
    receipt = scenario.send(OWNER, "tryBreak", 9, contract=Caller)
    assert (receipt.status, decode(["uint256"], receipt.output)[0]) == (1, 9)
    assert Caller.seen.get(*_public(scenario, Caller)) == 7
    assert Breaker.seen.get(*_public(scenario, Breaker)) is None


def test_reentrancy_is_refused_where_it_was_not_invited(scenario: ToyScenario) -> None:
    receipt = scenario.send(OWNER, "goRound", contract=Caller)
    assert receipt.error_code == "REENTERED"
    assert "Caller" in receipt.error


def test_value_goes_where_it_is_sent_and_nowhere_else(scenario: ToyScenario) -> None:
    total = _supply(scenario)
    paid = scenario.send(OWNER, "pay", STRANGER.address, 30, value=100, contract=Caller)
    assert paid.status == 1
    assert scenario.chain.state().account(Caller.ADDRESS).balance == 70
    too_much = scenario.send(OWNER, "pay", STRANGER.address, 10**6, value=5, contract=Caller)
    assert too_much.error_code == "INSUFFICIENT_BALANCE"
    assert scenario.chain.state().account(Caller.ADDRESS).balance == 70
    burned = (paid.gas_used + too_much.gas_used) * 10**9
    assert _supply(scenario) == total - burned


def test_out_of_gas_undoes_and_costs_all(scenario: ToyScenario) -> None:
    data = calldata(Caller, "burn", 10**9)
    receipt = scenario.chain.send(scenario.raw(OWNER, Caller.ADDRESS, data, gas=100_000))
    assert (receipt.error_code, receipt.gas_used) == ("OUT_OF_GAS", 100_000)
    assert Caller.seen.get(*_public(scenario, Caller)) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"gas": 20_000}, "INTRINSIC_GAS"),
        ({"gas": 10**9}, "GAS_LIMIT"),
        ({"value": 10**30}, "INSUFFICIENT_FUNDS"),
    ],
)
def test_what_cannot_enter_a_block_pays_nothing(
    scenario: ToyScenario, change: dict, error: str
) -> None:
    before = scenario.chain.state().account(OWNER.address)
    raw = scenario.raw(OWNER, Caller.ADDRESS, b"", **change)
    receipt = scenario.chain.send(raw)
    assert (receipt.status, receipt.error_code, receipt.gas_used) == (0, error, 0)
    assert scenario.chain.state().account(OWNER.address) == before


def test_a_replayed_transaction_does_nothing(scenario: ToyScenario) -> None:
    raw = scenario.raw(OWNER, Counter.ADDRESS, calldata(Counter, "bump"))
    first, second = scenario.chain.send(raw), scenario.chain.send(raw)
    assert (first.status, second.error_code) == (1, "NONCE_TOO_LOW")


def test_types_pass_through_the_abi(scenario: ToyScenario) -> None:
    data = calldata(Caller, "allTypes", 5, True, b"x" * 32, b"hello")
    kinds = ["uint64", "bool", "bytes32", "bytes", "uint256[]"]
    found = decode(kinds, scenario.chain.ask(Caller.ADDRESS, data))
    assert found == (5, True, b"x" * 32, b"hello", (1, 2))


@given(st.binary(max_size=200))
def test_any_calldata_gets_an_answer_or_a_refusal(data: bytes) -> None:
    chain = MemoryChain(TOYS)
    for method in Caller.METHODS.values():
        if method.name == "burn":
            continue
        try:
            chain.ask(Caller.ADDRESS, method.selector + data)
        except Defect:
            raise
        except KeymootError as error:
            assert error.code


def test_unknown_methods_bad_arguments_and_uninvited_value_are_named(scenario: ToyScenario) -> None:
    with pytest.raises(UnknownMethod):
        scenario.chain.ask(Caller.ADDRESS, b"\1\2\3\4")
    good = calldata(Caller, "rename", OWNER.address, "x")
    for bad in (good + b"\0", good[:-1], good.replace(b"\0" * 12, b"\1" * 12, 1)):
        with pytest.raises(BadArguments):
            scenario.chain.ask(Caller.ADDRESS, bad)
    assert scenario.send(OWNER, "bump", value=1, contract=Counter).error_code == "NOT_PAYABLE"
    assert issubclass(NotPayable, KeymootError)


def test_randomness_is_for_final_blocks_only(scenario: ToyScenario) -> None:
    draws = {scenario.send(OWNER, "draw", contract=Caller).output for _ in range(3)}
    assert len(draws) == 3
    with pytest.raises(KeyUseRefused):
        scenario.chain.ask(Caller.ADDRESS, calldata(Caller, "draw"))
    query = Query(Caller.ADDRESS, calldata(Caller, "draw"), claimed=OWNER.address)
    gas = estimate(scenario.chain.state(), scenario.chain.block, scenario.chain.contracts, query)
    assert gas > 123_456


def test_an_estimate_sees_no_confidential_value(scenario: ToyScenario) -> None:
    scenario.send(OWNER, "bump", contract=Counter)
    query = Query(Counter.ADDRESS, calldata(Counter, "bump"), claimed=OWNER.address)
    found = estimate(scenario.chain.state(), scenario.chain.block, scenario.chain.contracts, query)
    receipt = scenario.send(OWNER, "bump", contract=Counter)
    assert found >= receipt.gas_used


def test_integers_do_not_wrap() -> None:
    class Small(Contract):
        cell = PublicCell("cell", uint256)

        @call
        def nothing(self, ctx) -> None: ...

    with pytest.raises(OutOfRange):
        Small.cell._value.encode(1 << 256)
    with pytest.raises(OutOfRange):
        Small.cell._value.encode(-1)


def _public(scenario: ToyScenario, kind: type[Contract]):
    from keymoot.store.journal import Journal
    from keymoot.store.meter import FreeMeter
    from keymoot.store.public import PublicStore

    return (
        PublicStore(Journal(scenario.chain.state()), kind.ADDRESS, FreeMeter(), writable=False),
    )


def _supply(scenario: ToyScenario) -> int:
    people = (OWNER.address, STRANGER.address, Caller.ADDRESS, Counter.ADDRESS)
    return sum(scenario.chain.state().account(one).balance for one in people)
