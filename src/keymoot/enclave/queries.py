"""Queries of confidential state, on the newest certified state and on no other.

A query leaves nothing behind: no effect, no key, no randomness. It tells what a view tells its
caller, who is proved by a signature or is nobody. With a reply key its answer leaves sealed,
whether the call failed or not, and signed by this enclave; without one the host reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Gas, Height
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.errors import revert_data_of
from keymoot.contracts.framework.registry import Registry
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.signed_query import (
    ANSWER,
    CONTENT,
    NO_REPLY_KEY,
    REPLY_INFO,
    SELECTOR,
    SignedQuery,
)
from keymoot.enclave.answer import signed_answer
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from keymoot.runtime.leash import check_leash
from keymoot.runtime.query import Query, call
from keymoot.store.keys import StateKeys
from keymoot.store.state import State

QUERY_GAS = Gas(10_000_000)
"""Gas of one query here, a fifth of what a server gives to one of public state."""

PADDED_TO_BYTES = 1_024
"""Sealed answers have lengths of multiples of this: a failure is not told by its length."""

Watch = Callable[[], None]

_INSIDE = parameters(CONTENT)
_SEALED = parameters(ANSWER)


class QueryStopped(Refused, code="QUERY_STOPPED"):
    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query ran for {seconds:g} s, which is as long as it may: ask for less"
        )


class Behind(Refused, code="BEHIND"):
    def __init__(self, height: Height, least: Height) -> None:
        super().__init__(f"block {height} is the newest certified one here, {least} was asked for")


@dataclass(frozen=True, slots=True)
class Certified:
    """The newest certified state, as queries see it."""

    block: BlockEnvironment
    name: Hash32
    state: State


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering a query takes, beside the state."""

    contracts: Registry
    keys: StateKeys
    identity: SigningKey
    public: Bytes32

    def answer(
        self, asked: ExecutedQuery, newest: Certified, watch: Watch | None = None
    ) -> QueryResult:
        """Answer a query as of a certified state; Behind where that is too old for whoever asks."""
        height = newest.block.height
        if height < asked.least:
            raise Behind(height, asked.least)
        try:
            signed = _signed(asked, newest)
        except (Refused, Malformed) as error:
            return _failed(height, error)
        query = Query(asked.to, asked.data, gas=min(asked.gas or QUERY_GAS, QUERY_GAS))
        if signed is None:
            return self._run(query, newest, watch)
        query = Query(asked.to, signed.data, gas=query.gas, signer=signed.sender)
        query_result = self._run(query, newest, watch)
        if signed.reply_key == NO_REPLY_KEY:
            return query_result
        try:
            return QueryResult(height, self._sealed(signed, asked, newest, query_result))
        except Malformed as error:
            # A reply key of low order: nothing is sealed to it, and nothing is told.
            return _failed(height, error)

    def _run(self, query: Query, newest: Certified, watch: Watch | None) -> QueryResult:
        block = newest.block
        try:
            output = call(newest.state, block, self.contracts, self.keys, query, watch)
        except QueryStopped:
            raise
        except (Refused, Malformed) as error:
            return _failed(block.height, error)
        return QueryResult(block.height, output)

    def _sealed(
        self,
        signed: SignedQuery,
        asked: ExecutedQuery,
        newest: Certified,
        query_result: QueryResult,
    ) -> bytes:
        """Give identity, sealed answer and signature, as the ABI writes them."""
        network = newest.block.network
        name = signed.digest(network, newest.block.chain_id, asked.to)
        output = query_result.revert if query_result.code else query_result.output
        # Whoever reads it knows of which state it is, and holds that block's certificate against
        # it.
        said = [not query_result.code, newest.block.height, newest.name, output]
        content = encode(_INSIDE, [*said, b""])
        content = encode(_INSIDE, [*said, bytes(-len(content) % PADDED_TO_BYTES)])
        sealed = hpke.seal_to(signed.reply_key, content, REPLY_INFO + network, name)
        answer = signed_answer(network, name, sealed, self.identity)
        return encode(_SEALED, [self.public, answer.sealed, answer.signature])


def _signed(asked: ExecutedQuery, newest: Certified) -> SignedQuery | None:
    """Give the query that is signed, if this is one, after checking that it counts here."""
    if not asked.data.startswith(SELECTOR):
        return None
    block = newest.block
    signed = SignedQuery.decode(asked.data)
    signed.check_signature(block.network, block.chain_id, asked.to)
    check_leash(signed, newest.state, block, newest.name)
    return signed


def _failed(height: Height, error: Refused | Malformed) -> QueryResult:
    return QueryResult(height, b"", error.code, str(error), revert_data_of(error))
