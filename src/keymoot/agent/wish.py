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
    NotKeymoot,
    RequestExpired,
    RequestForgotten,
    SignedElse,
    WrongAnswer,
)
from keymoot.agent.gathering import TooFewShares
from keymoot.agent.moot import assembled
from keymoot.agent.processes import Forked
from keymoot.agent.reply import Reply
from keymoot.agent.roster import Roster
from keymoot.agent.seen import Seen
from keymoot.agent.share import Released, Status, read_status, refusal_of
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.agent.wanted import Asked, Wanted
from keymoot.base import hexes
from keymoot.base.fixed import Hash32, RequestId
from keymoot.base.request import ASK_AGAIN, Request
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.crypto import hpke, secp256k1
from keymoot.crypto.kdf import derive
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_digest, request_key
from keymoot.moot.slot import write_seats
from keymoot.policy.errors import PolicyRefused

LIFETIME_SECONDS = 120
"""How long the ledger may take to accept and answer a wish."""

PATIENCE_SECONDS = 2.0
"""How long a network that cannot even be reached is tried."""

SYNC_SECONDS = 20.0
"""Longest wait for a block in one exchange."""

MAX_REMEMBERED = 4_096
"""Unanswered wishes that are kept for repetition."""

MAX_NAMES = 64
"""Names under which one wish is asked again, by all processes together."""

MAX_AGAIN = 4
"""How often a wish is asked anew whose presignature too many enclaves have lost."""

AGAIN_PAUSE_SECONDS = 0.3
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25
_STILL_COMING = (4, 5)
"""Errors of EIP-7966 that mean: accepted, but no receipt within the time."""
_OTHER_NETWORK = "WRONG_NETWORK"
"""The request is for another ledger than the one that reads it."""

_FORGOTTEN = "REQUEST_FORGOTTEN"
"""It was decided too long ago."""

_STOCK_EMPTY = "STOCK_EMPTY"
"""Too many wait for a presignature: ask in a moment."""

_ANSWERED, _REUSED, _FULL = "ALREADY_ANSWERED", "REQUEST_REUSED", "POOL_FULL"
"""Reasons of the ledger that are no verdict on the wish."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A signed request and what is needed to read its answer."""

    idempotency_key: str
    raw: bytes
    body: Hash32
    key: Hash32
    reply_secret: Secret
    expires_at: UnixSeconds


