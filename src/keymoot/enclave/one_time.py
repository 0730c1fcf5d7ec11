"""What this enclave holds for a bound request, and the share of a signature that it makes of it.

A presignature (ECDSA) or a pair of nonces (FROST) serves once: it is taken out of the seat's
mind when its block is followed, and burned before its share leaves.
"""

from dataclasses import dataclass
from typing import Protocol

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.committee.binding import FrostBinding, PresignatureBinding
from keymoot.committee.nonces.record import SignerCommitment
from keymoot.committee.outcome import Binding, signing_of, task_of
from keymoot.committee.participant import Participant
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.reshare.member import Shares
from keymoot.committee.roots import ECDSA, EDDSA
from keymoot.threshold import ecdsa, frost
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Nonces
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.root import Root, Share
from keymoot.threshold.secp256k1 import SECP256K1


class NotASigner(Refused, code="NOT_A_SIGNER"):
    message = "this seat is none of the request's signers: ask those"


class OneTimeSecret(Protocol):
    """What makes one share, once."""

    def share(
        self, network: NetworkId, generation: Hash32, binding: Binding, value: bytes
    ) -> bytes:
        """Give what is sealed to the requester; `value` is the binding's block's certificate's."""
        ...


@dataclass(frozen=True, slots=True)
class HeldPresignature:
    """A presignature of ours, and the root under which it was dealt."""

    root: Root
    presignature: Presignature
    name: PresignatureId

    def share(
        self, network: NetworkId, generation: Hash32, binding: Binding, value: bytes
    ) -> bytes:
        """Give digest, R', the wallet's key, and the share."""
        held = self.presignature
        work = task_of(self.root, network, generation, binding, self.name, value, held.point)
        share = ecdsa.sign(held, work)
        nonce, public = SECP256K1.encode(work.nonce), SECP256K1.encode(work.public)
        return rlp.encode([binding.digest, nonce, public, share.encode()])


@dataclass(frozen=True, slots=True)
class HeldNonces:
    """A pair of nonces of ours, and our share of the root in the epoch that bound them.

    All signers use the shares of that epoch: those of two epochs do not fit together.
    """

    own: Share
    nonces: Nonces

    def share(
        self, network: NetworkId, generation: Hash32, binding: Binding, value: bytes
    ) -> bytes:
        """Give the message's name, R, the wallet's key, and the share."""
        del generation, value
        if not isinstance(binding.material, FrostBinding):
            raise NotASigner
        work = signing_of(self.own.root, network, binding.wallet, binding.material)
        answer = frost.sign(work, self.own, self.nonces)
        encode = EDWARDS25519.encode
        scalar = EDWARDS25519.encode_scalar(answer)
        return rlp.encode([binding.digest, encode(work.nonce), encode(work.public), scalar])


def hold(
    participant: Participant, shares: Shares, generation: Hash32, binding: Binding
) -> OneTimeSecret | None:
    """Take what a seat holds for a request out of its mind; None if it holds nothing (yet).

    Call it as its block is executed; `shares` are those of that block's epoch.
    """
    match binding.material:
        case PresignatureBinding(name):
            return hold_presignature(participant, shares, generation, name)
        case FrostBinding(slots):
            return _hold_nonces(participant, shares, generation, slots)


def _hold_nonces(
    participant: Participant,
    shares: Shares,
    generation: Hash32,
    slots: tuple[SignerCommitment, ...],
) -> HeldNonces | None:
    own = shares.get(EDDSA)
    for slot in slots:
        if slot.seat == participant.index:
            nonces = participant.nonces.take(generation, slot.number)
            return None if nonces is None or own is None else HeldNonces(own, nonces)
    return None


def hold_presignature(
    participant: Participant, shares: Shares, generation: Hash32, name: PresignatureId
) -> HeldPresignature | None:
    """Take a presignature out of a seat's mind; None if it is not there (yet).

    A seat that finished its batch after others takes it when it is asked.
    """
    own = shares.get(ECDSA)
    held = None if own is None else participant.presign.take(generation, name)
    return None if own is None or held is None else HeldPresignature(own.root, held, name)
