"""What Wallets tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.base.fixed import Address, AppId, Bytes32, Hash32, SolanaAddress, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.types import uint64


@dataclass(frozen=True, slots=True)
class WalletCreated(Event):
    """A wallet was born."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner", "account")
    wallet: WalletId
    owner: Address
    account: Address


@dataclass(frozen=True, slots=True)
class SolanaWalletCreated(Event):
    """A wallet with an Ed25519 key was born; `account` is its address on Solana."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner", "account")
    wallet: WalletId
    owner: Address
    account: SolanaAddress


@dataclass(frozen=True, slots=True)
class WalletCreatedOn(Event):
    """A wallet was born on the chain of that CAIP-2 namespace; `account` is its address there."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "owner")
    wallet: WalletId
    owner: Address
    chain: str
    account: bytes


@dataclass(frozen=True, slots=True)
class PolicySet(Event):
    """A wallet's policy was replaced; `hash` is the Keccak-256 of its canonical JSON."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet",)
    wallet: WalletId
    version: uint64
    hash: Hash32


@dataclass(frozen=True, slots=True)
class CredentialSet(Event):
    """A credential was granted until `expires_at`, or revoked (0)."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "credential")
    wallet: WalletId
    credential: Address
    expires_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class AppGranted(Event):
    """A wallet was granted to an app's instances until `expires_at`, or taken back (0)."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "app")
    wallet: WalletId
    app: AppId
    expires_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class PauseSet(Event):
    """A wallet was paused or resumed."""

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet",)
    wallet: WalletId
    paused: bool


@dataclass(frozen=True, slots=True)
class RequestDecided(Event):
    """A request was allowed, or refused for `reason`; `key` is its name on the ledger.

    One that was allowed and waits for stock may be refused by a second event.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "requester", "key")
    wallet: WalletId
    requester: Address
    key: Hash32
    bound: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RequestBound(Event):
    """A request was bound to what serves once: what every enclave must know to answer it.

    `bound_to` names a presignature (10 bytes), and `digest` is signed; or, where there is a
    `message`, it is the list of signers with their commitments, and the message is signed.
    `expires_at` is the earlier one of the request's and its credential's expiry; `withdrawal`
    says that an owner asked, whom no pause stops.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "requester", "key")
    wallet: WalletId
    requester: Address
    key: Hash32
    bound_to: bytes
    digest: Hash32
    message: bytes
    reply_key: Bytes32
    expires_at: UnixSeconds
    withdrawal: bool


WALLET_EVENTS: tuple[type[Event], ...] = (
    AppGranted,
    CredentialSet,
    PauseSet,
    PolicySet,
    RequestBound,
    RequestDecided,
    SolanaWalletCreated,
    WalletCreated,
    WalletCreatedOn,
)