class Wishes(Forked):
    """Asks one wallet, with one credential, from any number of threads."""

    def __init__(
        self,
        credential: Credential,
        transport: Transport,
        timeout_seconds: float,
        seen: Seen | None = None,
    ) -> None:
        """Keep what is needed; nothing is sent yet."""
        super().__init__()
        self._credential = credential
        self._requester = credential.requester
        self._roster = Roster(credential.network, credential.verifying_key, seen)
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._unanswered: dict[str, Wish] = {}
        self._lock = threading.Lock()

    def begin_in_child(self) -> None:
        """Take a new lock. Wishes that are on their way stay known, to be repeated alike."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Write down what was seen of the network."""
        self._roster.close()

    def ask(
        self, method: str, payload: bytes, wanted: Wanted, idempotency_key: str | None
    ) -> Released:
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
        try:
            answer = self._deliver(wish, sent=repeated, look=look)
            released = self._settle(wish, answer, wanted)
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

    def _settle(self, wish: Wish, answer: dict[str, Any], wanted: Wanted) -> Released:
        """Read an answer; ask again for one that is lost.

        Too many enclaves may have lost what the wish was bound to, or its time ran out before
        anybody fetched it, as when an agent crashed. Asking again is for the same digest, and
        spends nothing. Each name of asking again is used once, by whichever process.
        """
        deadline = time.monotonic() + self._timeout_seconds
        reply, silent, tries = self._reply(wish, wanted), frozenset[int](), 0
        for number in range(1, MAX_NAMES + 1):
            try:
                return reply.settle(self._transport, answer, deadline)
            except TooFewShares as error:
                tries += 1
                if time.monotonic() > deadline or tries > MAX_AGAIN + self._roster.faults:
                    raise
                silent |= error.silent
                if not silent:
                    time.sleep(AGAIN_PAUSE_SECONDS)
            except RequestExpired:
                if time.monotonic() > deadline:
                    raise
            payload = wish.key + (write_seats(silent) if silent else b"")
            again, repeated = self._wish(_again(wish, number), ASK_AGAIN, payload)
            try:
                answer = self._deliver(again, sent=repeated, look=not repeated)
            except PolicyRefused as error:
                if error.reason == _FORGOTTEN:
                    raise RequestForgotten(wish.idempotency_key) from error
                if error.reason != _STOCK_EMPTY:
                    raise
                time.sleep(AGAIN_PAUSE_SECONDS)
                continue
            reply = self._reply(again, wanted)
            self._forget(again.idempotency_key)
        return reply.settle(self._transport, answer, deadline)

    def _wish(self, name: str, method: str, payload: bytes) -> tuple[Wish, bool]:
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

    def _make(self, name: str, method: str, payload: bytes, body: Hash32) -> Wish:
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
        return Wish(name, raw, body, key, reply_secret, request.expires_at)

    def _reply(self, wish: Wish, wanted: Wanted) -> Reply:
        held = self._credential
        return Reply(Asked(held.network, wish.key, self._roster, wish.reply_secret), wanted)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._unanswered.pop(name, None)

    def _known(self, wish: Wish) -> bool:
        """Tell whether a block has decided a request of this id.

        Raises:
            IdempotencyReused: it asked for something else.
        """
        found = self._transport.call("keymoot_getRequest", [wish.key.hex0x], self._timeout_seconds)
        if not isinstance(found, dict) or found.get("known") is not True:
            return False
        # Whichever seats it left out, who asks again asks for the same.
        if found.get("method") != ASK_AGAIN and found.get("asked") not in (None, wish.body.hex0x):
            raise IdempotencyReused(wish.idempotency_key)
        return True

    def _deliver(self, wish: Wish, *, sent: bool, look: bool) -> dict[str, Any]:
        """Send the same bytes until there is an answer, or no time.

        `look`: an earlier process may have sent a wish of this name.
        """
        start = time.monotonic()
        deadline = start + self._timeout_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._attempt(wish, deadline, sent=sent, look=look)
            except NetworkUnreachable as error:
                now = time.monotonic()
                if not sent and (now - start > PATIENCE_SECONDS or now + pause > deadline):
                    self._forget(wish.idempotency_key)
                    raise
                why = str(error)
            except ConnectionLost as error:
                sent, why = True, str(error)
            except NetworkBusy as error:
                if not sent and time.monotonic() + pause > deadline:
                    self._forget(wish.idempotency_key)
                    raise
                why = str(error)
            if time.monotonic() + pause > deadline:
                raise AnswerLost(why, wish.idempotency_key)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _attempt(self, wish: Wish, deadline: float, *, sent: bool, look: bool) -> dict[str, Any]:
        if look and not sent and self._known(wish):
            return collect(self._transport, wish.key, deadline, wish.idempotency_key)
        left = max(deadline - time.monotonic(), 0.001)
        try:
            # Both steps in one exchange: bound in a final block, then released.
            answer = self._transport.call(
                "keymoot_ask", [hexes.data(wish.raw), int(1_000 * min(left, SYNC_SECONDS))], left
            )
        except NetworkRefused as error:
            self._check_verdict(wish, error, sent=sent)
        else:
            if not isinstance(answer, dict):
                raise WrongAnswer("keymoot_ask was answered by something else: is it Keymoot RPC?")
            if is_final(answer):
                return answer
        return collect(self._transport, wish.key, deadline, wish.idempotency_key)

    def _check_verdict(self, wish: Wish, error: NetworkRefused, *, sent: bool) -> None:
        """Raise what the ledger's error means, or return if an answer is still to come."""
        reason = error.data.get("reason") if isinstance(error.data, dict) else None
        if error.rpc_code in _STILL_COMING or reason == _ANSWERED:
            return
        told = {"code": error.rpc_code, "message": str(error), "data": error.data}
        if reason == _FULL:
            raise NetworkBusy(str(error)) from error
        if reason == _OTHER_NETWORK:
            self._forget(wish.idempotency_key)
            raise NotKeymoot(
                self._transport.url,
                f"the RPC of another Keymoot network than {self._credential.network.hex0x}, which "
                f"granted the credential at {self._credential.url}",
            ) from error
        # An earlier copy may have arrived, of this process or of another that uses the name:
        # then this one is refused, and that one counts.
        if (sent or reason == _REUSED) and self._known(wish):
            return
        self._forget(wish.idempotency_key)
        if reason == _REUSED:
            raise IdempotencyReused(wish.idempotency_key) from error
        raise refusal_of(told) from error


def _again(wish: Wish, number: int) -> str:
    """Name a wish to ask again; no caller's name begins so."""
    return f"\0again/{number}/{wish.idempotency_key}"


def is_final(answer: dict[str, Any]) -> bool:
    """Tell whether an answer will not change: released, refused, expired, or stopped."""
    waits = read_status(answer) in (Status.WAITING, Status.BOUND)
    return not waits or answer.get("refusal") is not None or assembled(answer)


def collect(
    transport: Transport, request_key: Hash32, deadline: float, idempotency_key: str
) -> dict[str, Any]:
    """Fetch the answer to a request that is on the ledger, or about to be.

    Args:
        transport: Keymoot RPC.
        request_key: keccak256(requester ‖ request id).
        deadline: By the monotonic clock, in seconds.
        idempotency_key: For the error, should time run out.

    Raises:
        AnswerLost: still none at the deadline.
        NetworkUnreachable, ConnectionLost, WrongAnswer: as `Transport.get`.
    """
    pause = _FIRST_PAUSE_SECONDS
    word = "nothing is known of it"
    while True:
        left = max(deadline - time.monotonic(), 0.001)
        wait = int(1_000 * min(0.9 * left, SYNC_SECONDS))
        try:
            answer = transport.get(f"/shares/{request_key.hex0x}?wait={wait}", left)
        except NetworkBusy:
            answer = None
        if answer is not None:
            if is_final(answer):
                return answer
            word = f"it is {read_status(answer)}"
        if time.monotonic() + pause > deadline:
            raise AnswerLost(f"after the whole time, {word}", idempotency_key)
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE_SECONDS)
