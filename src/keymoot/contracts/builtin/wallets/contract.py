"""Wallets: owner, recovery address, credentials, policy, budgets, requests, log.

Owner and agent are two. The owner signs ordinary transactions to this contract; an
agent's credential can do one thing, ask (the ledger's own transaction type 0x4b, see
`requests`). All of it is public state; the wallet's key is Vault's, under this
contract's name.
"""

from dataclasses import replace

from keymoot.base.fixed import (
    Address,
    AppId,
    Bytes32,
    Hash32,
    RequestId,
    SolanaAddress,
    WalletAddress,
    WalletId,
)
from keymoot.base.request import MAX_LIFETIME_SECONDS
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import AppRemoved, NoSuchApp
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.errors import (
    WALLET_ERRORS,
    BadDocument,
    BadExpiry,
    BadRecovery,
    NoSuchChain,
    NoSuchCredential,
    NotACredential,
    NotOwner,
    StalePolicy,
    WalletExists,
    WithdrawalRefused,
)
from keymoot.contracts.builtin.wallets.events import (
    WALLET_EVENTS,
    AppGranted,
    CredentialSet,
    PauseSet,
    PolicySet,
    SolanaWalletCreated,
    WalletCreated,
    WalletCreatedOn,
)
from keymoot.contracts.builtin.wallets.policies import reading_gas
from keymoot.contracts.builtin.wallets.requests import CHECK_GAS, bind_withdrawal
from keymoot.contracts.builtin.wallets.views import WalletQueries
from keymoot.contracts.builtin.wallets.wallet import (
    BY_COMMITTEE,
    IN_VAULT,
    Book,
    GrantedCredential,
    Wallet,
)
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import built_in, call
from keymoot.contracts.framework.errors import Anonymous
from keymoot.contracts.framework.types import uint64, uint256
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key, wallet_id
from keymoot.policy.chains.chain import Chain
from keymoot.policy.chains.evm.chain import EVM
from keymoot.policy.chains.registry import chain_in
from keymoot.policy.chains.solana.chain import SOLANA
from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.recovery import check_withdrawal

MAX_CREDENTIAL_SECONDS = 366 * 86_400
"""Longest life of a credential."""

_ZERO = Address(bytes(20))
_NO_POLICY = Hash32(bytes(32))


