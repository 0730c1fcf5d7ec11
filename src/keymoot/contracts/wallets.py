"""Wallets: owner, recovery address, credentials, policy, budgets, requests, log.

Owner and agent are two. The owner signs ordinary transactions to this contract; an
agent's credential can do one thing, ask (the ledger's own transaction type 0x4b, see
`requests`). All of it is public state; the wallet's key is Vault's, under this
contract's name.
"""

from dataclasses import replace

from keymoot.base.fixed import (
    Address,
    Bytes32,
    Hash32,
    RequestId,
    SolanaAddress,
    WalletAddress,
    WalletId,
)
from keymoot.base.request import MAX_LIFETIME_SECONDS
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import Context
from keymoot.contracts.contract import call, view
from keymoot.contracts.errors import Anonymous
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.policies import reading_gas, usage_json
from keymoot.contracts.requests import CHECK_GAS, bind_withdrawal
from keymoot.contracts.types import address, boolean, bytes32, dynamic_bytes, uint64, uint256
from keymoot.contracts.vault import Vault
from keymoot.contracts.wallet import BY_ASSEMBLY, IN_VAULT, Book, Credential, Wallet
from keymoot.contracts.wallet_cells import WalletCells, log_key
from keymoot.contracts.wallet_errors import (
    WALLET_ERRORS,
    BadCredential,
    BadDocument,
    BadExpiry,
    BadRecovery,
    NoSuchCredential,
    NotOwner,
    StalePolicy,
    WalletExists,
    WithdrawalRefused,
)
from keymoot.contracts.wallet_events import (
    CredentialSet,
    PauseSet,
    PolicySet,
    SolanaWalletCreated,
    WalletCreated,
)
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key, wallet_id
from keymoot.policy.chain import SOLANA
from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NotSignable, read_intent
from keymoot.policy.recovery import check_withdrawal

MAX_CREDENTIAL_SECONDS = 366 * 86_400
"""Longest life of a credential."""

SHOWING_GAS = 15_000
"""Gas for reading a record and writing it for people."""

MAX_LOG_PAGE = 256
"""Log entries that one view returns at most."""

_ZERO = Address(bytes(20))
_NO_POLICY = Hash32(bytes(32))


