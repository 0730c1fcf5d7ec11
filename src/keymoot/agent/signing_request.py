"""One wish of an agent: sent once or several times, answered once.

A wish is a request of the ledger's own type, signed by the credential. Its id follows
from an idempotency key, and its reply key from the credential and that id, so that a
wish whose answer was lost can be repeated by anybody who holds the credential: the same
bytes again, or, from another process, a look at what the ledger already knows. The
ledger never decides one id twice: within a day it gives what it gave, or signs the same
digest, and afterwards it says that it is too late.
"""

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from keymoot.agent.credential import Credential
from keymoot.agent.errors import (
    AnswerLost,
    IdempotencyReused,
    NetworkBusy,
    NetworkRefused,
    NetworkUnreachable,
    NoNodeAnswers,
    NotKeymoot,
    RequestExpired,
    RequestForgotten,
    SignedElse,
    WrongAnswer,
)
from keymoot.agent.nodes import NodeSet, NodeTurn, write_urls
from keymoot.agent.processes import Forked
from keymoot.agent.proven_state import ProvenState
from keymoot.agent.reply import SYNC_SECONDS, Reply, collect, is_final
from keymoot.agent.rounds import STILL_COMING, Rounds
from keymoot.agent.seen import Seen
from keymoot.agent.share import ReleasedSignature, read_status, refusal_of
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.signable import AskedRequest, Signable
from keymoot.agent.transport import ConnectionLost
from keymoot.base import hexes
from keymoot.base.fixed import Hash32, RequestId
from keymoot.base.request import ASK_AGAIN, Request
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.committee.nonces.record import SeatBits
from keymoot.crypto import hpke, secp256k1
from keymoot.crypto.kdf import derive
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_digest, request_key
from keymoot.policy.errors import PolicyRefused

LIFETIME_SECONDS = 120
"""How long the ledger may take to accept and answer a wish."""

FINISH_SECONDS = 2.1
"""How long a node may gather shares beyond the block, and the way to us and back."""

MAX_REMEMBERED = 4_096
"""Unanswered wishes that are kept for repetition."""

MAX_NAMES = 64
"""Names under which one wish is asked again, by all processes together."""

MAX_AGAIN = 4
"""How often a wish is asked anew whose presignature too many enclaves have lost."""

AGAIN_PAUSE_SECONDS = 0.3
_OTHER_NETWORK = "WRONG_NETWORK"
"""The request is for another ledger than the one that reads it."""

_FORGOTTEN = "REQUEST_FORGOTTEN"
"""It was decided too long ago."""

_STOCK_EMPTY = "STOCK_EMPTY"
"""Too many wait for a presignature: ask in a moment."""

