"""Keys: key material for its asker alone, put together by nobody else.

Asking costs gas and is public; what comes of it is not. A final block that holds the
question lets every enclave answer it with an ElGamal pair under the asker's one-time key;
any degree+1 answers make the key, at the asker's (`threshold.derived`). Asked again, by
the same account under the same name, it is the same key.

The account that asks is part of the key's name: nobody derives another's key. Where it is an
instance of an app, it may ask for the app's keys too, and then the app is part of the name.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from keymoot.base.fixed import Address, AppId, Hash32
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import STANDING_ERRORS
from keymoot.contracts.framework.cells import PublicMap
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import Contract, built_in, call, view
from keymoot.contracts.framework.errors import Anonymous, ToldInWords
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.types import uint8
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
_APP_QUESTION = b"keymoot/v1/keys/app-question"


class AppKeyKind(IntEnum):
    """What a key of an app is for: each kind is another key, the first four as ROFL numbers them.

    A secret of 32 or 48 bytes, the seed of an Ed25519 key, or a secret key of secp256k1 or X25519.
    """

    RAW_256 = 1
    RAW_384 = 2
    ED25519 = 3
    SECP256K1 = 4
    X25519 = 5


class BadQuestion(ToldInWords, code="BAD_QUESTION"):
    """Nothing that enclaves could answer."""

    SIGNATURE = "BadQuestion(string)"


@dataclass(frozen=True, slots=True)
class KeyAsked(Event):
    """An account asked for a key; `first` and `second` are its one-time public key.

    `question` names what enclaves answer.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("asker", "question")
    asker: Address
    question: Hash32
    name: bytes
    first: bytes
    second: bytes
    expires_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class AppKeyAsked(Event):
    """An instance asked for a key of its app; else as KeyAsked. Which instance, changes no key."""

    INDEXED: ClassVar[tuple[str, ...]] = ("asker", "app", "question")
    asker: Address
    app: AppId
    question: Hash32
    kind: uint8
    key_id: bytes
    first: bytes
    second: bytes
    expires_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class Question(Record):
    """What the ledger remembers of a question.

    The block that holds it, and until when it is answered.
    """

    asker: Address
    height: Height
    expires_at: UnixSeconds


_KINDS = frozenset(AppKeyKind)


class Keys(Contract):
    """Takes questions for keys."""

    ADDRESS = built_in(4)
    ERRORS = (*STANDING_ERRORS, BadQuestion)
    EVENTS = (AppKeyAsked, KeyAsked)

    questions = PublicMap("question", Hash32, Question)

    @call(believes_from=True)
    def derive(
        self, ctx: Context, name: bytes, first: bytes, second: bytes, expires_at: UnixSeconds
    ) -> Hash32:
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
        question = question_of(ctx.sender, name, first)
        self._ask(ctx, ctx.sender, question, name, AskerKey(first, second), expires_at)
        ctx.emit(KeyAsked(ctx.sender, question, name, first, second, expires_at))
        return question

    @call(believes_from=True)
    def derive_for_app(
        self,
        ctx: Context,
        kind: uint8,
        key_id: bytes,
        first: bytes,
        second: bytes,
        expires_at: UnixSeconds,
    ) -> Hash32:
        """Ask for a key of the app of which the caller is a live instance; else as `derive`.

        The key is the app's: the same for every instance, whatever its code, forever.

        Raises:
            BadQuestion: as `derive`, or no such kind (1 to 5, see `AppKeyKind`).
            RawKeysRefused: the app's policy gives no keys away.
            NotRegistered, MeasurementEvicted, RegistrationExpired and others of Apps: the caller
                is no live instance.
        """
        if ctx.sender is None:
            raise Anonymous
        if kind not in _KINDS:
            raise BadQuestion("a key of an app is of kind 1 to 5")
        app = ctx.call(Apps.key_holder, ctx.sender)
        question = app_question_of(ctx.sender, app, kind, key_id, first)
        self._ask(ctx, ctx.sender, question, key_id, AskerKey(first, second), expires_at)
        ctx.emit(AppKeyAsked(ctx.sender, app, question, kind, key_id, first, second, expires_at))
        return question

    def _ask(
        self,
        ctx: Context,
        asker: Address,
        question: Hash32,
        name: bytes,
        to: AskerKey,
        expires_at: UnixSeconds,
    ) -> None:
        """Check what enclaves are to answer, and remember that it was asked."""
        if len(name) > MAX_NAME_BYTES:
            raise BadQuestion(f"a key's name has at most {MAX_NAME_BYTES} bytes, got {len(name)}")
        now = ctx.block.time
        if not now <= expires_at <= now + MAX_WAIT_SECONDS:
            raise BadQuestion(f"expiresAt is from {now} to {now + MAX_WAIT_SECONDS}")
        ctx.charge(DERIVE_GAS)
        try:
            to.check()
        except BadPoint as error:
            raise BadQuestion(f"the one-time key is none: {error}") from error
        if self.questions.get(ctx.public_store(), question) is not None:
            raise BadQuestion("this was asked before: use a one-time key once")
        asked = Question(asker, ctx.block.height, expires_at)
        self.questions.set(ctx.public_store(), question, asked)

    @view
    def question(self, ctx: Context, question: Hash32) -> tuple[bool, Address, Height, UnixSeconds]:
        """Tell of a question: whether it is known, who asked, at which height, until when."""
        height = self.questions.get(ctx.public_store(), question)
        if height is None:
            return False, Address(bytes(20)), Height(0), UnixSeconds(0)
        return True, height.asker, height.height, height.expires_at


def question_of(asker: Address, name: bytes, first: bytes) -> Hash32:
    return keccak256(framed(_QUESTION, asker, name, first))


def app_question_of(asker: Address, app: AppId, kind: int, key_id: bytes, first: bytes) -> Hash32:
    return keccak256(framed(_APP_QUESTION, asker, app, bytes((kind,)), key_id, first))
