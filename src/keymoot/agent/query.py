"""Ask for confidential state, so that whoever carries question and answer learns neither.

The question is a `signedQuery` (see `keymoot.crypto.signed_query`), sent as an `eth_call`: its
signer is its sender. The answer comes sealed to a key of this one question, signed by the enclave
that ran it. It is believed if that enclave is a member, and if the block on whose state it ran is
certified, not older than the newest one that was seen here, and on its branch.

    asking = Queries(network, key)
    answer = asking.view(Notes, "mine")
    answer.values, answer.header.height

One enclave ran it: who breaks one may tell its askers lies. What is public is proved instead, by
the state root itself (`keymoot.proof`).
"""

import secrets
import time
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from keymoot.agent.errors import Unproven, WrongAnswer
from keymoot.agent.network import Network
from keymoot.agent.nodes import NodeTurn
from keymoot.agent.processes import stays_here
from keymoot.agent.reverted import word_of
from keymoot.agent.share import NotOurNode
from keymoot.base import hexes
from keymoot.base.abi.decode import decode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Nonce
from keymoot.contracts.framework.contract import Contract
from keymoot.contracts.framework.errors import ANY_REFUSAL, COMMON, selector_of
from keymoot.crypto import ed25519, hpke, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.signed_query import ANSWER, CONTENT, REPLY_INFO, SignedQuery
from keymoot.proof.committee import ProvenCommittee
from keymoot.store.header import Header

REACH = 64
"""How many blocks after the newest one seen a question still counts."""

MAX_ANSWER_BYTES = 4 * 1_024 * 1_024
"""Longest answer that is read."""

_ANSWER, _CONTENT = parameters(ANSWER), parameters(CONTENT)
_SELECTOR_BYTES = 4


class QueryReverted(Refused, code="QUERY_REVERTED"):
    """The contract says no, in a sealed answer.

    Attributes:
        data: Its error data, as Solidity writes it.
        reason: Its word, such as INSTANCE_EVICTED; empty where the data have none.
    """

    def __init__(self, words: str, data: bytes, reason: str) -> None:
        super().__init__(words)
        self.data, self.reason = data, reason


LATE_SECONDS, PAUSE_SECONDS = 10.0, 0.05
"""How long a node may take to write the block of which an enclave of its answered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a view gave.

    Results, the certified block on whose state it ran, and whose enclave ran it.
    """

    values: tuple[Any, ...]
    header: Header
    seat: int


