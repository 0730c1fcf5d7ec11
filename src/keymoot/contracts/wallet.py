"""What Wallets keeps of a wallet: who it belongs to, what it may spend, who may ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, rising, text_of, uint, uint_of
from keymoot.base.fixed import Address, Hash32, SolanaAddress, WalletAddress, wallet_address
from keymoot.base.request import SIGN_SOLANA_TRANSACTION, SIGN_TRANSACTION
from keymoot.base.units import Height, UnixSeconds
from keymoot.policy.held import Reservation
from keymoot.policy.limit import Usage

_NAME_BYTES = 48

IN_VAULT, BY_ASSEMBLY = 0, 1
"""Who signs for a wallet: Vault, with a key in a confidential cell, or the assembly together."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """What changes rarely.

    Attributes:
        owner: Who sets the policy and grants credentials.
        recovery: The one address to which the owner may withdraw; never changes.
        account: The wallet's own address: on every EVM chain, or on Solana.
        policy_version: 0 before the first policy: everything is refused.
        policy_hash: Keccak-256 of the policy's canonical JSON.
        custody: IN_VAULT or BY_ASSEMBLY; never changes.
    """

    owner: Address
    recovery: WalletAddress
    account: WalletAddress
    paused: bool
    policy_version: int
    policy_hash: Hash32
    created_at: UnixSeconds
    custody: int

    @property
    def by_frost(self) -> bool:
        """Whether its key is an Ed25519 key, whose signatures FROST makes."""
        return isinstance(self.account, SolanaAddress)

    @property
    def method(self) -> str:
        """The method by which its transactions are signed."""
        return SIGN_SOLANA_TRANSACTION if self.by_frost else SIGN_TRANSACTION

    def encode(self) -> bytes:
        """Give the cell's bytes."""
        return rlp.encode(
            [
                self.owner,
                self.recovery,
                self.account,
                uint(self.paused),
                uint(self.policy_version),
                self.policy_hash,
                uint(self.created_at),
                uint(self.custody),
            ]
        )

    @staticmethod
    @lru_cache(maxsize=1_024)
    def decode(raw: bytes) -> "Wallet":
        """Read the cell's bytes.

        Raises:
            Malformed: not a wallet.
        """
        fields = list_of(rlp.decode(raw), 8, "wallet")
        return Wallet(
            owner=fixed_of(fields[0], Address, "owner"),
            recovery=wallet_address(bytes_of(fields[1], "recovery")),
            account=wallet_address(bytes_of(fields[2], "account")),
            paused=flag_of(fields[3], "paused"),
            policy_version=uint_of(fields[4], "policyVersion", 8),
            policy_hash=fixed_of(fields[5], Hash32, "policyHash"),
            created_at=UnixSeconds(uint_of(fields[6], "createdAt", 8)),
            custody=uint_of(fields[7], "custody", 1),
        )


@dataclass(frozen=True, slots=True)
class Book:
    """What changes with every request: prepaid quota, length of the log, spending.

    Attributes:
        quota: Wei of the ledger's token, from which requests are paid.
        log_length: Entries in the wallet's log.
        usage: What was spent of each windowed limit of the policy.
    """

    quota: int = 0
    log_length: int = 0
    usage: Mapping[str, Usage] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Give the cell's bytes; limits in the order of their names."""
        usage: list[rlp.Item] = [
            [name.encode(), self.usage[name].encode()] for name in sorted(self.usage)
        ]
        return rlp.encode([uint(self.quota), uint(self.log_length), usage])

    @staticmethod
    @lru_cache(maxsize=16)
    def decode(raw: bytes) -> "Book":
        """Read the cell's bytes.

        Raises:
            Malformed: not a book.
        """
        quota, length, usage = list_of(rlp.decode(raw), 3, "book")
        pairs = [list_of(pair, 2, "usage") for pair in list_of(usage, None, "usage")]
        names = rising([text_of(name, "usage", _NAME_BYTES) for name, _ in pairs], "usage")
        found = {
            name: Usage.decode(buckets) for name, (_, buckets) in zip(names, pairs, strict=True)
        }
        return Book(
            uint_of(quota, "quota"), uint_of(length, "logLength", 8), MappingProxyType(found)
        )


@dataclass(frozen=True, slots=True)
class Credential:
    """What an agent's key may do: ask, until it expires or is revoked."""

    granted_at: UnixSeconds
    expires_at: UnixSeconds
    revoked: bool

    def encode(self) -> bytes:
        """Give the cell's bytes."""
        return rlp.encode([uint(self.granted_at), uint(self.expires_at), uint(self.revoked)])

    @staticmethod
    @lru_cache(maxsize=1_024)
    def decode(raw: bytes) -> "Credential":
        """Read the cell's bytes.

        Raises:
            Malformed: not a credential.
        """
        granted, expires, revoked = list_of(rlp.decode(raw), 3, "credential")
        return Credential(
            granted_at=UnixSeconds(uint_of(granted, "grantedAt", 8)),
            expires_at=UnixSeconds(uint_of(expires, "expiresAt", 8)),
            revoked=flag_of(revoked, "revoked"),
        )


@dataclass(frozen=True, slots=True)
class SignedNonce:
    """One nonce of one chain for which the wallet has signed, and what it holds."""

    signed_at: UnixSeconds
    height: Height
    reservations: tuple[Reservation, ...]

    def encode(self) -> bytes:
        """Give the cell's bytes."""
        held: list[rlp.Item] = [one.encode() for one in self.reservations]
        return rlp.encode([uint(self.signed_at), uint(self.height), held])

    @staticmethod
    def decode(raw: bytes) -> "SignedNonce":
        """Read the cell's bytes.

        Raises:
            Malformed: not one.
        """
        signed, height, held = list_of(rlp.decode(raw), 3, "nonce")
        return SignedNonce(
            signed_at=UnixSeconds(uint_of(signed, "signedAt", 8)),
            height=Height(uint_of(height, "height", 8)),
            reservations=tuple(Reservation.decode(one) for one in list_of(held, None, "held")),
        )
