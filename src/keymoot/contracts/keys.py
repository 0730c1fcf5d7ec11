"""Keys: key material for its asker alone, put together by nobody else.

Asking costs gas and is public; what comes of it is not. A final block that holds the
question lets every enclave answer it with an ElGamal pair under the asker's one-time key;
any degree+1 answers make the key, at the asker's (`threshold.derived`). Asked again, by
the same account under the same name, it is the same key.

The account that asks is part of the key's name: nobody derives another's key.
"""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.base import rlp
from keymoot.base.fields import fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.cells import PublicMap
from keymoot.contracts.context import Context
from keymoot.contracts.contract import Contract, call, view
from keymoot.contracts.errors import Anonymous, ContractError
from keymoot.contracts.event import Event
from keymoot.contracts.types import address, boolean, bytes32, dynamic_bytes, uint64
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.derived import AskerKey
from keymoot.threshold.group import BadPoint
from keymoot.threshold.session import framed

DERIVE_GAS = 250_000
"""Gas for a question: a pairing here, and three multiplications in every enclave."""

MAX_NAME_BYTES = 256
MAX_WAIT_SECONDS = 3_600
"""How long a question may stay open."""

_QUESTION = b"keymoot/v1/keys/question"


class BadQuestion(ContractError):
    """Nothing that enclaves could answer."""

    code = "BAD_QUESTION"


@dataclass(frozen=True, slots=True)
class KeyAsked(Event):
    """An account asked for a key; `first` and `second` are its one-time public key.

    `question` names what enclaves answer.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("asker", "question")
    asker: address
    question: bytes32
    name: dynamic_bytes
    first: dynamic_bytes
    second: dynamic_bytes
    expires_at: uint64


@dataclass(frozen=True, slots=True)
class Question:
    """What the ledger remembers of a question.

    Attributes:
        asker: Who asked.
        height: The block that holds it.
        expires_at: Last second at which it is answered.
    """

    asker: Address
    height: Height
    expires_at: UnixSeconds

    def encode(self) -> bytes:
        """Give the cell's bytes."""
        return rlp.encode([self.asker, uint(self.height), uint(self.expires_at)])

    @staticmethod
    def decode(raw: bytes) -> "Question":
        """Read the cell's bytes.

        Raises:
            Malformed: not a question.
        """
        asker, height, expires_at = list_of(rlp.decode(raw), 3, "question")
        return Question(
            fixed_of(asker, Address, "asker"),
            Height(uint_of(height, "height", 8)),
            UnixSeconds(uint_of(expires_at, "expiresAt", 8)),
        )


class Keys(Contract):
    """Takes questions for keys."""

    ADDRESS = Address(b"keymoot".ljust(19, b"\0") + b"\x04")

    questions = PublicMap("question", bytes32, Question)

    @call(believes_from=True)
    def derive(
        self,
        ctx: Context,
        name: dynamic_bytes,
        first: dynamic_bytes,
        second: dynamic_bytes,
        expires_at: uint64,
    ) -> bytes32:
        """Ask for the caller's key of that name; give the question's own name.

        Args:
            ctx: The call.
            name: The caller's name for the key, up to 256 bytes.
            first: The one-time key in G1 of BLS12-381, 48 bytes.
            second: The same key in G2, 96 bytes.
            expires_at: Last second at which enclaves answer, at most an hour ahead.

        Raises:
            BadQuestion: not such a name, key or time; or it was asked before.
        """
        if ctx.sender is None:
            raise Anonymous
        if len(name) > MAX_NAME_BYTES:
            raise BadQuestion(f"a key's name has at most {MAX_NAME_BYTES} bytes, got {len(name)}")
        now = ctx.block.time
        if not now <= expires_at <= now + MAX_WAIT_SECONDS:
            raise BadQuestion(f"expiresAt is from {now} to {now + MAX_WAIT_SECONDS}")
        ctx.charge(DERIVE_GAS)
        try:
            AskerKey(bytes(first), bytes(second)).check()
        except BadPoint as error:
            raise BadQuestion(f"the one-time key is none: {error}") from error
        question = question_of(ctx.sender, bytes(name), bytes(first))
        if self.questions.get(ctx.public_store(), question) is not None:
            raise BadQuestion("this was asked before: use a one-time key once")
        asked = Question(ctx.sender, ctx.block.height, UnixSeconds(expires_at))
        self.questions.set(ctx.public_store(), question, asked)
        ctx.emit(KeyAsked(ctx.sender, question, name, first, second, expires_at))
        return question

    @view
    def question(self, ctx: Context, question: bytes32) -> tuple[boolean, address, uint64, uint64]:
        """Tell of a question: whether it is known, who asked, at which height, until when."""
        found = self.questions.get(ctx.public_store(), question)
        if found is None:
            return False, Address(bytes(20)), 0, 0
        return True, found.asker, found.height, found.expires_at


def question_of(asker: Address, name: bytes, first: bytes) -> Bytes32:
    """Name a question: the same for whoever computes it."""
    return Bytes32(keccak256(framed(_QUESTION, asker, name, first)))
