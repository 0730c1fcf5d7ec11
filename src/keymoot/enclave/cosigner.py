"""One share for each bound request: the assembly's custody, inside the enclave.

A share leaves for a request that a final block has bound, once the requester shows the
beacon of that block, until the request expires, or its wallet is paused, or its credential
revoked. The presignature is burned before: asked again, the same sealed bytes come back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.errors import Fault, KeymootError, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.custody import SHARE_INFO, Answer
from keymoot.enclave.follower import Followed, Follower
from keymoot.moot.outcome import Binding, task_of
from keymoot.moot.party import Party
from keymoot.moot.roots import BEACON, ECDSA
from keymoot.threshold import beacon, ecdsa
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.secp256k1 import SECP256K1

KEPT_SECONDS = 60
"""How long an expired request is remembered, so that its refusal can say why."""


class BadBeacon(Refused):
    """The shown beacon is not the one of the block that bound the request."""

    code = "BAD_BEACON"

    def __init__(self, height: Height) -> None:
        """Name the height."""
        super().__init__(
            f"this is not the beacon of height {height}: "
            "collect shares of it from more nodes, and combine again"
        )


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
    _open: dict[Hash32, _Open] = field(default_factory=dict)
    _messages: dict[Height, bytes] = field(default_factory=dict)
    _values: dict[Height, bytes] = field(default_factory=dict)
    _generation: Hash32 | None = None
    _swept: UnixSeconds = UnixSeconds(0)

    def note(self, height: Height, followed: Followed) -> bytes:
        """Take over what a block bound; give our share of its beacon, or nothing.

        A height is signed once: blocks come in order, and each only once.
        """
        # A new generation wipes every one-time secret of the ones before.
        if followed.generation != self._generation:
            self._generation = followed.generation
            for one in self._open.values():
                one.presignature = None
        if not followed.bindings:
            return b""
        for binding in followed.bindings:
            held = self.party.take(followed.generation, binding.presignature)
            self._open[binding.request] = _Open(binding, followed.generation, held)
        self._messages[height] = followed.message
        self._forget()
        share = self.party.shares.get(BEACON)
        if share is None or not self.party.seated(self.follower.assembly):
            return b""
        return G1.encode(beacon.sign(share, followed.message))

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
        found = self._open.get(request)
        if found is None or not self.party.seated(self.follower.assembly):
            raise NotHeld
        binding = found.binding
        # 2. It may still be answered, by the later of ledger time and our clock.
        now = max(self.follower.time, self.clock())
        if now > binding.expires_at:
            raise Stopped("the request has expired: ask again with a new id")
        if self.follower.stopped(binding):
            raise Stopped("the wallet was paused, or the credential revoked")
        # 3. Enough enclaves executed that block as we did: there is a beacon over it.
        value = self._value(binding.height, signature)
        if found.answer is not None:
            return found.answer
        # 4. The presignature is burned before its share leaves.
        held = found.presignature or self.party.take(found.generation, binding.presignature)
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
        signed = keccak256(network + binding.request + sealed)
        return Answer(binding.request, sealed, ed25519.sign(self.identity, signed))

    def _value(self, height: Height, signature: bytes) -> bytes:
        known = self._values.get(height)
        try:
            point = G1.decode(signature)
        except Malformed as error:
            raise BadBeacon(height) from error
        if known is not None:
            # The beacon is unique, so its value tells whether this is it.
            if beacon.value(point) != known:
                raise BadBeacon(height)
            return known
        root = self.follower.assembly.hall.root(BEACON)
        if not beacon.verify(root, self._messages[height], point):
            raise BadBeacon(height)
        self._values[height] = beacon.value(point)
        return self._values[height]

    def _forget(self) -> None:
        """Forget what is over, now and then."""
        if self.follower.time < self._swept + KEPT_SECONDS:
            return
        self._swept = self.follower.time
        oldest = self.follower.time - KEPT_SECONDS
        over = [name for name, one in self._open.items() if one.binding.expires_at < oldest]
        for name in over:
            del self._open[name]
        if over:
            alive = {one.binding.height for one in self._open.values()}
            for book in (self._messages, self._values):
                for height in [one for one in book if one not in alive]:
                    del book[height]


class Stopped(Refused):
    """The request may not be answered any more."""

    code = "NOT_BOUND"