@dataclass(frozen=True, slots=True)
class ConfidentialQuery:
    """One signed query, its digest, which the answer names, and what opens the answer."""

    to: Address
    signed: SignedQuery
    digest: Hash32
    secret: Secret

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the reply key."""
        stays_here("a question", "ask anew")


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """What a member's enclave told; not held against a certified block yet.

    `output` is what the call returned, or its error data where it is not `fine`; `height` and
    `name` are of the block on whose state it ran.
    """

    fine: bool
    height: Height
    name: Hash32
    output: bytes
    seat: int


class ConfidentialQueries:
    """Asks contracts in the name of one key: an owner's, a credential's, or a new one."""

    def __init__(self, network: Network, key: Secret) -> None:
        self._network, self._key = network, key
        self.address = secp256k1.address_of_secret(key)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the key."""
        stays_here("queries", "make them anew, from the key's own file")

    def view(self, contract: type[Contract], name: str, *arguments: Any) -> Answered:
        """Ask a view, by its name in the ABI; give its results, and the block of which they are.

        Raises:
            QueryReverted: the contract says no.
            NotOurNode: whoever signed the answer is no member.
            Unproven: the answer is of no certified block, of an older one, or of another branch.
            WrongAnswer: it is no answer to this question.
            NetworkRefused: no enclave answers, or it was too much work.
        """
        method = contract.method(name)
        committee = self._network.committee()
        question = self.ask(contract.ADDRESS, method.encode(arguments), committee.header)
        call = {"to": question.to.hex0x, "data": hexes.data(question.signed.encode())}
        proven, seconds = self._network.proven(), self._network.timeout_seconds

        def at_node(turn: NodeTurn) -> tuple[MemberAnswer, Header]:
            told = self.read(question, turn.call("eth_call", [call, "latest"], seconds), committee)
            header = committee.header
            self._check_height(told, header)
            if told.height != header.height:
                _await_block(turn, seconds, told.height)
                header = proven.certified(turn, seconds, told.height)
            if header.hash != told.name:
                raise Unproven(
                    f"the answer is of another block {told.height} than the certified one"
                )
            return told, header

        told, header = self._network.ask(at_node)
        if not told.fine:
            reason = word_of(told.output, contract.ERRORS)
            raise QueryReverted(_words(told.output, contract), told.output, reason)
        try:
            return Answered(method.decode_result(told.output), header, told.seat)
        except Malformed as error:
            raise WrongAnswer(f"{name} was answered by something else: {error}") from error

    def ask(self, to: Address, data: bytes, newest: Header) -> ConfidentialQuery:
        """Sign a question about the state after `newest`, or after a block that follows it."""
        identity = self._network.identity()
        secret = Secret(secrets.token_bytes(32))
        signed = SignedQuery(
            sender=self.address,
            data=data,
            # A node that says too much keeps it alive past our next transaction, within its reach.
            nonce=Nonce(self._network.count(self.address)),
            block=newest.height,
            block_hash=newest.hash,
            reach=REACH,
            reply_key=hpke.public_key(secret),
            signature=Signature65(bytes(Signature65.LENGTH)),
        )
        digest = signed.digest(identity.network, identity.chain_id, to)
        signed = replace(signed, signature=secp256k1.sign(self._key, digest))
        return ConfidentialQuery(to, signed, digest, secret)

    def read(
        self, question: ConfidentialQuery, answer: Any, committee: ProvenCommittee
    ) -> MemberAnswer:
        """Open an answer, after checking that a member gave it to this question."""
        network = self._network.identity().network
        try:
            raw = hexes.parse_data(answer, "answer", MAX_ANSWER_BYTES)
            node, sealed, signature = decode(_ANSWER, raw)
        except Malformed as error:
            raise WrongAnswer(f"a sealed answer is the ABI's {ANSWER}: {error}") from error
        # 1. A member gave it.
        seats = {key: at for at, key in committee.identities.items()}
        if Bytes32(node) not in seats:
            raise NotOurNode(Bytes32(node))
        # 2. It is the answer to this very question.
        named = keccak256(network + question.digest + sealed)
        if not ed25519.verify(Bytes32(node), named, signature):
            raise WrongAnswer(
                "the answer is not signed for this question by the node that it names"
            )
        # 3. It was sealed to this question's key.
        try:
            inside = hpke.open_with(question.secret, sealed, REPLY_INFO + network, question.digest)
            fine, height, name, output, _ = decode(_CONTENT, inside)
        except Malformed as error:
            raise WrongAnswer(f"the sealed answer does not open: {error}") from error
        return MemberAnswer(fine, Height(height), Hash32(name), output, seats[Bytes32(node)])

    @staticmethod
    def _check_height(told: MemberAnswer, newest: Header) -> None:
        if not newest.height <= told.height <= newest.height + REACH:
            raise Unproven(
                f"the answer is of block {told.height}, asked for were {newest.height} to "
                f"{newest.height + REACH}"
            )


def _words(data: bytes, contract: type[Contract]) -> str:
    """Say what error data means, as far as the contract tells."""
    errors = (*COMMON, *contract.ERRORS)
    signatures = [ANY_REFUSAL, *(error.SIGNATURE for error in errors)]
    for signature in signatures:
        if selector_of(signature) != data[:_SELECTOR_BYTES]:
            continue
        try:
            values = decode(parameters(signature), data[_SELECTOR_BYTES:])
        except Malformed:
            break
        if signature == ANY_REFUSAL:
            return str(values[1])
        return f"{contract.__name__} refuses: {signature.split('(')[0]}"
    return f"{contract.__name__} refuses, with error data 0x{data[:_SELECTOR_BYTES].hex()}"


def _await_block(turn: NodeTurn, seconds: float, height: Height) -> None:
    """Wait a while for a block: an enclave knows a certificate before its node has written it."""
    ends = time.monotonic() + LATE_SECONDS
    asked = [hexes.quantity(height)]
    while turn.call("keymoot_certified", asked, seconds) is None and time.monotonic() < ends:
        time.sleep(PAUSE_SECONDS)
