"""What this enclave holds for a bound request, and the share of a signature that it makes of it.

A presignature (ECDSA) or a pair of nonces (FROST) serves once: it is taken out of the seat's
mind when its block is followed, and burned before its share leaves.
"""

from dataclasses import dataclass
from typing import Protocol

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.moot.batch import PresignatureId
from keymoot.moot.outcome import Binding, signing_of, task_of
from keymoot.moot.party import Party
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import ECDSA, EDDSA
from keymoot.threshold import ecdsa, frost
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Nonces
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.root import Root, Share
from keymoot.threshold.secp256k1 import SECP256K1


class NotASigner(Refused):
    """Other seats are the request's signers."""

    code = "NOT_A_SIGNER"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this seat is none of the request's signers: ask those")


class Held(Protocol):
    """What makes one share, once."""

    def share(
        self, network: NetworkId, generation: Hash32, binding: Binding, value: bytes
    ) -> bytes:
        """Give what is sealed to the requester.

        Args:
            network: The network's id.
            generation: The generation at the binding's height.
            binding: What the block has bound.
            value: Of the certificate of that very block.
        """
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
        if isinstance(binding.means, PresignatureId):
            raise NotASigner
        work = signing_of(self.own.root, network, binding.wallet, binding.message, binding.means)
        answer = frost.sign(work, self.own, self.nonces)
        encode = EDWARDS25519.encode
        scalar = EDWARDS25519.encode_scalar(answer)
        return rlp.encode([binding.digest, encode(work.nonce), encode(work.public), scalar])


def hold(party: Party, shares: Shares, generation: Hash32, binding: Binding) -> Held | None:
    """Take what a seat holds for a request out of its mind; None if it holds nothing (yet).

    Call it as its block is executed; `shares` are those of that block's epoch.
    """
    if isinstance(binding.means, PresignatureId):
        return hold_presignature(party, shares, generation, binding.means)
    own = shares.get(EDDSA)
    for slot in binding.means:
        if slot.seat == party.index:
            nonces = party.committer.take(generation, slot.number)
            return None if nonces is None or own is None else HeldNonces(own, nonces)
    return None


def hold_presignature(
    party: Party, shares: Shares, generation: Hash32, name: PresignatureId
) -> HeldPresignature | None:
    """Take a presignature out of a seat's mind; None if it is not there (yet).

    A seat that finished its batch after others takes it when it is asked.
    """
    own = shares.get(ECDSA)
    held = None if own is None else party.presigner.take(generation, name)
    return None if own is None or held is None else HeldPresignature(own.root, held, name)
