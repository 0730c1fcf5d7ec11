"""What anyone may read of wallets.

Their records, policies, credentials and logs, all of it proved.
"""

from dataclasses import dataclass

from keymoot.agent.network import Network
from keymoot.base import strict_json
from keymoot.base.fixed import Address, Hash32, WalletAddress, WalletId
from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.policies import usage_json
from keymoot.contracts.builtin.wallets.wallet import GrantedCredential
from keymoot.proof.log import MAX_PAGE
from keymoot.store.public import public_slot

LOG_PAGE = MAX_PAGE
"""Log entries that are proved at once."""

_MAX_LINE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class WalletView:
    """What the ledger shows of a wallet.

    Attributes:
        recovery: Where its owner may withdraw to, for ever.
        account: The wallet's address: on every EVM chain, or on Solana.
        quota: What is left to pay for requests, in wei of the ledger's own token.
        policy_version: 0 before the first policy: everything is refused.
    """

    wallet: WalletId
    owner: Address
    recovery: WalletAddress
    account: WalletAddress
    paused: bool
    quota: Wei
    policy_version: int
    policy_hash: Hash32
    created_at: UnixSeconds
    log_length: int


@dataclass(frozen=True, slots=True)
class CredentialView:
    """What the ledger shows of a credential; `granted_at` 0: never granted."""

    expires_at: UnixSeconds
    revoked: bool
    granted_at: UnixSeconds


class WalletViews:
    """What anyone may read of wallets; all of it is proved."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def show(self, wallet: WalletId) -> WalletView:
        """Give a wallet; an address that the committee keeps is computed from its root."""
        shown = self.network.wallet(wallet)
        record, book = shown.record, shown.book
        return WalletView(
            wallet,
            record.owner,
            record.recovery,
            record.account,
            record.paused,
            Wei(book.quota),
            record.policy_version,
            record.policy_hash,
            record.created_at,
            book.log_length,
        )

    def policy(self, wallet: WalletId) -> bytes:
        """The canonical JSON; empty before the first."""
        return self.network.wallet(wallet).policy or b""

    def credential(self, wallet: WalletId, credential: Address) -> CredentialView:
        key = Wallets.credentials.slot_key(wallet + credential)
        _, storage = self.network.cells(Wallets.ADDRESS, [public_slot(key)])
        raw = storage.cell(key)
        if raw is None:
            return CredentialView(UnixSeconds(0), revoked=False, granted_at=UnixSeconds(0))
        grant = GrantedCredential.decode(raw)
        return CredentialView(grant.expires_at, grant.revoked, grant.granted_at)

    def usage(self, wallet: WalletId) -> list[Json]:
        """What is spent of each limit at the time of the newest block."""
        record = self.network.wallet(wallet)
        return usage_json(record.policy, record.book, record.header.time)

    def log(self, wallet: WalletId, start: int = 0, count: int = LOG_PAGE) -> list[Json]:
        """Log entries from `start` on, oldest first; at most `LOG_PAGE`.

        One that is left out is not proved.
        """
        entries = self.network.log(wallet, start, count)
        return [strict_json.parse(record.to_json(), _MAX_LINE_BYTES) for record in entries.records]
