"""A view changes nothing, by no detour; and every refusal undoes what came before it."""

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Wei
from keymoot.contracts import Context, Contract, PublicCell, call, uint256, view
from keymoot.contracts.builtin.vault import KeyBorn
from keymoot.runtime.chain import MemoryChain
from tests.contracts.toys import TOYS, Counter, deployed
from tests.runtime.people import OWNER, STRANGER, Scenario


class Sly(Contract):
    """Tries to have an effect from a view."""

    ADDRESS = Address(b"sly".ljust(20, b"\0"))
    EVENTS = (KeyBorn,)

    @view
    def through(self, ctx: Context) -> uint256:
        ctx.call(Counter.bump)
        return 1

    @view
    def give(self, ctx: Context) -> uint256:
        ctx.transfer(STRANGER.address, Wei(1))
        return 1

    @view
    def tell(self, ctx: Context) -> uint256:
        ctx.emit(KeyBorn(ctx.address, b"n" * 32, ctx.address))  # type: ignore[arg-type]
        return 1

    @call
    def ask_the_other_view(self, ctx: Context) -> uint256:
        return ctx.call(Counter.cheat)

    @call
    def survive(self, ctx: Context) -> uint256:
        try:
            ctx.call(Clumsy.set_then_stumble)
        except Malformed:
            return 1
        return 0


class Clumsy(Contract):
    """Writes, then meets bytes that it cannot read."""

    ADDRESS = Address(b"clumsy".ljust(20, b"\0"))

    seen = PublicCell("seen", uint256)

    @call
    def set_then_stumble(self, ctx: Context) -> None:
        self.seen.set(ctx.public_store(), 5)
        raise Malformed("these bytes are no number")

    @view
    def look(self, ctx: Context) -> uint256:
        return self.seen.get(ctx.public_store()) or 0


class SlyScenario(Scenario):
    def __post_init__(self) -> None:
        more = deployed(Sly, Clumsy)
        rich = dict.fromkeys((OWNER.address, Sly.ADDRESS), Wei(10**24))
        self.chain = MemoryChain(TOYS + more, rich)


@pytest.mark.parametrize("name", ["through", "give", "tell", "askTheOtherView"])
def test_a_view_has_no_effect_by_any_detour(name: str) -> None:
    scenario = SlyScenario()
    receipt = scenario.send(OWNER, name, contract=Sly)
    assert (receipt.status, receipt.error_code, receipt.logs) == (0, "READ_ONLY", ())
    assert scenario.chain.state().account(Sly.ADDRESS).balance == 10**24


def test_a_callee_that_meets_malformed_bytes_is_undone_before_its_caller_goes_on() -> None:
    scenario = SlyScenario()
    assert scenario.send(OWNER, "survive", contract=Sly).status == 1
    assert int.from_bytes(scenario.send(OWNER, "look", contract=Clumsy).output, "big") == 0


class Boaster(Contract):
    """Takes value, and returns what its ABI cannot say."""

    ADDRESS = Address(b"boaster".ljust(20, b"\0"))

    @call(payable=True)
    def boast(self, ctx: Context) -> uint256:
        del ctx
        return -1


def test_a_result_that_does_not_fit_its_type_is_a_refusal_and_undone() -> None:
    scenario = SlyScenario()
    scenario.chain.contracts = scenario.chain.contracts.plus(*deployed(Boaster))
    receipt = scenario.send(OWNER, "boast", contract=Boaster, value=5)
    assert (receipt.status, receipt.error_code) == (0, "BAD_RESULT")
    assert scenario.chain.state().account(Boaster.ADDRESS).balance == 0


class Secretive(Contract):
    """Emits what it has not said."""

    ADDRESS = Address(b"secretive".ljust(20, b"\0"))

    @call
    def tell(self, ctx: Context) -> None:
        ctx.emit(KeyBorn(ctx.address, Bytes32(b"n" * 32), ctx.address))


def test_an_event_that_a_contract_does_not_name_is_never_told() -> None:
    scenario = SlyScenario()
    scenario.chain.contracts = scenario.chain.contracts.plus(*deployed(Secretive))
    receipt = scenario.send(OWNER, "tell", contract=Secretive)
    assert (receipt.status, receipt.error_code, receipt.logs) == (0, "UNDECLARED_EVENT", ())
    assert receipt.error.startswith("KeyBorn is not among the EVENTS")
