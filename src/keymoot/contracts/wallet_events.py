"""What Wallets tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.contracts.event import Event
from keymoot.contracts.types import address, boolean, bytes32, dynamic_bytes, string, uint64


@dataclass(frozen=True, slots=True)
class WalletCreated(Event):
    """A wallet was born."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner", "account")
    wallet: bytes32
    owner: address
    account: address


@dataclass(frozen=True, slots=True)
class SolanaWalletCreated(Event):
    """A wallet with an Ed25519 key was born; `account` is its address on Solana."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner", "account")
    wallet: bytes32
    owner: address
    account: bytes32


@dataclass(frozen=True, slots=True)
class PolicySet(Event):
    """A wallet's policy was replaced; `hash` is the Keccak-256 of its canonical JSON."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet",)
    wallet: bytes32
    version: uint64
    hash: bytes32


@dataclass(frozen=True, slots=True)
class CredentialSet(Event):
    """A credential was granted until `expires_at`, or revoked (0)."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "credential")
    wallet: bytes32
    credential: address
    expires_at: uint64


@dataclass(frozen=True, slots=True)
class PauseSet(Event):
    """A wallet was paused or resumed."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet",)
    wallet: bytes32
    paused: boolean


@dataclass(frozen=True, slots=True)
class RequestDecided(Event):
    """A request was allowed, or refused for `reason`; `key` is its name on the ledger.

    One that was allowed and waits for stock may be refused by a second event.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "requester", "key")
    wallet: bytes32
    requester: address
    key: bytes32
    bound: boolean
    reason: string


@dataclass(frozen=True, slots=True)
class RequestBound(Event):
    """A request was bound to what serves once: what every enclave must know to answer it.

    `bound_to` names a presignature (10 bytes), and `digest` is signed; or, where there is a
    `message`, it is the list of signers with their commitments, and the message is signed.
    `expires_at` is the earlier one of the request's and its credential's expiry; `withdrawal`
    says that an owner asked, whom no pause stops.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "requester", "key")
    wallet: bytes32
    requester: address
    key: bytes32
    bound_to: dynamic_bytes
    digest: bytes32
    message: dynamic_bytes
    reply_key: bytes32
    expires_at: uint64
    withdrawal: boolean
