"""One share for each bound request: the assembly's custody, inside the enclave.

A share leaves for a request that a final block has bound, once the requester shows the
beacon of that block, until the request expires, or its wallet is paused, or its credential
revoked. The presignature is burned before: asked again, the same sealed bytes come back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.errors import Fault, KeymootError, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import hpke
from keymoot.enclave.beacon_book import BeaconBook
from keymoot.enclave.custody import SHARE_INFO, Answer, signed_answer
from keymoot.enclave.deriver import Deriver
from keymoot.enclave.follower import Followed, Follower
from keymoot.moot.outcome import Binding, KeyAsk, task_of
from keymoot.moot.party import Party
from keymoot.moot.roots import DERIVE, ECDSA
from keymoot.threshold import ecdsa
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.secp256k1 import SECP256K1

KEPT_SECONDS = 60
"""How long an expired request is remembered, so that its refusal can say why."""


class NotHeld(Refused):
    """This enclave holds no share of the presignature."""

    code = "NOT_HELD"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this node started anew since the presignature was dealt: ask the others")


@dataclass(slots=True)
class _Open:
    """A bound request until it is over."""

    binding: Binding
    generation: Hash32
    presignature: Presignature | None
    answer: Answer | None = None


@dataclass
class Cosigner:
    """Answers for what its follower has seen bound."""

    follower: Follower
    party: Party
    identity: Secret
    clock: Callable[[], UnixSeconds]
    beacons: BeaconBook = field(init=False)
    deriver: Deriver = field(init=False)
    _open: dict[Hash32, _Open] = field(default_factory=dict)
    _generation: Hash32 | None = None
    _swept: UnixSeconds = UnixSeconds(0)

    def __post_init__(self) -> None:
        """Begin with nothing bound."""
        self.beacons = BeaconBook(self.follower, self.party)
        self.deriver = Deriver(self.identity)

    def note(self, height: Height, followed: Followed) -> bytes:
        """Take over what a block bound and asked; give our share of its beacon, or nothing."""
        # A new generation wipes every one-time secret of the ones before.
        if followed.generation != self._generation:
            self._generation = followed.generation
            for one in self._open.values():
                one.presignature = None
        for binding in followed.bindings:
            held = self.party.presigner.take(followed.generation, binding.presignature)
            self._open[binding.request] = _Open(binding, followed.generation, held)
        self.deriver.note(followed)
        self._forget()
        return self.beacons.note(height, followed)

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
        # 4. The presignature is burned before its share leaves.
        held = found.presignature or self.party.presigner.take(
            found.generation, binding.presignature
        )
        found.presignature = None
        root = self.party.shares.get(ECDSA)
        if held is None or root is None:
            raise NotHeld
        found.answer = self._share(found, held, value)
        return found.answer

    def _share(self, found: _Open, held: Presignature, value: bytes) -> Answer:
        binding, network = found.binding, self.follower.genesis.network
        root = self.party.shares[ECDSA].root
        work = task_of(root, network, found.generation, binding, value, held.point)
        share = ecdsa.sign(held, work)
        nonce, public = SECP256K1.encode(work.nonce), SECP256K1.encode(work.public)
        content = rlp.encode([binding.digest, nonce, public, share.encode()])
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
