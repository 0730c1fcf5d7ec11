"""One share for each bound request: the assembly's custody, inside the enclave.

A share leaves for a request that a final block has bound, once the requester shows the
beacon of that block, until the request expires, or its wallet is paused, or its credential
revoked. What makes it is burned before: asked again, the same sealed bytes come back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.errors import Fault, KeymootError, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave.answer import SHARE_INFO, Answer, signed_answer
from keymoot.enclave.beacon_book import BeaconBook
from keymoot.enclave.deriver import Deriver
from keymoot.enclave.follower import Followed, Follower
from keymoot.enclave.held import Held, NotASigner, hold, hold_presignature
from keymoot.moot.batch import PresignatureId
from keymoot.moot.commitments import write_complaint
from keymoot.moot.duty import Message
from keymoot.moot.message import Kind
from keymoot.moot.outcome import Binding, KeyAsk
from keymoot.moot.party import Party
from keymoot.moot.roots import DERIVE
from keymoot.threshold.errors import Cheated

KEPT_SECONDS = 60
"""How long an expired request is remembered, so that its refusal can say why."""


class NotHeld(Refused):
    """This enclave holds nothing for the request."""

    code = "NOT_HELD"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this node started anew since the request was bound: ask the others")


@dataclass(slots=True)
class _Open:
    """A bound request until it is over."""

    binding: Binding
    generation: Hash32
    held: Held | None
    answer: Answer | None = None


@dataclass
class Cosigner:
    """Answers for what its follower has seen bound."""

    follower: Follower
    party: Party
    identity: SigningKey
    clock: Callable[[], UnixSeconds]
    say: Callable[[Hash32, list[Message]], None]
    beacons: BeaconBook = field(init=False)
    deriver: Deriver = field(init=False)
    _open: dict[Hash32, _Open] = field(default_factory=dict)
    _generation: Hash32 | None = None
    _noted: Height = Height(0)
    _swept: UnixSeconds = UnixSeconds(0)

    def __post_init__(self) -> None:
        """Begin with nothing bound."""
        self.beacons = BeaconBook(self.follower, self.party)
        self.deriver = Deriver(self.identity)

    def note(self, height: Height, followed: Followed) -> bytes:
        """Take over what a block bound and asked; give our share of its beacon, or nothing.

        A height counts once in a start. A server may have us begin again further down, and
        tell of other receipts there: a second share would make a second beacon of one height,
        under which one presignature could sign twice.
        """
        if height <= self._noted:
            return b""
        self._noted = height
        # A new generation wipes every one-time secret of the ones before.
        if followed.generation != self._generation:
            self._generation = followed.generation
            for one in self._open.values():
                one.held = None
        for binding in followed.bindings:
            held = hold(self.party, self.party.shares, followed.generation, binding)
            self._open[binding.request] = _Open(binding, followed.generation, held)
        self.deriver.note(followed)
        self._forget()
        return self.beacons.note(height, followed)

    def begin_anew(self) -> None:
        """Let go of what is bound: what blocks that we were not shown say of it is not known."""
        self._open.clear()

    def answer(self, request: Hash32, signature: bytes) -> Answer:
        """Answer one request.

        Args:
            request: Its name on the ledger.
            signature: The combined beacon of the height that bound it, 48 bytes.
        """
        try:
            return self._answer(request, signature)
        except (Refused, Fault) as error:
            return Answer(request, b"", b"", error.code, str(error))
        except KeymootError as error:
            return Answer(request, b"", b"", error.code, "the request cannot be answered")

    def _answer(self, request: Hash32, signature: bytes) -> Answer:
        # 1. A final block that we followed has bound it, and no later start has our seat.
        if not self.party.seated(self.follower.assembly):
            raise NotHeld
        ask = self.deriver.find(request)
        if ask is not None:
            return self._derived(ask, signature)
        found = self._open.get(request)
        if found is None:
            raise NotHeld
        binding = found.binding
        # 2. It may still be answered, by the later of ledger time and our clock.
        self._check_time(binding.expires_at)
        if self.follower.stopped(binding):
            raise Stopped("the wallet was paused, or the credential revoked")
        # 3. Enough enclaves executed that block as we did: there is a beacon over it.
        value = self.beacons.value(binding.height, signature)
        if found.answer is not None:
            return found.answer
        # 4. What makes the share is burned before it leaves.
        held, found.held = found.held or self._late(found), None
        if held is None:
            raise NotHeld
        network = self.follower.genesis.network
        try:
            content = held.share(network, found.generation, binding, value)
        except Cheated as error:
            self._accuse(binding, error.party)
            raise
        found.answer = self._sealed(binding, content)
        return found.answer

    def _late(self, found: _Open) -> Held | None:
        """Take what was not there yet when the request was bound."""
        means, index = found.binding.means, self.party.index
        if isinstance(means, PresignatureId):
            return hold_presignature(self.party, self.party.shares, found.generation, means)
        if index not in {slot.seat for slot in means}:
            raise NotASigner
        return None

    def _accuse(self, binding: Binding, seat: int) -> None:
        """Tell the ledger whose commitment is no point."""
        for slot in () if isinstance(binding.means, PresignatureId) else binding.means:
            if slot.seat == seat:
                said = [(Kind.BAD_NONCE, write_complaint(slot))]
                self.say(self.follower.generation, said)

    def _sealed(self, binding: Binding, content: bytes) -> Answer:
        network = self.follower.genesis.network
        sealed = hpke.seal_to(binding.reply_key, content, SHARE_INFO + network, binding.request)
        return signed_answer(network, binding.request, sealed, self.identity)

    def _derived(self, ask: KeyAsk, signature: bytes) -> Answer:
        self._check_time(ask.expires_at)
        self.beacons.value(ask.height, signature)
        share = self.party.shares.get(DERIVE)
        if share is None:
            raise NotHeld
        return self.deriver.answer(ask.question, share, self.follower.genesis.network)

    def _check_time(self, expires_at: UnixSeconds) -> None:
        if max(self.follower.time, self.clock()) > expires_at:
            raise Stopped("the request has expired: ask again with a new id")

    def _forget(self) -> None:
        """Forget what is over, now and then."""
        if self.follower.time < self._swept + KEPT_SECONDS:
            return
        self._swept = self.follower.time
        oldest = UnixSeconds(self.follower.time - KEPT_SECONDS)
        for name in [one for one, open_ in self._open.items() if open_.binding.expires_at < oldest]:
            del self._open[name]
        self.deriver.forget(oldest)
        alive = {one.binding.height for one in self._open.values()}
        self.beacons.forget(alive | self.deriver.heights())


class Stopped(Refused):
    """The request may not be answered any more."""

    code = "NOT_BOUND"
