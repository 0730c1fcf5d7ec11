"""What anyone may read of wallets."""

from keymoot.base.fixed import Address, AppId, Hash32, SolanaAddress, WalletId
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.cells import WalletCells, log_key
from keymoot.contracts.builtin.wallets.policies import reading_gas, usage_json
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import view
from keymoot.contracts.framework.types import uint64, uint256
from keymoot.policy.chains.evm.chain import EVM
from keymoot.policy.chains.solana.chain import SOLANA

SHOWING_GAS = 15_000
"""Gas for reading a record and writing it for people."""

MAX_LOG_PAGE = 256
"""Log entries that one view returns at most."""

_ZERO = Address(bytes(20))
_ZERO_SOLANA = SolanaAddress(bytes(32))


class WalletQueries(WalletCells):
    """Shows wallets; changes nothing."""

    @view
    def custody(self, ctx: Context, wallet: WalletId) -> uint64:
        """Say who signs for a wallet: 0 for Vault, 1 for the committee."""
        return self.known(ctx, wallet).custody

    @view
    def wallet(
        self, ctx: Context, wallet: WalletId
    ) -> tuple[Address, Address, Address, bool, uint256, uint64, Hash32, UnixSeconds, uint64]:
        """Give owner, recovery, account, paused, quota, policy version and hash, birth, log length.

        Recovery and account are zero here where it is on no EVM chain: see `account`.
        """
        record = self.known(ctx, wallet)
        book = self.book(ctx, wallet)
        return (
            record.owner,
            Address(record.recovery) if record.chain is EVM else _ZERO,
            Address(record.account) if record.chain is EVM else _ZERO,
            record.paused,
            book.quota,
            record.policy_version,
            record.policy_hash,
            record.created_at,
            book.log_length,
        )

    @view
    def solana(self, ctx: Context, wallet: WalletId) -> tuple[SolanaAddress, SolanaAddress]:
        """Give account and recovery address on Solana; zeros for a wallet elsewhere."""
        record = self.known(ctx, wallet)
        if record.chain is not SOLANA:
            return _ZERO_SOLANA, _ZERO_SOLANA
        return SolanaAddress(record.account), SolanaAddress(record.recovery)

    @view
    def account(self, ctx: Context, wallet: WalletId) -> tuple[str, bytes, bytes]:
        """Give chain (its CAIP-2 namespace), account and recovery address, wherever it is."""
        record = self.known(ctx, wallet)
        return record.chain.namespace, record.account, record.recovery

    @view
    def policy(self, ctx: Context, wallet: WalletId) -> bytes:
        """Give the policy's canonical JSON; empty before the first."""
        self.known(ctx, wallet)
        return self.policies.get(ctx.public_store(), wallet) or b""

    @view
    def credential(
        self, ctx: Context, wallet: WalletId, holder: Address
    ) -> tuple[UnixSeconds, bool, UnixSeconds]:
        """Give when it expires, whether it was revoked, and when it was granted (0: never)."""
        grant = self.credential_of(ctx, wallet, holder)
        if grant is None:
            return UnixSeconds(0), False, UnixSeconds(0)
        return grant.expires_at, grant.revoked, grant.granted_at

    @view
    def app_grant(
        self, ctx: Context, wallet: WalletId, app: AppId
    ) -> tuple[UnixSeconds, bool, UnixSeconds]:
        """Give when an app's grant expires, whether it was revoked, and since when it is one."""
        grant = self.app_grants.get(ctx.public_store(), wallet + app)
        if grant is None:
            return UnixSeconds(0), False, UnixSeconds(0)
        return grant.expires_at, grant.revoked, grant.granted_at

    @view
    def usage(self, ctx: Context, wallet: WalletId) -> bytes:
        """Give what is spent of each window now, as JSON: limit, max, used."""
        self.known(ctx, wallet)
        document = self.policies.get(ctx.public_store(), wallet)
        book = self.book(ctx, wallet)
        ctx.charge(reading_gas(document or b""))
        return canonical(usage_json(document, book, ctx.block.time))

    @view
    def log(self, ctx: Context, wallet: WalletId, start: uint64, count: uint64) -> list[bytes]:
        """Give log entries from `start` on, each as JSON; at most 256."""
        self.known(ctx, wallet)
        end = min(self.book(ctx, wallet).log_length, start + min(count, MAX_LOG_PAGE))
        entries = []
        for index in range(start, end):
            key = self.log_index.get(ctx.public_store(), log_key(wallet, index))
            record = self.record(ctx, key) if key is not None else None
            if record is not None:
                ctx.charge(SHOWING_GAS)
                entries.append(record.to_json())
        return entries