_ANSWERED, _REUSED, _FULL = "ALREADY_ANSWERED", "REQUEST_REUSED", "POOL_FULL"
"""Reasons of the ledger that are no verdict on the wish."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    idempotency_key: str
    raw: bytes
    body: Hash32
    key: Hash32
    reply_secret: Secret
    expires_at: UnixSeconds


@dataclass(slots=True)
class _Way:
    """How far a wish has come: some node may have it, or an earlier process may have sent it."""

    sent: bool
    look: bool


class SigningRequests(Forked):
    """Asks one wallet, with one credential, from any number of threads."""

    def __init__(
        self,
        credential: Credential,
        nodes: NodeSet,
        timeout_seconds: float,
        seen: Seen | None = None,
    ) -> None:
        super().__init__()
        self._credential = credential
        self._requester = credential.requester
        self._proven = ProvenState(credential.network, credential.verifying_key, seen)
        self._nodes = nodes
        self._timeout_seconds = timeout_seconds
        self._unanswered: dict[str, SigningRequest] = {}
        self._lock = threading.Lock()

    def begin_in_child(self) -> None:
        """Take a new lock. Wishes that are on their way stay known, to be repeated alike."""
        self._lock = threading.Lock()

    def close(self) -> None:
        self._proven.close()

    def ask(
        self, method: str, payload: bytes, wanted: Signable, idempotency_key: str | None
    ) -> ReleasedSignature:
        """Ask for one signature and wait for it.

        Args:
            method: One of `keymoot.base.request`'s SIGN_ names.
            payload: What to sign, as the method defines.
            wanted: What the signature must be of.
            idempotency_key: The caller's name for this wish; the same name gives the same
                answer for a day, in this process or another. None: a new wish.

        Raises:
            PolicyRefused: the wallet's policy says no; nothing was signed.
            NetworkRefused: the ledger says no: credential, quota, expiry.
            IdempotencyReused: the key was used for something else.
            NetworkUnreachable: nothing was sent.
            AnswerLost: something was sent, and no answer came in time.
            RequestForgotten: the key was used more than a day ago, and no answer is kept.
            RequestExpired, WrongAnswer: as their names say.
        """
        name = idempotency_key or secrets.token_hex(16)
        wish, repeated = self._wish(name, method, payload)
        look = idempotency_key is not None and not repeated
        deadline = time.monotonic() + self._timeout_seconds
        try:
            released = self._answered(wish, wanted, deadline, sent=repeated, look=look)
        except SignedElse as error:
            if idempotency_key is None:
                raise
            self._forget(name)
            raise IdempotencyReused(idempotency_key) from error
        except IdempotencyReused:
            # The name is another wish's: this one must not stand in that one's way.
            self._forget(name)
            raise
        if idempotency_key is None:
            self._forget(name)
        return released

    def _answered(
        self, wish: SigningRequest, wanted: Signable, deadline: float, *, sent: bool, look: bool
    ) -> ReleasedSignature:
        """Have a wish answered; ask again for an answer that nobody has any more.

        Too many enclaves may have lost what the wish was bound to, or its time ran out before
        anybody fetched it, as when an agent crashed. Asking again is for the same digest, and
        spends nothing. Each name of asking again is used once, by whichever process.
        """
        asking, silent, tries = wish, frozenset[int](), 0
        for number in range(1, MAX_NAMES + 1):
            try:
                released = self._delivered(asking, wanted, deadline, sent=sent, look=look)
            except TooFewShares as error:
                tries += 1
                late = time.monotonic() + AGAIN_PAUSE_SECONDS > deadline
                if late or tries > MAX_AGAIN + self._proven.faults:
                    raise
                silent |= error.silent
                if not silent:
                    time.sleep(AGAIN_PAUSE_SECONDS)
            except RequestExpired:
                if time.monotonic() > deadline:
                    raise
            except PolicyRefused as error:
                if asking is wish:
                    raise
                if error.reason == _FORGOTTEN:
                    raise RequestForgotten(wish.idempotency_key) from error
                if error.reason != _STOCK_EMPTY:
                    raise
                time.sleep(AGAIN_PAUSE_SECONDS)
            except AnswerLost as error:
                if asking is wish:
                    raise
                # The caller knows the wish by its own name only.
                raise error.named(wish.idempotency_key) from error
            else:
                self._forget_again(asking, wish)
                return released
            self._forget_again(asking, wish)
            payload = wish.key + (SeatBits.of(silent) if silent else b"")
            asking, sent = self._wish(_again(wish, number), ASK_AGAIN, payload)
            look = not sent
        return self._delivered(asking, wanted, deadline, sent=sent, look=look)

    def _forget_again(self, asking: SigningRequest, wish: SigningRequest) -> None:
        if asking is not wish:
            self._forget(asking.idempotency_key)

    def _wish(self, name: str, method: str, payload: bytes) -> tuple[SigningRequest, bool]:
        """Give the wish of this name, and whether it was made before."""
        body = keccak256(method.encode() + b"\0" + payload)
        with self._lock:
            known = self._unanswered.get(name)
            if known is not None and known.expires_at > time.time():
                if known.body != body:
                    raise IdempotencyReused(name)
                return known, True
            made = self._make(name, method, payload, body)
            while len(self._unanswered) >= MAX_REMEMBERED:
                del self._unanswered[next(iter(self._unanswered))]
            self._unanswered[name] = made
            return made, False

    def _make(self, name: str, method: str, payload: bytes, body: Hash32) -> SigningRequest:
        held = self._credential
        request_id = RequestId(keccak256(b"keymoot/idempotency/v1" + name.encode()))
        reply_secret = derive(held.key, "agent reply key", held.network, held.wallet, request_id)
        request = Request(
            network=held.network,
            wallet=held.wallet,
            request_id=request_id,
            expires_at=UnixSeconds(int(time.time()) + LIFETIME_SECONDS),
            method=method,
            payload=payload,
            reply_key=hpke.public_key(reply_secret),
        )
        raw = request.signed_bytes(secp256k1.sign(held.key, request_digest(request)))
        key = request_key(self._requester, request_id)
        return SigningRequest(name, raw, body, key, reply_secret, request.expires_at)

    def _reply(self, wish: SigningRequest, wanted: Signable) -> Reply:
        held = self._credential
        return Reply(AskedRequest(held.network, wish.key, self._proven, wish.reply_secret), wanted)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._unanswered.pop(name, None)

    def _known(self, turn: NodeTurn, wish: SigningRequest) -> bool:
        """Tell whether a block has decided a request of this id.

        IdempotencyReused if for another.
        """
        record = turn.call("keymoot_getRequest", [wish.key.hex0x], self._timeout_seconds)
        if not isinstance(record, dict) or record.get("known") is not True:
            return False
        # Whichever seats it left out, who asks again asks for the same.
        if record.get("method") != ASK_AGAIN and record.get("asked") not in (None, wish.body.hex0x):
            raise IdempotencyReused(wish.idempotency_key)
        return True

    def _delivered(
        self, wish: SigningRequest, wanted: Signable, deadline: float, *, sent: bool, look: bool
    ) -> ReleasedSignature:
        """Send the same bytes, to one node after the other, until there is an answer, or no time.

        `look`: an earlier process may have sent a wish of this name.
        """
        reply, way = self._reply(wish, wanted), _Way(sent, look)
        rounds = Rounds(self._nodes, deadline - time.monotonic())

        def at_node(turn: NodeTurn) -> ReleasedSignature:
            answer = self._attempt(wish, turn, way)
            return reply.settle(turn, answer, self._timeout_seconds)

        try:
            return rounds.ask(at_node)
        except (NetworkUnreachable, NetworkBusy) as error:
            if way.sent:
                raise AnswerLost(str(error), wish.idempotency_key) from error
            self._forget(wish.idempotency_key)
            raise
        except ConnectionLost as error:
            raise AnswerLost(str(error), wish.idempotency_key) from error
        except NoNodeAnswers as error:
            raise AnswerLost(str(error), wish.idempotency_key, error.nodes) from error
        except (NetworkRefused, PolicyRefused, IdempotencyReused, NotKeymoot):
            self._forget(wish.idempotency_key)
            raise

    def _attempt(self, wish: SigningRequest, turn: NodeTurn, way: _Way) -> dict[str, Any]:
        """Give the answer of one node, which is not checked yet."""
        if way.look and not way.sent and self._known(turn, wish):
            return collect(turn, wish.key, wish.idempotency_key)
        left = turn.left_seconds
        # Who can be passed over answers within its turn; nobody waits longer than for a block.
        wait = left if turn.alone else max(left - FINISH_SECONDS, left / 4)
        try:
            # Both steps in one exchange: bound in a final block, then released.
            answer = turn.call(
                "keymoot_ask",
                [hexes.data(wish.raw), max(1, int(1_000 * min(wait, SYNC_SECONDS)))],
                left,
            )
        except ConnectionLost:
            way.sent = True
            raise
        except NetworkRefused as error:
            self._check_verdict(wish, turn, error, sent=way.sent)
        else:
            way.sent = True
            if not isinstance(answer, dict):
                raise WrongAnswer("keymoot_ask was answered by something else: is it Keymoot RPC?")
            if is_final(answer):
                return answer
            if not turn.alone:
                # It has waited as long as it should: others may have what it has not.
                raise AnswerLost(f"it is {read_status(answer)}", wish.idempotency_key)
        way.sent = True
        return collect(turn, wish.key, wish.idempotency_key)

    def _check_verdict(
        self, wish: SigningRequest, turn: NodeTurn, error: NetworkRefused, *, sent: bool
    ) -> None:
        """Raise what the ledger's error means, or return if an answer is still to come."""
        reason = error.data.get("reason") if isinstance(error.data, dict) else None
        if error.rpc_code in STILL_COMING or reason == _ANSWERED:
            return
        told = {"code": error.rpc_code, "message": str(error), "data": error.data}
        if reason == _FULL:
            raise NetworkBusy(str(error)) from error
        if reason == _OTHER_NETWORK:
            raise NotKeymoot(
                turn.url,
                f"the RPC of another Keymoot network than {self._credential.network.hex0x}, which "
                f"granted the credential at {write_urls(self._credential.urls)}",
            ) from error
        # An earlier copy may have arrived, of this process or of another that uses the name:
        # then this one is refused, and that one counts.
        if (sent or reason == _REUSED) and self._known(turn, wish):
            return
        if reason == _REUSED:
            raise IdempotencyReused(wish.idempotency_key) from error
        raise refusal_of(told) from error


def _again(wish: SigningRequest, number: int) -> str:
    """Name a wish to ask again; no caller's name begins so."""
    return f"\0again/{number}/{wish.idempotency_key}"
