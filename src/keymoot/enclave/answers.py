"""What requests get: each under the certificate of the very block that bound it.

A presignature (ECDSA) or a pair of nonces (FROST) is taken out of the seat's mind when the
block that binds it is executed, and waits for that block's certificate. If a later block's
comes first, it is burned. Derived keys and Vault's signatures hold nothing that serves once.
Whatever was answered is given again as the same bytes, until the request is over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.errors import BrokenStorage, Fault, KeymootError, Refused, Relayed
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.binding import FrostBinding, PresignatureBinding
from keymoot.committee.messages import Kind
from keymoot.committee.outcome import Binding, KeyAsk
from keymoot.committee.participant import Participant
from keymoot.committee.reshare.member import Shares
from keymoot.committee.roots import DERIVE
from keymoot.committee.task import Message
from keymoot.contracts.builtin.wallets.record import BOUND
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave.answer import SHARE_INFO, AnswersOnDemand, RequestAnswer, signed_answer
from keymoot.enclave.bound import Bound
from keymoot.enclave.deriver import derive_answer
from keymoot.enclave.one_time import NotASigner, OneTimeSecret, hold, hold_presignature
from keymoot.enclave.releasing import Releaser
from keymoot.enclave.signing import BlockMark
from keymoot.runtime.release import check_instance, find_record, stopped
from keymoot.store.state import State
from keymoot.threshold.errors import Cheated

KEPT_SECONDS = 60
"""How long an expired request is remembered, so that its refusal can say why."""

Send = Callable[[list[Message]], None]


class NotHeld(Refused, code="NOT_HELD"):
    message = "this enclave holds nothing for the request: ask the others, or ask `again`"


class Stopped(Refused, code="NOT_BOUND"):
    """The request may not be answered any more."""


@dataclass(frozen=True, slots=True)
class Moment:
    """As of when requests are answered: the newest certified state.

    Attributes:
        now: The later of its time and the clock.
        shares: Ours, of the epoch in which it lives.
        seated: Whether it names our start: if not, nothing is answered.
    """

    mark: BlockMark
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
    held: OneTimeSecret | None = None
    burned: bool = False
    value: bytes | None = None
    answer: RequestAnswer | None = None


@dataclass
class Answers:
    """All requests that this start saw bound, and may still answer.

    Thousands are open under load, for minutes each. So they are known by their block, too, and a
    certificate looks at those alone that its blocks bound.
    """

    participant: Participant
    identity: SigningKey
    network: NetworkId
    releaser: Releaser
    send: Send
    _open: dict[Hash32, _Open] = field(default_factory=dict)
    _names: dict[Height, dict[Hash32, None]] = field(default_factory=dict)
    _uncovered: list[Height] = field(default_factory=list)
    _swept: UnixSeconds = UnixSeconds(0)

    def bind(self, height: Height, generation: Hash32, shares: Shares, bound: Bound) -> None:
        """Take what a block that was just executed bound, as our own receipts tell.

        In a block that begins a generation nothing is left to bind after the order, and what was
        bound before it is burned: `bound` has no bindings then. The generation and our shares are
        those after the block.
        """
        for binding in bound.bindings:
            held = hold(self.participant, shares, generation, binding)
            self._put(binding.request, _Open(binding, height, binding.expires_at, generation, held))
        for ask in bound.asks:
            self._put(ask.question, _Open(ask, height, ask.expires_at, generation))
        for request in bound.allowed:
            if request not in self._open:
                self._put(request, _Open(request, height, None, generation))

    def wipe(self) -> None:
        """Burn all that serves once: another generation has begun."""
        for request in self._open.values():
            request.held, request.burned = None, True

    def certify(self, height: Height, value: bytes, state: State) -> None:
        """Note a block's certificate by its value (32 bytes), and the state after the block.

        What lower blocks bound, and no certificate of their own has come for, is burned.
        """
        covered = [low for low in self._uncovered if low <= height]
        self._uncovered = [high for high in self._uncovered if high > height]
        for low in covered:
            for name in self.bound_at(low):
                request = self._open[name]
                if not self._settle(name, request, state):
                    continue
                if low == height:
                    request.value = value
                elif isinstance(request.what, Binding):
                    del self._open[name]

    def bound_at(self, height: Height) -> list[Hash32]:
        """Name what a block bound and is still open; what a later one bound anew is that one's."""
        names = self._names.get(height, ())
        return [name for name in names if name in self._open and self._open[name].height == height]

    def _put(self, name: Hash32, opened: _Open) -> None:
        self._open[name] = opened
        if opened.height not in self._names:
            self._names[opened.height] = {}
            self._uncovered.append(opened.height)
        self._names[opened.height][name] = None

    def _settle(self, name: Hash32, request: _Open, state: State) -> bool:
        """Let go of what was allowed and only waits for stock; note when the rest expires."""
        if request.expires_at is not None:
            return True
        record = find_record(state, name)
        if record is None or record.status != BOUND or record.bound_to:
            del self._open[name]
            return False
        request.expires_at = record.expires_at
        return True

    def answer(self, request: Hash32, moment: Moment, *, rests: bool = False) -> RequestAnswer:
        """Answer one request as of a moment; a refusal is an answer too.

        With `rests` others make an ECDSA signature: ours is kept for when it is asked for.
        """
        try:
            if rests and self._others_can(request):
                raise AnswersOnDemand
            return self._answer(request, moment)
        except BrokenStorage:
            raise
        except (Refused, Fault) as error:
            return RequestAnswer(request, b"", b"", error.code, str(error))
        except KeymootError as error:
            return RequestAnswer(request, b"", b"", error.code, "the request cannot be answered")

    def forget(self, time: UnixSeconds) -> None:
        """Forget what is over, now and then, by the ledger's time."""
        if time < self._swept + KEPT_SECONDS:
            return
        self._swept = time
        for name, request in list(self._open.items()):
            if request.expires_at is not None and request.expires_at + KEPT_SECONDS < time:
                del self._open[name]
        open_at = {height: self.bound_at(height) for height in self._names}
        self._names = {height: dict.fromkeys(names) for height, names in open_at.items() if names}

    def _others_can(self, request: Hash32) -> bool:
        """Tell whether a presignature serves a request: that needs a part of all seats only."""
        opened = self._open.get(request)
        what = None if opened is None or opened.answer is not None else opened.what
        return isinstance(what, Binding) and isinstance(what.material, PresignatureBinding)

    def _answer(self, request: Hash32, moment: Moment) -> RequestAnswer:
        # 1. Our own block bound it, a certificate covers that, and no other start has our seat.
        if not moment.seated:
            raise NotHeld
        opened = self._open.get(request)
        if opened is None:
            return self._release(request, moment)
        if opened.height > moment.mark.height:
            raise NotHeld
        # 2. It may still be answered: nobody has stopped it, and it has not expired.
        if opened.expires_at is not None and moment.now > opened.expires_at:
            raise Stopped("the request has expired: ask again with a new id")
        if isinstance(opened.what, Hash32):
            return self._release(opened.what, moment)
        if isinstance(opened.what, KeyAsk):
            return self._derive(opened.what, opened, moment)
        self._check_record(request, moment)
        if opened.answer is not None:
            return opened.answer
        # 3. The certificate of its very block was shown, and no generation has begun since.
        if opened.value is None or opened.burned:
            raise NotHeld
        # 4. What makes the share is burned before it leaves.
        held, opened.held = opened.held or self._late(opened.what, opened, moment), None
        if held is None:
            raise NotHeld
        opened.answer = self._share(opened.what, held, opened.generation, opened.value)
        return opened.answer

    def _share(
        self, binding: Binding, held: OneTimeSecret, generation: Hash32, value: bytes
    ) -> RequestAnswer:
        try:
            content = held.share(self.network, generation, binding, value)
        except Cheated as error:
            self._accuse(binding, error.party)
            raise
        return self._sealed(binding.reply_key, content, binding.request)

    def _late(self, binding: Binding, opened: _Open, moment: Moment) -> OneTimeSecret | None:
        """Take what was not there yet when the block was executed."""
        match binding.material:
            case PresignatureBinding(name):
                return hold_presignature(self.participant, moment.shares, opened.generation, name)
            case FrostBinding(slots):
                if self.participant.index not in {slot.seat for slot in slots}:
                    raise NotASigner
                return None

    def _check_record(self, request: Hash32, moment: Moment) -> None:
        record = find_record(moment.state, request)
        if record is None or record.status != BOUND:
            raise NotHeld
        why = stopped(moment.state, record, moment.now)
        if why is not None:
            raise Relayed(why.reason, why.why)

    def _release(self, request: Hash32, moment: Moment) -> RequestAnswer:
        """Sign what is in Vault's custody: the certified state says so, whoever saw it bound."""
        record = find_record(moment.state, request)
        if record is None or record.bound_to or record.status != BOUND:
            raise NotHeld
        opened = self._open.get(request)
        if opened is None:
            opened = _Open(request, record.height, record.expires_at, moment.mark.generation)
        content = self.releaser.release(moment.state, moment.mark, moment.time, request, moment.now)
        if opened.answer is None:
            opened.answer = self._sealed(record.reply_key, content, request)
            self._put(request, opened)
        return opened.answer

    def _derive(self, ask: KeyAsk, opened: _Open, moment: Moment) -> RequestAnswer:
        share = moment.shares.get(DERIVE)
        if share is None:
            raise NotHeld
        if ask.app is not None:
            check_instance(moment.state, ask.asker, moment.now)
        if opened.answer is None:
            content = derive_answer(ask, share)
            opened.answer = signed_answer(self.network, ask.question, content, self.identity)
        return opened.answer

    def _sealed(self, reply_key: Bytes32, content: bytes, request: Hash32) -> RequestAnswer:
        sealed = hpke.seal_to(reply_key, content, SHARE_INFO + self.network, request)
        return signed_answer(self.network, request, sealed, self.identity)

    def _accuse(self, binding: Binding, seat: int) -> None:
        """Tell the ledger whose commitment is no point."""
        for slot in binding.material.slots if isinstance(binding.material, FrostBinding) else ():
            if slot.seat == seat:
                self.send([(Kind.BAD_NONCE, slot.encode())])
