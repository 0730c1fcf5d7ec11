"""A contract with confidential state, and a sender who signs what he asks of it."""

from dataclasses import replace
from typing import Any

from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65
from keymoot.base.units import Height, Nonce
from keymoot.contracts import (
    ConfidentialCell,
    ConfidentialMap,
    Context,
    Contract,
    ContractError,
    PublicCell,
    call,
    uint256,
    view,
)
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.errors import Anonymous
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.signed_query import NO_REPLY_KEY, SignedQuery
from tests.runtime.people import Person, calldata


class ForFriends(ContractError):
    code = "FOR_FRIENDS"
    SIGNATURE = "ForFriends(uint256)"

    def __init__(self, amount: int) -> None:
        super().__init__(f"it says {amount}, and you are no friend")
        self.amount = amount

    def arguments(self) -> tuple[int]:
        return (self.amount,)


class Notes(Contract):
    """Keeps what its callers tell it, and tells each his own."""

    ADDRESS = Address(b"notes".ljust(20, b"\0"))
    ERRORS = (ForFriends,)

    notes = ConfidentialMap("notes", Address, uint256)
    total = ConfidentialCell("total", uint256)
    members = ConfidentialMap("members", Address, uint256)
    count = PublicCell("count", uint256)

    @call
    def write(self, ctx: Context, value: uint256) -> uint256:
        store = ctx.confidential_store()
        self.notes.set(store, _sender(ctx), value)
        total = (self.total.get(store) or 0) + value
        self.total.set(store, total)
        self.count.set(ctx.public_store(), (self.count.get(ctx.public_store()) or 0) + 1)
        return total

    @call
    def enter(self, ctx: Context) -> uint256:
        """Lets whoever calls in, and tells him all: on the ledger that is seen and paid."""
        self.members.set(ctx.confidential_store(), ctx.sender or self.ADDRESS, 1)
        return self.total.get(ctx.confidential_store()) or 0

    @view
    def mine(self, ctx: Context) -> uint256:
        sender = _sender(ctx)
        return self.notes.get(ctx.confidential_store(), sender) or 0

    @view
    def sum(self, ctx: Context) -> uint256:
        return self.total.get(ctx.confidential_store()) or 0

    @view
    def written(self, ctx: Context) -> uint256:
        return self.count.get(ctx.public_store()) or 0

    @view
    def whisper(self, ctx: Context) -> uint256:
        raise ForFriends(self.total.get(ctx.confidential_store()) or 0)

    @view
    def lucky(self, ctx: Context) -> Bytes32:
        return Bytes32(ctx.random(32).expose())

    @view
    def rewrite(self, ctx: Context) -> uint256:
        self.total.set(ctx.confidential_store(), 0)
        return 0

    @view
    def spin(self, ctx: Context, times: uint256) -> uint256:
        """Works as long as it is let, in steps that are hardly charged for."""
        total = self.total.get(ctx.confidential_store()) or 0
        for at in range(times):
            ctx.charge(1)
            total = (total * 3 + at) % 1_000_003
        return total

    @view
    def swallows(self, ctx: Context) -> uint256:
        """Makes an answer of our refusal."""
        try:
            return self.total.get(ctx.confidential_store()) or 0
        except Exception:
            return 10**9


def _sender(ctx: Context) -> Address:
    if ctx.sender is None:
        raise Anonymous
    return ctx.sender


def signed(
    who: Person,
    at: BlockEnvironment,
    name: Hash32,
    method: str,
    *arguments: Any,
    **changes: Any,
) -> SignedQuery:
    """Sign a query of `Notes` after the block of a name, for the five that follow."""
    made = SignedQuery(
        sender=who.address,
        data=calldata(Notes, method, *arguments),
        nonce=Nonce(100),
        block=Height(at.height),
        block_hash=name,
        reach=5,
        reply_key=NO_REPLY_KEY,
        signature=Signature65(bytes(65)),
    )
    made = replace(made, **changes)
    digest = made.digest(at.network, at.chain_id, Notes.ADDRESS)
    return replace(made, signature=sign(who.key, digest))
