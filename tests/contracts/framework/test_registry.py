"""Contracts, and new versions of them, count from the block that their row names."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address
from keymoot.base.units import Height, Wei
from keymoot.contracts import Context, Contract, call, uint256
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.registry import BUILT_IN, built_in_registry
from keymoot.contracts.framework.errors import NoCode, NotCallable
from keymoot.contracts.framework.registry import CODE_HASH, Deployment, Registry
from keymoot.crypto.keccak import EMPTY_CODE_HASH
from keymoot.runtime.chain import MemoryChain
from tests.contracts.toys import Caller, Counter
from tests.runtime.people import OWNER, Scenario, calldata


class CounterByTwo(Counter):
    """A later version at the same address, on the same cells."""

    @call
    def bump(self, ctx: Context) -> uint256:
        n = self.count.get(ctx.confidential_store()) or 0
        self.count.set(ctx.confidential_store(), n + 2)
        return n


class Bumper(Contract):
    """Calls Counter as its first version is called."""

    ADDRESS = Address(b"bumper".ljust(20, b"\0"))

    @call
    def through(self, ctx: Context) -> uint256:
        return ctx.call(Counter.bump)


class Chain(Scenario):
    def __init__(self, *rows: Deployment) -> None:
        self.chain = MemoryChain(rows, {OWNER.address: Wei(10**24)})

    def code_hash(self) -> bytes:
        return self.chain.state().account(Counter.ADDRESS).code_hash


def test_before_its_height_a_call_finds_no_code() -> None:
    scenario = Chain(Deployment("Counter", Counter, Height(3)), Deployment("Bumper", Bumper))
    bump = calldata(Counter, "bump")
    # Block 1: value goes to the address as to any account, and nothing runs.
    early = scenario.chain.send(scenario.raw(OWNER, Counter.ADDRESS, bump, value=7))
    assert (early.status, early.output, early.logs) == (1, b"", ())
    assert scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "peek")) == b""
    # Block 2: a contract that calls it is told so, and undone.
    told = scenario.send(OWNER, "through", contract=Bumper)
    assert (told.status, told.error_code) == (0, "NO_CODE")
    assert "Counter.bump" in told.error
    assert scenario.code_hash() == EMPTY_CODE_HASH
    # Block 3 is the first in which it runs; what the address had it keeps.
    assert int.from_bytes(scenario.send(OWNER, "bump", contract=Counter).output) == 0
    assert scenario.code_hash() == CODE_HASH
    assert scenario.chain.state().account(Counter.ADDRESS).balance == 7
    assert int.from_bytes(scenario.send(OWNER, "through", contract=Bumper).output) == 1
    assert int.from_bytes(scenario.chain.ask(Counter.ADDRESS, calldata(Counter, "peek"))) == 2


def test_it_is_there_from_its_block_on_even_if_nobody_calls_it() -> None:
    scenario = Chain(Deployment("Counter", Counter, Height(2)))
    hashes = []
    for _ in range(3):
        scenario.chain.send_together([])
        hashes.append(scenario.code_hash())
    assert hashes == [EMPTY_CODE_HASH, CODE_HASH, CODE_HASH]


def test_a_new_version_counts_from_its_height_for_people_and_for_contracts() -> None:
    scenario = Chain(
        Deployment("Counter", CounterByTwo, Height(3)),
        Deployment("Counter", Counter),
        Deployment("Bumper", Bumper),
    )
    senders = (Counter, Bumper, Counter, Bumper, Counter)
    names = ["bump" if one is Counter else "through" for one in senders]
    found = [
        int.from_bytes(scenario.send(OWNER, name, contract=one).output)
        for one, name in zip(senders, names, strict=True)
    ]
    assert found == [0, 1, 2, 4, 6]


def test_each_height_has_its_contracts() -> None:
    more = built_in_registry().plus(Deployment("Counter", Counter, Height(10)))
    for height, there in ((0, False), (9, False), (10, True), (2**63, True)):
        assert (Counter.ADDRESS in more.at(Height(height))) is there
        assert more.at(Height(height)).name_of(Nodes.ADDRESS) == "Nodes"
    assert more.starting_at(Height(10)) == [Counter.ADDRESS]
    assert more.starting_at(Height(11)) == []


def test_built_in_contracts_have_a_name_and_an_address_each() -> None:
    assert len({one.name for one in BUILT_IN}) == len(BUILT_IN)
    assert len({one.address for one in BUILT_IN}) == len(BUILT_IN)
    for one in BUILT_IN:
        assert one.name == one.kind.__name__
        assert one.address[:7] == b"keymoot"


class Impostor(Contract):
    ADDRESS = Nodes.ADDRESS


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Deployment("Impostor", Impostor, Height(5)), "where another contract stands"),
        (Deployment("Nodes", Counter, Height(5)), "at two places"),
        (Deployment("Nodes", Nodes), "two versions of Nodes are active from block 0"),
    ],
)
def test_rows_that_contradict_each_other_are_a_defect(row: Deployment, words: str) -> None:
    with pytest.raises(Defect, match=words):
        Registry((*BUILT_IN, row))


class Quiet(Contract):
    ADDRESS = Address(b"quiet".ljust(20, b"\0"))

    def helper(self, ctx: Context) -> None:
        raise AssertionError


def test_a_contract_calls_nothing_that_is_not_marked_for_it() -> None:
    active = built_in_registry().plus(Deployment("Quiet", Quiet)).at(Height(1))
    with pytest.raises(NotCallable, match=r"Quiet\.helper cannot be called: mark it"):
        active.owner_of(Quiet.helper)
    with pytest.raises(NoCode):
        active.owner_of(Caller.welcome)
    assert active.owner_of(Nodes.take) == Nodes.ADDRESS


class Twin(Counter):
    """Has its methods from a contract that is there too."""

    ADDRESS = Address(b"twin".ljust(20, b"\0"))


def test_a_method_that_several_contracts_have_is_called_on_none() -> None:
    rows = Deployment("Counter", Counter), Deployment("Twin", Twin)
    with pytest.raises(NotCallable, match="several contracts have it"):
        built_in_registry().plus(*rows).at(Height(1)).owner_of(Counter.bump)


def test_what_is_internal_has_no_selector() -> None:
    assert not {"take", "takeSlots", "walletAccount", "sign"} & {
        method.name for one in BUILT_IN for method in one.kind.METHODS.values()
    }


class Shy(Counter):
    """A version that forgets to offer what the one before it offers."""

    def bump(self, ctx: Context) -> uint256:
        raise AssertionError


def test_a_version_that_offers_less_refuses_and_nothing_stops() -> None:
    scenario = Chain(
        Deployment("Counter", Counter),
        Deployment("Counter", Shy, Height(2)),
        Deployment("Bumper", Bumper),
    )
    assert scenario.send(OWNER, "through", contract=Bumper).status == 1
    receipt = scenario.send(OWNER, "through", contract=Bumper)
    assert (receipt.status, receipt.error_code) == (0, "NOT_CALLABLE")
    assert scenario.send(OWNER, "bump", contract=Counter).error_code == "UNKNOWN_METHOD"
