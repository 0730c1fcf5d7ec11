"""What Wallets tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.contracts.event import Event
from keymoot.contracts.types import address, boolean, bytes32, string, uint64


@dataclass(frozen=True, slots=True)
class WalletCreated(Event):
    """A wallet was born."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner", "account")
    wallet: bytes32
    owner: address
    account: address


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
    """A request was bound, or refused for `reason`; `key` is its name on the ledger."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "requester", "key")
    wallet: bytes32
    requester: address
    key: bytes32
    bound: boolean
    reason: string