class Wallets(WalletCells):
    """Keeps wallets and decides what their keys may sign."""

    ADDRESS = Address(b"keymoot".ljust(19, b"\0") + b"\x02")
    ERRORS = (*WALLET_ERRORS, *Vault.ERRORS)

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create(self, ctx: Context, salt: bytes32, recovery: address) -> tuple[bytes32, address]:
        """Make a wallet whose owner is the caller; the value becomes its quota.

        Its key is the assembly's: no enclave has it. Returns the wallet's id and its
        address. It has no policy: it refuses everything. On a chain without an assembly the
        key is Vault's.
        """
        by_assembly: bool = ctx.call(Nodes, "has_assembly")
        return self._create(ctx, salt, recovery, BY_ASSEMBLY if by_assembly else IN_VAULT)

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create_in_vault(
        self, ctx: Context, salt: bytes32, recovery: address
    ) -> tuple[bytes32, address]:
        """Make a wallet whose key is born in Vault: every enclave of the network has it."""
        return self._create(ctx, salt, recovery, IN_VAULT)

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create_solana(
        self, ctx: Context, salt: bytes32, recovery: bytes32
    ) -> tuple[bytes32, bytes32]:
        """Make a wallet with an Ed25519 key, kept by the assembly; the value becomes its quota.

        Returns the wallet's id and its address on Solana. It refuses everything yet.

        Raises:
            NotReady: this network has no roots yet, or no assembly at all.
        """
        wallet = self._new_id(ctx, salt)
        account: SolanaAddress = ctx.call(Nodes, "solana_account", Bytes32(wallet))
        if bytes(recovery) in (bytes(SolanaAddress.LENGTH), bytes(account)):
            raise BadRecovery
        owner = self._put(ctx, wallet, account, SolanaAddress(recovery), BY_ASSEMBLY)
        ctx.emit(SolanaWalletCreated(Bytes32(wallet), owner, Bytes32(account)))
        return Bytes32(wallet), Bytes32(account)

    @view
    def custody(self, ctx: Context, wallet: bytes32) -> uint64:
        """Say who signs for a wallet: 0 for Vault, 1 for the assembly."""
        return self.known(ctx, WalletId(wallet)).custody

    def _create(
        self, ctx: Context, salt: bytes32, recovery: address, custody: int
    ) -> tuple[bytes32, address]:
        if recovery == _ZERO:
            raise BadRecovery
        wallet = self._new_id(ctx, salt)
        account: Address
        if custody == BY_ASSEMBLY:
            account = ctx.call(Nodes, "wallet_account", Bytes32(wallet))
        else:
            account = ctx.call(Vault, "birth", Bytes32(wallet))
        owner = self._put(ctx, wallet, account, recovery, custody)
        ctx.emit(WalletCreated(Bytes32(wallet), owner, account))
        return Bytes32(wallet), account

    def _new_id(self, ctx: Context, salt: bytes32) -> WalletId:
        if ctx.sender is None:
            raise Anonymous
        wallet = wallet_id(ctx.sender, salt)
        if self.wallets.get(ctx.public_store(), Bytes32(wallet)) is not None:
            raise WalletExists
        return wallet

    def _put(
        self,
        ctx: Context,
        wallet: WalletId,
        account: WalletAddress,
        recovery: WalletAddress,
        custody: int,
    ) -> Address:
        """Write a new wallet of the caller's; give its owner."""
        if ctx.sender is None:
            raise Anonymous
        made = Wallet(
            owner=ctx.sender,
            recovery=recovery,
            account=account,
            paused=False,
            policy_version=0,
            policy_hash=_NO_POLICY,
            created_at=ctx.block.time,
            custody=custody,
        )
        self.wallets.set(ctx.public_store(), Bytes32(wallet), made)
        self.books.set(ctx.public_store(), Bytes32(wallet), Book(quota=ctx.value))
        return ctx.sender

    @call(payable=True, believes_from=True)
    def fund(self, ctx: Context, wallet: bytes32) -> None:
        """Add the value to a wallet's quota; anyone may."""
        self.known(ctx, WalletId(wallet))
        book = self.book(ctx, WalletId(wallet))
        self.books.set(ctx.public_store(), wallet, replace(book, quota=book.quota + ctx.value))

    @call(believes_from=True)
    def set_policy(
        self, ctx: Context, wallet: bytes32, document: dynamic_bytes, expected_version: uint64
    ) -> None:
        """Replace the policy; `expected_version` is the version that the owner looked at.

        What was spent of a limit stays spent for whatever policy has a limit of that name,
        this one or a later one.
        """
        found = self._owned(ctx, wallet)
        if found.policy_version != expected_version:
            raise StalePolicy(found.policy_version)
        ctx.charge(reading_gas(document))
        try:
            policy = parse_policy(document)
        except BadPolicy as error:
            raise BadDocument(str(error)) from error
        if (policy.chain.namespace == SOLANA) != found.by_frost:
            raise BadDocument(
                f"the policy is for {policy.chain}, where this wallet has no address: "
                "a wallet is of EVM chains or on Solana, see its address"
            )
        if policy.source != document:
            raise BadDocument("send the canonical JSON: sorted keys, no spaces")
        version = found.policy_version + 1
        store = ctx.public_store()
        self.policies.set(store, wallet, document)
        self.stirred.set(store, value=True)
        changed = replace(found, policy_version=version, policy_hash=policy.hash)
        self.wallets.set(store, wallet, changed)
        book = self.with_usage_of(ctx, WalletId(wallet), set(policy.limits))
        self.books.set(store, wallet, book)
        ctx.emit(PolicySet(wallet, version, Bytes32(policy.hash)))

    @call(believes_from=True)
    def grant(self, ctx: Context, wallet: bytes32, credential: address, expires_at: uint64) -> None:
        """Let `credential` ask until `expires_at`; it can do nothing else."""
        found = self._owned(ctx, wallet)
        if credential in (_ZERO, found.owner):
            raise BadCredential
        now = ctx.block.time
        if not now < expires_at <= now + MAX_CREDENTIAL_SECONDS:
            raise BadExpiry("a credential expires between now and a year from now")
        granted = Credential(now, UnixSeconds(expires_at), revoked=False)
        self.credentials.set(ctx.public_store(), wallet + credential, granted)
        ctx.emit(CredentialSet(wallet, credential, expires_at))

    @call(believes_from=True)
    def revoke(self, ctx: Context, wallet: bytes32, credential: address) -> None:
        """Take a credential back; answers that were bound but not fetched stop too."""
        self._owned(ctx, wallet)
        found = self.credential_of(ctx, WalletId(wallet), credential)
        if found is None:
            raise NoSuchCredential
        revoked = replace(found, revoked=True)
        self.credentials.set(ctx.public_store(), wallet + credential, revoked)
        self.stirred.set(ctx.public_store(), value=True)
        ctx.emit(CredentialSet(wallet, credential, 0))

    @call(believes_from=True)
    def pause(self, ctx: Context, wallet: bytes32) -> None:
        """Refuse and release nothing until `resume`; withdrawals still work."""
        self._set_paused(ctx, wallet, paused=True)

    @call(believes_from=True)
    def resume(self, ctx: Context, wallet: bytes32) -> None:
        """End a pause."""
        self._set_paused(ctx, wallet, paused=False)

    @call(believes_from=True)
    def withdraw(
        self,
        ctx: Context,
        wallet: bytes32,
        transaction: dynamic_bytes,
        request_id: bytes32,
        expires_at: uint64,
        reply_key: bytes32,
        without: uint64,
        max_fee: uint256,
    ) -> bytes32:
        """Bind an owner's transaction to the recovery address; no policy is asked.

        For a wallet on Solana the transaction is a message, as its signers sign it, and
        `without` leaves out signers that were silent before: bit i−1 for seat i. Its fee is
        at most `max_fee`, in wei or lamports; 0 stands for what is usual there.
        Returns the key under which its signature is released.
        """
        found = self._owned(ctx, wallet)
        ctx.charge(CHECK_GAS)
        now = ctx.block.time
        if not now <= expires_at <= now + MAX_LIFETIME_SECONDS:
            raise BadExpiry(f"a request expires at most {MAX_LIFETIME_SECONDS} s from now")
        try:
            intent = read_intent(found.method, transaction, found.account)
        except NotSignable as error:
            raise WithdrawalRefused(error.refusal.message) from error
        refusal = check_withdrawal(intent, found.recovery, max_fee or None)
        if refusal is not None:
            raise WithdrawalRefused(refusal.message)
        body = keccak256(b"withdraw" + wallet + intent.digest + reply_key)
        bind_withdrawal(
            self,
            ctx,
            WalletId(wallet),
            found,
            intent,
            RequestId(request_id),
            UnixSeconds(expires_at),
            body,
            transaction,
            reply_key,
            without.to_bytes(8, "big") if without else b"",
        )
        return Bytes32(request_key(found.owner, RequestId(request_id)))

    @view
    def wallet(
        self, ctx: Context, wallet: bytes32
    ) -> tuple[address, address, address, boolean, uint256, uint64, bytes32, uint64, uint64]:
        """Give owner, recovery, account, paused, quota, policy version and hash, birth, log length.

        Recovery and account of a wallet on Solana are zero here: see `solana`.
        """
        found = self.known(ctx, WalletId(wallet))
        book = self.book(ctx, WalletId(wallet))
        return (
            found.owner,
            _ZERO if found.by_frost else Address(found.recovery),
            _ZERO if found.by_frost else Address(found.account),
            found.paused,
            book.quota,
            found.policy_version,
            Bytes32(found.policy_hash),
            found.created_at,
            book.log_length,
        )

    @view
    def solana(self, ctx: Context, wallet: bytes32) -> tuple[bytes32, bytes32]:
        """Give account and recovery address on Solana; zeros for a wallet of EVM chains."""
        found = self.known(ctx, WalletId(wallet))
        if not found.by_frost:
            return Bytes32(bytes(32)), Bytes32(bytes(32))
        return Bytes32(found.account), Bytes32(found.recovery)

    @view
    def policy(self, ctx: Context, wallet: bytes32) -> dynamic_bytes:
        """Give the policy's canonical JSON; empty before the first."""
        self.known(ctx, WalletId(wallet))
        return self.policies.get(ctx.public_store(), wallet) or b""

    @view
    def credential(
        self, ctx: Context, wallet: bytes32, holder: address
    ) -> tuple[uint64, boolean, uint64]:
        """Give when it expires, whether it was revoked, and when it was granted (0: never)."""
        found = self.credential_of(ctx, WalletId(wallet), holder)
        if found is None:
            return 0, False, 0
        return found.expires_at, found.revoked, found.granted_at

    @view
    def usage(self, ctx: Context, wallet: bytes32) -> dynamic_bytes:
        """Give what is spent of each window now, as JSON: limit, max, used."""
        self.known(ctx, WalletId(wallet))
        document = self.policies.get(ctx.public_store(), wallet)
        book = self.book(ctx, WalletId(wallet))
        ctx.charge(reading_gas(document or b""))
        return canonical(usage_json(document, book, ctx.block.time))

    @view
    def log(
        self, ctx: Context, wallet: bytes32, start: uint64, count: uint64
    ) -> list[dynamic_bytes]:
        """Give log entries from `start` on, each as JSON; at most 256."""
        self.known(ctx, WalletId(wallet))
        end = min(self.book(ctx, WalletId(wallet)).log_length, start + min(count, MAX_LOG_PAGE))
        entries = []
        for index in range(start, end):
            key = self.log_index.get(ctx.public_store(), log_key(WalletId(wallet), index))
            record = self.record(ctx, Hash32(key)) if key is not None else None
            if record is not None:
                ctx.charge(SHOWING_GAS)
                entries.append(record.to_json())
        return entries

    def _owned(self, ctx: Context, wallet: bytes32) -> Wallet:
        found = self.known(ctx, WalletId(wallet))
        if ctx.sender is None or ctx.sender != found.owner:
            raise NotOwner
        return found

    def _set_paused(self, ctx: Context, wallet: bytes32, *, paused: bool) -> None:
        found = self._owned(ctx, wallet)
        self.wallets.set(ctx.public_store(), wallet, replace(found, paused=paused))
        self.stirred.set(ctx.public_store(), value=True)
        ctx.emit(PauseSet(wallet, paused))
