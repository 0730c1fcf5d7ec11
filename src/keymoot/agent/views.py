"""What anyone may read of wallets: their records, policies, credentials and logs, all of it proved."""

from dataclasses import dataclass

from keymoot.agent.network import Network
from keymoot.base import strict_json
from keymoot.base.fixed import Address, Hash32, WalletAddress, WalletId
from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds, Wei
from keymoot.contracts.policies import usage_json
from keymoot.contracts.wallet import Credential as Granted
from keymoot.contracts.wallets import Wallets
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


class Views:
    """What anyone may read of wallets; all of it is proved."""

    def __init__(self, network: Network) -> None:
        """Take the network to ask."""
        self.network = network

    def show(self, wallet: WalletId) -> WalletView:
        """Give a wallet; an address that the assembly keeps is computed from its root.

        Raises:
            NoSuchWallet: it is proved that there is none of this id.
            Unproven: what the network shows does not follow from what it certified.
        """
        found = self.network.wallet(wallet)
        record, book = found.record, found.book
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
        """Give the policy's canonical JSON; empty before the first.

        Raises:
            As `show`.
        """
        return self.network.wallet(wallet).policy or b""

    def credential(self, wallet: WalletId, credential: Address) -> CredentialView:
        """Give what the ledger knows of a credential.

        Raises:
            As `show`, but for the wallet.
        """
        key = Wallets.credentials.slot_key(wallet + credential)
        _, storage = self.network.cells(Wallets.ADDRESS, [public_slot(key)])
        raw = storage.cell(key)
        if raw is None:
            return CredentialView(UnixSeconds(0), revoked=False, granted_at=UnixSeconds(0))
        found = Granted.decode(raw)
        return CredentialView(found.expires_at, found.revoked, found.granted_at)

    def usage(self, wallet: WalletId) -> list[Json]:
        """Give what is spent of each limit at the time of the newest block.

        Raises:
            As `show`.
        """
        found = self.network.wallet(wallet)
        return usage_json(found.policy, found.book, found.header.time)

    def log(self, wallet: WalletId, start: int = 0, count: int = LOG_PAGE) -> list[Json]:
        """Give log entries from `start` on, oldest first; at most `LOG_PAGE`.

        Raises:
            As `show`; an entry that is left out is not proved.
        """
        found = self.network.log(wallet, start, count)
        return [strict_json.parse(one.to_json(), _MAX_LINE_BYTES) for one in found.records]
