"""What a requester wants signed, and how it tells the right signature from any other."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.ecdsa_combiner import EcdsaCombiner
from keymoot.agent.errors import SignedElse, WrongAnswer
from keymoot.agent.proven_state import ProvenState
from keymoot.agent.schnorr_combiner import SchnorrCombiner
from keymoot.agent.share import ReleasedSignature
from keymoot.agent.share_collection import ShareCollection
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.secret import Secret
from keymoot.committee.nonces.record import (
    MAX_COMMITMENTS_BYTES,
    SignerCommitment,
    SignerCommitments,
)
from keymoot.committee.roots import EDDSA
from keymoot.crypto import ed25519, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.proof.committee import ProvenCommittee


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """One request as its asker knows it; `secret` is the private half of its reply key."""

    network: NetworkId
    key: Hash32
    proven: ProvenState
    secret: Secret


class Signable(ABC):
    """One thing that a wallet's key is to sign."""

    digest: Hash32

    @abstractmethod
    def gathering(
        self, asked: AskedRequest, committee: ProvenCommittee, answer: Mapping[str, Any]
    ) -> ShareCollection[ReleasedSignature]:
        """Give what must be known to put the committee's shares together.

        `answer` is what `keymoot_ask` or `/shares` gave.
        """

    @abstractmethod
    def check_signer(self, released: ReleasedSignature) -> None:
        """Raise WrongAnswer unless the wallet's key made the signature."""

    def check(self, released: ReleasedSignature) -> ReleasedSignature:
        """Give a signature back that is the wallet's, over what was asked."""
        if released.digest != self.digest:
            raise SignedElse
        self.check_signer(released)
        return released


@dataclass(frozen=True, slots=True)
class EcdsaSignable(Signable):
    """A digest that a wallet of EVM chains is to sign."""

    address: Address
    digest: Hash32

    def gathering(
        self, asked: AskedRequest, committee: ProvenCommittee, answer: Mapping[str, Any]
    ) -> ShareCollection[ReleasedSignature]:
        del answer
        nodes = committee.identities
        return EcdsaCombiner(asked.network, asked.key, nodes, asked.secret, self.address)

    def check_signer(self, released: ReleasedSignature) -> None:
        try:
            signer = secp256k1.recover(self.digest, released.ecdsa())
        except Malformed as error:
            raise WrongAnswer(f"the network's signature is none: {error}") from error
        if signer != self.address:
            raise WrongAnswer(f"the signature is by {signer.hex0x}, not by {self.address.hex0x}")


@dataclass(frozen=True, slots=True)
class Ed25519Signable(Signable):
    """A message that an Ed25519 wallet is to sign.

    Attributes:
        wallet: Its id.
        public: Its public key: on Solana its address; elsewhere the chain makes one of it.
        message: What is signed.
    """

    wallet: WalletId
    public: Bytes32
    message: bytes

    @property
    def digest(self) -> Hash32:  # type: ignore[override]
        """The message's name on the ledger."""
        return keccak256(self.message)

    def gathering(
        self, asked: AskedRequest, committee: ProvenCommittee, answer: Mapping[str, Any]
    ) -> ShareCollection[ReleasedSignature]:
        """SignedElse where the server says that the request was over another message."""
        # A share says nothing of what it is over, so this is all there is to tell it early.
        if answer.get("digest", self.digest.hex0x) != self.digest.hex0x:
            raise SignedElse
        return SchnorrCombiner(
            asked.network,
            asked.key,
            committee.identities,
            asked.secret,
            self.wallet,
            self.public,
            self.message,
            _slots(answer.get("signers")),
            committee.root_at(EDDSA, answer.get("height")),
        )

    def check_signer(self, released: ReleasedSignature) -> None:
        if not ed25519.verify(self.public, self.message, released.signature):
            raise WrongAnswer(f"the signature is not by the wallet's key {self.public.hex0x}")


def _slots(told: Any) -> tuple[SignerCommitment, ...]:
    """Read the signers that the server names; without them nobody can be left out."""
    try:
        raw = hexes.parse_data(told, "signers", MAX_COMMITMENTS_BYTES)
        return SignerCommitments.decode(raw).slots
    except Malformed:
        return ()
