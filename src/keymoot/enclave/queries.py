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
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.errors import ContractError, revert_data
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
from keymoot.runtime.asked import Asked, Found
from keymoot.runtime.execute import Contracts
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


class QueryStopped(Refused):
    """A query ran longer than it may."""

    code = "QUERY_STOPPED"

    def __init__(self, seconds: float) -> None:
        """Name the limit."""
        super().__init__(
            f"the query ran for {seconds:g} s, which is as long as it may: ask for less"
        )


class Behind(Refused):
    """The newest certified state here is older than whoever asks has seen."""

    code = "BEHIND"

    def __init__(self, height: Height, least: Height) -> None:
        """Name the heights."""
        super().__init__(f"block {height} is the newest certified one here, {least} was asked for")


@dataclass(frozen=True, slots=True)
class Certified:
    """The newest certified state, as queries see it.

    Attributes:
        block: The block after which it is.
        name: That block's hash.
        state: Itself.
    """

    block: BlockEnvironment
    name: Hash32
    state: State


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering a query takes, beside the state."""

    contracts: Contracts
    keys: StateKeys
    identity: SigningKey
    public: Bytes32

    def answer(self, asked: Asked, newest: Certified, watch: Watch | None = None) -> Found:
        """Answer a query as of a certified state.

        Raises:
            Behind: that state is too old for whoever asks.
            BrokenStorage: a read from the host did not fit.
            QueryStopped: it runs too long.
        """
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
        found = self._run(query, newest, watch)
        if signed.reply_key == NO_REPLY_KEY:
            return found
        try:
            return Found(height, self._sealed(signed, asked, newest, found))
        except Malformed as error:
            # A reply key of low order: nothing is sealed to it, and nothing is told.
            return _failed(height, error)

    def _run(self, query: Query, newest: Certified, watch: Watch | None) -> Found:
        block = newest.block
        try:
            output = call(newest.state, block, self.contracts, self.keys, query, watch)
        except QueryStopped:
            raise
        except (Refused, Malformed) as error:
            return _failed(block.height, error)
        return Found(block.height, output)

    def _sealed(self, signed: SignedQuery, asked: Asked, newest: Certified, found: Found) -> bytes:
        """Give identity, sealed answer and signature, as the ABI writes them."""
        network = newest.block.network
        name = signed.digest(network, newest.block.chain_id, asked.to)
        output = found.revert if found.code else found.output
        # Whoever reads it knows of which state it is, and holds that block's certificate against it.
        said = [not found.code, newest.block.height, newest.name, output]
        content = encode(_INSIDE, [*said, b""])
        content = encode(_INSIDE, [*said, bytes(-len(content) % PADDED_TO_BYTES)])
        sealed = hpke.seal_to(signed.reply_key, content, REPLY_INFO + network, name)
        answer = signed_answer(network, name, sealed, self.identity)
        return encode(_SEALED, [self.public, answer.sealed, answer.signature])


def _signed(asked: Asked, newest: Certified) -> SignedQuery | None:
    """Give the query that is signed, if this is one, after checking that it counts here."""
    if not asked.data.startswith(SELECTOR):
        return None
    block = newest.block
    signed = SignedQuery.decode(asked.data)
    signed.check_signature(block.network, block.chain_id, asked.to)
    check_leash(signed, newest.state, block, newest.name)
    return signed


def _failed(height: Height, error: Refused | Malformed) -> Found:
    words = str(error)
    if isinstance(error, ContractError):
        revert = error.revert_data()
    else:
        revert = revert_data(ContractError.SIGNATURE, (words,))
    return Found(height, b"", error.code, words, revert)
