"""What Wallets keeps of a wallet: who it belongs to, what it may spend, who may ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, ClassVar

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Address, Hash32, WalletAddress
from keymoot.base.forms import U64, U256, AtMost, Form
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.policy.chains.chain import Chain
from keymoot.policy.chains.registry import chain_of, kept_address
from keymoot.policy.held import Reservation
from keymoot.policy.limit import Usage

_NAME_BYTES = 48
_FIELDS = 8

IN_VAULT, BY_COMMITTEE = 0, 1
"""Who signs for a wallet: Vault, with a key in a confidential cell, or the committee together."""

CUSTODY_WORDS = {IN_VAULT: "vault", BY_COMMITTEE: "assembly"}
"""How nodes say it in their answers."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """What changes rarely.

    Attributes:
        owner: Who sets the policy and grants credentials.
        recovery: The one address to which the owner may withdraw; never changes.
        account: The wallet's own address; its type tells the chain.
        policy_version: 0 before the first policy: everything is refused.
        policy_hash: Keccak-256 of the policy's canonical JSON.
        custody: IN_VAULT or BY_COMMITTEE; never changes.
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
    def chain(self) -> Chain:
        return chain_of(self.account)

    @property
    def method(self) -> str:
        return self.chain.transactions.method

    def encode(self) -> bytes:
        """Give the cell's bytes: eight fields, and the chain where no length tells it."""
        fields: list[rlp.Item] = [
            self.owner,
            self.recovery,
            self.account,
            uint(self.paused),
            uint(self.policy_version),
            self.policy_hash,
            uint(self.created_at),
            uint(self.custody),
        ]
        chain = self.chain
        return rlp.encode(fields if chain.told_by_length else [*fields, chain.namespace.encode()])

    @staticmethod
    @lru_cache(maxsize=1_024)
    def decode(raw: bytes) -> "Wallet":
        """Read the cell's bytes.

        Raises:
            Malformed: not a wallet.
        """
        fields = list_of(rlp.decode(raw), None, "wallet")
        named = len(fields) == _FIELDS + 1
        list_of(fields, _FIELDS + named, "wallet")
        chain = text_of(fields[_FIELDS], "chain", _NAME_BYTES) if named else None
        return Wallet(
            owner=fixed_of(fields[0], Address, "owner"),
            recovery=kept_address(bytes_of(fields[1], "recovery"), chain),
            account=kept_address(bytes_of(fields[2], "account"), chain),
            paused=flag_of(fields[3], "paused"),
            policy_version=uint_of(fields[4], "policyVersion", 8),
            policy_hash=fixed_of(fields[5], Hash32, "policyHash"),
            created_at=UnixSeconds(uint_of(fields[6], "createdAt", 8)),
            custody=uint_of(fields[7], "custody", 1),
        )


@dataclass(frozen=True, slots=True)
class Book(Record):
    """What changes with every request: prepaid quota, length of the log, spending.

    Attributes:
        quota: Wei of the ledger's token, from which requests are paid.
        log_length: Entries in the wallet's log.
        usage: What was spent of each windowed limit of the policy.
    """

    REMEMBERED: ClassVar[int] = 16
    quota: U256 = 0
    log_length: U64 = 0
    usage: Mapping[
        Annotated[str, AtMost(_NAME_BYTES)], Annotated[Usage, Form(Usage.decode, Usage.encode)]
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GrantedCredential(Record):
    """What an agent's key may do: ask, until it expires or is revoked."""

    REMEMBERED: ClassVar[int] = 1_024
    granted_at: UnixSeconds
    expires_at: UnixSeconds
    revoked: bool


@dataclass(frozen=True, slots=True)
class SignedNonce(Record):
    """One nonce of one chain for which the wallet has signed, and what it holds."""

    signed_at: UnixSeconds
    height: Height
    reservations: tuple[Reservation, ...]
