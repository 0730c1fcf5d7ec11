"""What a requester wants signed, and how it tells the right signature from any other."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.errors import SignedElse, WrongAnswer
from keymoot.agent.gathering import Gathering
from keymoot.agent.moot import Assembling
from keymoot.agent.roster import Roster
from keymoot.agent.schnorr import Schnorr
from keymoot.agent.share import Released
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, SolanaAddress, WalletId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.moot.roots import EDDSA
from keymoot.moot.slot import MAX_SLOTS_BYTES, Slot, read_slots
from keymoot.proof.committee import ProvenAssembly


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as its asker knows it.

    Attributes:
        network: Our network.
        key: The request's name on the ledger.
        roster: Who keeps the keys, proved to whoever asked.
        secret: Private half of its reply key.
    """

    network: NetworkId
    key: Hash32
    roster: Roster
    secret: Secret


class Wanted(ABC):
    """One thing that a wallet's key is to sign."""

    digest: Hash32

    @abstractmethod
    def gathering(
        self, asked: Asked, assembly: ProvenAssembly, answer: Mapping[str, Any]
    ) -> Gathering[Released]:
        """Give what must be known to put the assembly's shares together.

        Args:
            asked: Whose answers they are.
            assembly: Who keeps the keys.
            answer: What `keymoot_ask` or `/shares` gave.
        """

    @abstractmethod
    def check_signer(self, released: Released) -> None:
        """Raise unless the wallet's key made the signature.

        Raises:
            WrongAnswer: another's did, or none.
        """

    def check(self, released: Released) -> Released:
        """Give a signature back that is the wallet's, over what was asked.

        Raises:
            SignedElse: it is over something else.
            WrongAnswer: it is no signature of the wallet's.
        """
        if released.digest != self.digest:
            raise SignedElse
        self.check_signer(released)
        return released


@dataclass(frozen=True, slots=True)
class EcdsaWanted(Wanted):
    """A digest that a wallet of EVM chains is to sign."""

    address: Address
    digest: Hash32

    def gathering(
        self, asked: Asked, assembly: ProvenAssembly, answer: Mapping[str, Any]
    ) -> Gathering[Released]:
        """Give how shares of an ECDSA signature are put together."""
        del answer
        nodes = assembly.identities
        return Assembling(asked.network, asked.key, nodes, asked.secret, self.address)

    def check_signer(self, released: Released) -> None:
        """Recover the signer."""
        try:
            signer = secp256k1.recover(self.digest, released.ecdsa())
        except Malformed as error:
            raise WrongAnswer(f"the network's signature is none: {error}") from error
        if signer != self.address:
            raise WrongAnswer(f"the signature is by {signer.hex0x}, not by {self.address.hex0x}")


@dataclass(frozen=True, slots=True)
class Ed25519Wanted(Wanted):
    """A message that a wallet on Solana is to sign."""

    wallet: WalletId
    account: SolanaAddress
    message: bytes

    @property
    def digest(self) -> Hash32:  # type: ignore[override]
        """The message's name on the ledger."""
        return keccak256(self.message)

    def gathering(
        self, asked: Asked, assembly: ProvenAssembly, answer: Mapping[str, Any]
    ) -> Gathering[Released]:
        """Give how shares of an Ed25519 signature are put together.

        Raises:
            SignedElse: the server says that the request was over another message.
        """
        # A share says nothing of what it is over, so this is all there is to tell it early.
        if answer.get("digest", self.digest.hex0x) != self.digest.hex0x:
            raise SignedElse
        return Schnorr(
            asked.network,
            asked.key,
            assembly.identities,
            asked.secret,
            self.wallet,
            self.account,
            self.message,
            _slots(answer.get("signers")),
            assembly.root_at(EDDSA, answer.get("height")),
        )

    def check_signer(self, released: Released) -> None:
        """Verify the signature."""
        if not ed25519.verify(Bytes32(self.account), self.message, released.signature):
            raise WrongAnswer(f"the signature is not by {self.account.base58}")


def _slots(told: Any) -> tuple[Slot, ...]:
    """Read the signers that the server names; without them nobody can be left out."""
    try:
        return read_slots(hexes.parse_data(told, "signers", MAX_SLOTS_BYTES))
    except Malformed:
        return ()
