"""What requests get: each under the certificate of the very block that bound it.

A presignature (ECDSA) or a pair of nonces (FROST) is taken out of the seat's mind when the
block that binds it is executed, and waits for that block's certificate. If a later block's
comes first, it is burned. Derived keys and Vault's signatures hold nothing that serves once.
Whatever was answered is given again as the same bytes, until the request is over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.errors import BrokenStorage, Fault, KeymootError, Refused
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.record import BOUND
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave.answer import SHARE_INFO, Answer, Rests, signed_answer
from keymoot.enclave.bound import Bound
from keymoot.enclave.deriver import derive_answer
from keymoot.enclave.held import Held, NotASigner, hold, hold_presignature
from keymoot.enclave.releasing import Releaser
from keymoot.enclave.signing import Mark
from keymoot.moot.batch import PresignatureId
from keymoot.moot.commitments import write_complaint
from keymoot.moot.duty import Message
from keymoot.moot.message import Kind
from keymoot.moot.outcome import Binding, KeyAsk
from keymoot.moot.party import Party
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import DERIVE
from keymoot.runtime.release import find_record, stopped
from keymoot.store.state import State
from keymoot.threshold.errors import Cheated

KEPT_SECONDS = 60
"""How long an expired request is remembered, so that its refusal can say why."""

Say = Callable[[list[Message]], None]


class NotHeld(Refused):
    """This enclave holds nothing for the request."""

    code = "NOT_HELD"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "this enclave holds nothing for the request: ask the others, or ask `again`"
        )


class Stopped(Refused):
    """The request may not be answered any more."""

    code = "NOT_BOUND"


@dataclass(frozen=True, slots=True)
class Moment:
    """As of when requests are answered: the newest certified state.

    Attributes:
        mark: Its block.
        time: Its block's.
        state: Itself.
        now: The later of its time and the clock.
        shares: Ours, of the epoch in which it lives.
        seated: Whether it names our start: if not, nothing is answered.
    """

    mark: Mark
    time: UnixSeconds
    state: State
    now: UnixSeconds
    shares: Shares
    seated: bool


@dataclass(slots=True)
class _Open:
    """What a block bound, until it is over.

    Attributes:
        what: A binding, a question for a key, or the name of a request in Vault's custody.
        height: The block's.
        expires_at: Last second at which it is answered; None where a record says it.
        held: What makes our share; None where there is nothing (yet).
        burned: Whether nothing may serve it any more.
        value: The value of the block's own certificate; None until it was shown.
        generation: The one after the block.
    """

    what: Binding | KeyAsk | Hash32
    height: Height
    expires_at: UnixSeconds | None
    generation: Hash32
    held: Held | None = None
    burned: bool = False
    value: bytes | None = None
    answer: Answer | None = None


@dataclass
class Answers:
    """All requests that this start saw bound, and may still answer."""

    party: Party
    identity: SigningKey
    network: NetworkId
    releaser: Releaser
    say: Say
    _open: dict[Hash32, _Open] = field(default_factory=dict)
    _swept: UnixSeconds = UnixSeconds(0)

    def bind(self, height: Height, generation: Hash32, shares: Shares, bound: Bound) -> None:
        """Take what a block that was just executed bound.

        In a block that begins a generation nothing is left to bind after the order, and what
        was bound before it is burned: `bound` has no bindings then.

        Args:
            height: The block's.
            generation: The one after it.
            shares: Ours, of the epoch after it.
            bound: What it bound, as our own receipts tell.
        """
        for one in bound.bindings:
            held = hold(self.party, shares, generation, one)
            self._open[one.request] = _Open(one, height, one.expires_at, generation, held)
        for ask in bound.asks:
            self._open[ask.question] = _Open(ask, height, ask.expires_at, generation)
        for request in bound.allowed:
            if request not in self._open:
                self._open[request] = _Open(request, height, None, generation)

    def wipe(self) -> None:
        """Burn all that serves once: another generation has begun."""
        for one in self._open.values():
            one.held, one.burned = None, True

    def certify(self, height: Height, value: bytes, state: State) -> None:
        """Note the certificate of a block.

        What lower blocks bound, and no certificate of their own has come for, is burned.

        Args:
            height: The block's.
            value: The value of its certificate, 32 bytes.
            state: The one after it.
        """
        for name, one in list(self._open.items()):
            if one.height > height or not self._settle(name, one, state):
                continue
            if one.height == height:
                one.value = value
            elif one.value is None and isinstance(one.what, Binding):
                del self._open[name]

    def bound_at(self, height: Height) -> list[Hash32]:
        """Give the names of what a block bound, and may still be answered."""
        return [name for name, one in self._open.items() if one.height == height]

    def _settle(self, name: Hash32, one: _Open, state: State) -> bool:
        """Let go of what was allowed and only waits for stock; note when the rest expires."""
        if one.expires_at is not None:
            return True
        record = find_record(state, name)
        if record is None or record.status != BOUND or record.bound_to:
            del self._open[name]
            return False
        one.expires_at = record.expires_at
        return True

    def answer(self, request: Hash32, moment: Moment, *, rests: bool = False) -> Answer:
        """Answer one request as of a moment; a refusal is an answer too.

        Args:
            request: Its name.
            moment: As of when.
            rests: Whether others make an ECDSA signature: ours is kept for when it is asked for.

        Raises:
            BrokenStorage: the state is not what was certified.
        """
        try:
            if rests and self._others_can(request):
                raise Rests
            return self._answer(request, moment)
        except BrokenStorage:
            raise
        except (Refused, Fault) as error:
            return Answer(request, b"", b"", error.code, str(error))
        except KeymootError as error:
            return Answer(request, b"", b"", error.code, "the request cannot be answered")

    def forget(self, time: UnixSeconds) -> None:
        """Forget what is over, now and then, by the ledger's time."""
        if time < self._swept + KEPT_SECONDS:
            return
        self._swept = time
        for name, one in list(self._open.items()):
            if one.expires_at is not None and one.expires_at + KEPT_SECONDS < time:
                del self._open[name]

    def _others_can(self, request: Hash32) -> bool:
        """Tell whether a presignature serves a request: that needs a part of all seats only."""
        found = self._open.get(request)
        what = None if found is None or found.answer is not None else found.what
        return isinstance(what, Binding) and isinstance(what.means, PresignatureId)

    def _answer(self, request: Hash32, moment: Moment) -> Answer:
        # 1. Our own block bound it, a certificate covers that, and no other start has our seat.
        if not moment.seated:
            raise NotHeld
        found = self._open.get(request)
        if found is None:
            return self._release(request, moment)
        if found.height > moment.mark.height:
            raise NotHeld
        # 2. It may still be answered: nobody has stopped it, and it has not expired.
        if found.expires_at is not None and moment.now > found.expires_at:
            raise Stopped("the request has expired: ask again with a new id")
        if isinstance(found.what, Hash32):
            return self._release(found.what, moment)
        if isinstance(found.what, KeyAsk):
            return self._derive(found.what, found, moment)
        self._check_record(request, moment)
        if found.answer is not None:
            return found.answer
        # 3. The certificate of its very block was shown, and no generation has begun since.
        if found.value is None or found.burned:
            raise NotHeld
        # 4. What makes the share is burned before it leaves.
        held, found.held = found.held or self._late(found.what, found, moment), None
        if held is None:
            raise NotHeld
        found.answer = self._share(found.what, held, found.generation, found.value)
        return found.answer

    def _share(self, binding: Binding, held: Held, generation: Hash32, value: bytes) -> Answer:
        try:
            content = held.share(self.network, generation, binding, value)
        except Cheated as error:
            self._accuse(binding, error.party)
            raise
        return self._sealed(binding.reply_key, content, binding.request)

    def _late(self, binding: Binding, found: _Open, moment: Moment) -> Held | None:
        """Take what was not there yet when the block was executed."""
        if isinstance(binding.means, PresignatureId):
            return hold_presignature(self.party, moment.shares, found.generation, binding.means)
        if self.party.index not in {slot.seat for slot in binding.means}:
            raise NotASigner
        return None

    def _check_record(self, request: Hash32, moment: Moment) -> None:
        record = find_record(moment.state, request)
        if record is None or record.status != BOUND:
            raise NotHeld
        why = stopped(moment.state, record, moment.now)
        if why is not None:
            raise Stopped(why)

    def _release(self, request: Hash32, moment: Moment) -> Answer:
        """Sign what is in Vault's custody: the certified state says so, whoever saw it bound."""
        record = find_record(moment.state, request)
        if record is None or record.bound_to or record.status != BOUND:
            raise NotHeld
        found = self._open.get(request)
        if found is None:
            found = _Open(request, record.height, record.expires_at, moment.mark.generation)
        content = self.releaser.release(moment.state, moment.mark, moment.time, request, moment.now)
        if found.answer is None:
            found.answer = self._sealed(record.reply_key, content, request)
            self._open[request] = found
        return found.answer

    def _derive(self, ask: KeyAsk, found: _Open, moment: Moment) -> Answer:
        share = moment.shares.get(DERIVE)
        if share is None:
            raise NotHeld
        if found.answer is None:
            content = derive_answer(ask, share)
            found.answer = signed_answer(self.network, ask.question, content, self.identity)
        return found.answer

    def _sealed(self, reply_key: Bytes32, content: bytes, request: Hash32) -> Answer:
        sealed = hpke.seal_to(reply_key, content, SHARE_INFO + self.network, request)
        return signed_answer(self.network, request, sealed, self.identity)

    def _accuse(self, binding: Binding, seat: int) -> None:
        """Tell the ledger whose commitment is no point."""
        for slot in () if isinstance(binding.means, PresignatureId) else binding.means:
            if slot.seat == seat:
                self.say([(Kind.BAD_NONCE, write_complaint(slot))])
