"""Small contracts for tests."""

from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Wei
from keymoot.contracts import (
    ConfidentialCell,
    Context,
    Contract,
    ContractError,
    PublicCell,
    PublicMap,
    call,
    uint64,
    uint256,
    view,
)
from keymoot.contracts.framework.registry import Deployment


class Counter(Contract):
    """The design's own example, word for word."""

    ADDRESS = Address(b"counter".ljust(20, b"\0"))

    count = ConfidentialCell("count", uint256)

    @call
    def bump(self, ctx: Context) -> uint256:
        n = self.count.get(ctx.confidential_store()) or 0
        self.count.set(ctx.confidential_store(), n + 1)
        return n

    @view
    def peek(self, ctx: Context) -> uint256:
        return self.count.get(ctx.confidential_store()) or 0

    @view
    def cheat(self, ctx: Context) -> uint256:
        self.count.set(ctx.confidential_store(), 99)
        return 99

    @call
    def leak(self, ctx: Context) -> uint256:
        self.count.set(ctx.public_store(), 1)  # type: ignore[arg-type]
        return 1


class Broke(ContractError):
    code = "BROKE"
    SIGNATURE = "Broke(uint256)"

    def __init__(self, why: int) -> None:
        super().__init__(f"it broke with {why}")
        self.why = why

    def arguments(self) -> tuple[int]:
        return (self.why,)


class Caller(Contract):
    """Calls others, comes back, and breaks on demand."""

    ADDRESS = Address(b"caller".ljust(20, b"\0"))

    seen = PublicCell("seen", uint256)
    names = PublicMap("names", Address, str)

    @call(payable=True)
    def pay(self, ctx: Context, to: Address, amount: uint256) -> None:
        ctx.transfer(to, Wei(amount))

    @call
    def set_then_break(self, ctx: Context, value: uint256) -> None:
        self.seen.set(ctx.public_store(), value)
        raise Broke(value)

    @call
    def try_break(self, ctx: Context, value: uint256) -> uint256:
        self.seen.set(ctx.public_store(), 7)
        try:
            ctx.call(Breaker.set_then_break, value)
        except Broke as broke:
            return broke.why
        return 0

    @call
    def go_round(self, ctx: Context) -> uint256:
        return ctx.call(Breaker.call_back)

    @call(reentrant=True)
    def welcome(self, ctx: Context) -> uint256:
        del ctx
        return 11

    @call
    def not_welcome(self, ctx: Context) -> uint256:
        del ctx
        return 12

    @call
    def burn(self, ctx: Context, gas: uint256) -> None:
        self.seen.set(ctx.public_store(), 1)
        ctx.charge(gas)

    @call
    def rename(self, ctx: Context, who: Address, name: str) -> bool:
        self.names.set(ctx.public_store(), who, name)
        return True

    @view
    def all_types(
        self, ctx: Context, one: uint64, two: bool, three: Bytes32, four: bytes
    ) -> tuple[uint64, bool, Bytes32, bytes, list[uint256]]:
        del ctx
        return one, two, Bytes32(three), four, [1, 2]

    @call(gas_ceiling=123_456)
    def draw(self, ctx: Context) -> Bytes32:
        return Bytes32(ctx.random(32).expose())


class Breaker(Contract):
    """What Caller calls."""

    ADDRESS = Address(b"breaker".ljust(20, b"\0"))

    seen = PublicCell("seen", uint256)

    @call
    def set_then_break(self, ctx: Context, value: uint256) -> None:
        self.seen.set(ctx.public_store(), value)
        raise Broke(value)

    @call
    def call_back(self, ctx: Context) -> uint256:
        return ctx.call(Caller.welcome) + ctx.call(Caller.not_welcome)

    @view
    def look(self, ctx: Context) -> uint256:
        return self.seen.get(ctx.public_store()) or 0


def deployed(*kinds: type[Contract]) -> tuple[Deployment, ...]:
    return tuple(Deployment(kind.__name__, kind) for kind in kinds)


TOYS = deployed(Counter, Caller, Breaker)