class Wallets(WalletQueries):
    """Keeps wallets and decides what their keys may sign."""

    ADDRESS = built_in(2)
    ERRORS = (*WALLET_ERRORS, *Vault.ERRORS, AppRemoved, NoSuchApp)
    EVENTS = WALLET_EVENTS

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create(self, ctx: Context, salt: Bytes32, recovery: Address) -> tuple[WalletId, Address]:
        """Make a wallet whose owner is the caller; the value becomes its quota.

        Its key is the committee's: no enclave has it. Returns the wallet's id and its
        address. It has no policy: it refuses everything. On a chain without a committee the
        key is Vault's.
        """
        by_committee = ctx.call(Nodes.has_committee)
        return self._create(ctx, salt, recovery, BY_COMMITTEE if by_committee else IN_VAULT)

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create_in_vault(
        self, ctx: Context, salt: Bytes32, recovery: Address
    ) -> tuple[WalletId, Address]:
        """Make a wallet whose key is born in Vault: every enclave of the network has it."""
        return self._create(ctx, salt, recovery, IN_VAULT)

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create_solana(
        self, ctx: Context, salt: Bytes32, recovery: SolanaAddress
    ) -> tuple[WalletId, SolanaAddress]:
        """Make a wallet with an Ed25519 key, kept by the committee; the value becomes its quota.

        Returns the wallet's id and its address on Solana. It refuses everything yet.

        Raises:
            NotReady: this network has no roots yet, or no committee at all.
        """
        wallet, owner, kept = self._keep(ctx, SOLANA, salt, recovery)
        account = SolanaAddress(kept)
        ctx.emit(SolanaWalletCreated(wallet, owner, account))
        return wallet, account

    @call(payable=True, gas_ceiling=600_000, believes_from=True)
    def create_on(
        self, ctx: Context, chain: str, salt: Bytes32, recovery: bytes
    ) -> tuple[WalletId, bytes]:
        """Make a wallet on any chain, kept by the committee; the value becomes its quota.

        `chain` is a CAIP-2 namespace, `recovery` an address there. Returns the wallet's id and its
        address there. It refuses everything yet.

        Raises:
            NoSuchChain: no chain of that name is known.
            NotReady: this network has no roots yet, or no committee at all.
        """
        try:
            known = chain_in(chain)
        except BadPolicy as error:
            raise NoSuchChain(str(error)) from error
        wallet, owner, account = self._keep(ctx, known, salt, recovery)
        ctx.emit(WalletCreatedOn(wallet, owner, known.namespace, account))
        return wallet, account

    def _keep(
        self, ctx: Context, chain: Chain, salt: Bytes32, recovery: bytes
    ) -> tuple[WalletId, Address, WalletAddress]:
        wallet = self._new_id(ctx, salt)
        key = ctx.call(Nodes.wallet_key, chain.scheme, wallet)
        account, kind = chain.address_of(key), chain.addresses.type
        if len(recovery) != kind.LENGTH or bytes(recovery) in (bytes(kind.LENGTH), bytes(account)):
            raise BadRecovery
        owner = self._put(ctx, wallet, account, kind(recovery), BY_COMMITTEE)
        return wallet, owner, account

    def _create(
        self, ctx: Context, salt: Bytes32, recovery: Address, custody: int
    ) -> tuple[WalletId, Address]:
        if recovery == _ZERO:
            raise BadRecovery
        wallet = self._new_id(ctx, salt)
        if custody == BY_COMMITTEE:
            key = ctx.call(Nodes.wallet_key, EVM.scheme, wallet)
            account = Address(EVM.address_of(key))
        else:
            account = ctx.call(Vault.birth, Bytes32(wallet))
        owner = self._put(ctx, wallet, account, recovery, custody)
        ctx.emit(WalletCreated(wallet, owner, account))
        return wallet, account

    def _new_id(self, ctx: Context, salt: Bytes32) -> WalletId:
        if ctx.sender is None:
            raise Anonymous
        wallet = wallet_id(ctx.sender, salt)
        if self.wallets.get(ctx.public_store(), wallet) is not None:
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
        self.wallets.set(ctx.public_store(), wallet, made)
        self.books.set(ctx.public_store(), wallet, Book(quota=ctx.value))
        return ctx.sender

    @call(payable=True, believes_from=True)
    def fund(self, ctx: Context, wallet: WalletId) -> None:
        """Add the value to a wallet's quota; anyone may."""
        self.known(ctx, wallet)
        book = self.book(ctx, wallet)
        self.books.set(ctx.public_store(), wallet, replace(book, quota=book.quota + ctx.value))

    @call(believes_from=True)
    def set_policy(
        self, ctx: Context, wallet: WalletId, document: bytes, expected_version: uint64
    ) -> None:
        """Replace the policy; `expected_version` is the version that the owner looked at.

        What was spent of a limit stays spent for whatever policy has a limit of that name,
        this one or a later one.
        """
        owned = self._owned(ctx, wallet)
        if owned.policy_version != expected_version:
            raise StalePolicy(owned.policy_version)
        ctx.charge(reading_gas(document))
        try:
            policy = parse_policy(document)
        except BadPolicy as error:
            raise BadDocument(str(error)) from error
        if policy.chain.namespace != owned.chain.namespace:
            raise BadDocument(
                f"the policy is for {policy.chain}, where this wallet has no address: "
                "a wallet is of EVM chains or on Solana, see its address"
            )
        if policy.source != document:
            raise BadDocument("send the canonical JSON: sorted keys, no spaces")
        version = owned.policy_version + 1
        store = ctx.public_store()
        self.policies.set(store, wallet, document)
        self.stirred.set(store, value=True)
        changed = replace(owned, policy_version=version, policy_hash=policy.hash)
        self.wallets.set(store, wallet, changed)
        book = self.with_usage_of(ctx, wallet, set(policy.limits))
        self.books.set(store, wallet, book)
        ctx.emit(PolicySet(wallet, version, policy.hash))

    @call(believes_from=True)
    def grant(
        self, ctx: Context, wallet: WalletId, credential: Address, expires_at: UnixSeconds
    ) -> None:
        """Let `credential` ask until `expires_at`; it can do nothing else."""
        owned = self._owned(ctx, wallet)
        if credential in (_ZERO, owned.owner):
            raise NotACredential
        granted = _granted(ctx, "a credential", expires_at)
        self.credentials.set(ctx.public_store(), wallet + credential, granted)
        ctx.emit(CredentialSet(wallet, credential, expires_at))

    @call(believes_from=True)
    def revoke(self, ctx: Context, wallet: WalletId, credential: Address) -> None:
        """Take a credential back; answers that were bound but not fetched stop too."""
        self._owned(ctx, wallet)
        grant = self.credential_of(ctx, wallet, credential)
        if grant is None:
            raise NoSuchCredential
        revoked = replace(grant, revoked=True)
        self.credentials.set(ctx.public_store(), wallet + credential, revoked)
        self.stirred.set(ctx.public_store(), value=True)
        ctx.emit(CredentialSet(wallet, credential, UnixSeconds(0)))

    @call(believes_from=True)
    def grant_app(
        self, ctx: Context, wallet: WalletId, app: AppId, expires_at: UnixSeconds
    ) -> None:
        """Let every live instance of an app ask until `expires_at`, as a credential may.

        Raises:
            NoSuchApp, AppRemoved: there is no such app.
        """
        self._owned(ctx, wallet)
        ctx.call(Apps.check_known, app)
        granted = _granted(ctx, "a grant", expires_at)
        self.app_grants.set(ctx.public_store(), wallet + app, granted)
        ctx.emit(AppGranted(wallet, app, expires_at))

    @call(believes_from=True)
    def revoke_app(self, ctx: Context, wallet: WalletId, app: AppId) -> None:
        """Take back what was granted to an app; answers that were bound but not fetched stop."""
        self._owned(ctx, wallet)
        grant = self.app_grants.get(ctx.public_store(), wallet + app)
        if grant is None:
            raise NoSuchCredential
        self.app_grants.set(ctx.public_store(), wallet + app, replace(grant, revoked=True))
        self.stirred.set(ctx.public_store(), value=True)
        ctx.emit(AppGranted(wallet, app, UnixSeconds(0)))

    @call(believes_from=True)
    def pause(self, ctx: Context, wallet: WalletId) -> None:
        """Refuse and release nothing until `resume`; withdrawals still work."""
        self._set_paused(ctx, wallet, paused=True)

    @call(believes_from=True)
    def resume(self, ctx: Context, wallet: WalletId) -> None:
        """End a pause."""
        self._set_paused(ctx, wallet, paused=False)

    @call(believes_from=True)
    def withdraw(
        self,
        ctx: Context,
        wallet: WalletId,
        transaction: bytes,
        request_id: RequestId,
        expires_at: UnixSeconds,
        reply_key: Bytes32,
        without: uint64,
        max_fee: uint256,
    ) -> Hash32:
        """Bind an owner's transaction to the recovery address; no policy is asked.

        For a wallet on Solana the transaction is a message, as its signers sign it, and
        `without` leaves out signers that were silent before: bit i−1 for seat i. Its fee is
        at most `max_fee`, in wei or lamports; 0 stands for what is usual there.
        Returns the key under which its signature is released.
        """
        owned = self._owned(ctx, wallet)
        ctx.charge(CHECK_GAS)
        now = ctx.block.time
        if not now <= expires_at <= now + MAX_LIFETIME_SECONDS:
            raise BadExpiry(f"a request expires at most {MAX_LIFETIME_SECONDS} s from now")
        try:
            intent = read_intent(owned.method, transaction, owned.account)
        except NeverSigned as error:
            raise WithdrawalRefused(error.refusal.message) from error
        refusal = check_withdrawal(intent, owned.recovery, max_fee or None)
        if refusal is not None:
            raise WithdrawalRefused(refusal.message)
        body = keccak256(b"withdraw" + wallet + intent.digest + reply_key)
        bind_withdrawal(
            self,
            ctx,
            wallet,
            owned,
            intent,
            request_id,
            expires_at,
            body,
            transaction,
            reply_key,
            without.to_bytes(8, "big") if without else b"",
        )
        return request_key(owned.owner, request_id)

    def _owned(self, ctx: Context, wallet: WalletId) -> Wallet:
        known = self.known(ctx, wallet)
        if ctx.sender is None or ctx.sender != known.owner:
            raise NotOwner
        return known

    def _set_paused(self, ctx: Context, wallet: WalletId, *, paused: bool) -> None:
        owned = self._owned(ctx, wallet)
        self.wallets.set(ctx.public_store(), wallet, replace(owned, paused=paused))
        self.stirred.set(ctx.public_store(), value=True)
        ctx.emit(PauseSet(wallet, paused))


def _granted(ctx: Context, what: str, expires_at: UnixSeconds) -> GrantedCredential:
    now = ctx.block.time
    if not now < expires_at <= now + MAX_CREDENTIAL_SECONDS:
        raise BadExpiry(f"{what} expires between now and a year from now")
    return GrantedCredential(now, expires_at, revoked=False)
