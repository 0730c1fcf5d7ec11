"""The owner's side: make a wallet, rule it, and take everything back.

The owner's key signs ordinary transactions to the contract Wallets. It is not the
wallet's key: nobody has that one. An agent never needs this module.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from keymoot.agent.credential import Credential
from keymoot.agent.derived_keys import DerivedKeys
from keymoot.agent.errors import NotSignable, Unproven
from keymoot.agent.gathering import TooFewShares
from keymoot.agent.network import Network
from keymoot.agent.processes import stays_here
from keymoot.agent.reply import Reply
from keymoot.agent.share import Released
from keymoot.agent.wanted import Asked, EcdsaWanted, Ed25519Wanted, Wanted
from keymoot.agent.wish import AGAIN_PAUSE_SECONDS, MAX_AGAIN, collect
from keymoot.base import strict_json
from keymoot.base.fixed import (
    Address,
    Bytes32,
    Hash32,
    RequestId,
    SolanaAddress,
    WalletAddress,
    WalletId,
)
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.base.transaction import EvmTransaction
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.contracts.policies import usage_json
from keymoot.contracts.wallet import Credential as Granted
from keymoot.contracts.wallets import Wallets
from keymoot.crypto import hpke, secp256k1
from keymoot.crypto.kdf import derive
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key, signing_hash, wallet_id
from keymoot.moot.slot import write_seats
from keymoot.proof.log import MAX_PAGE
from keymoot.store.public import public_slot

WITHDRAWAL_SECONDS = 300
"""How long the ledger may take to accept and answer a withdrawal."""

LOG_PAGE = MAX_PAGE
"""Log entries that are proved at once."""

_MAX_LINE_BYTES = 1_048_576
_ENTROPY_BYTES = 48


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


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction of the owner's that is final."""

    transaction_hash: Hash32
    height: Height


def salt_of(name: str) -> Bytes32:
    """Give the salt by which an owner's wallet of this name is found again."""
    return Bytes32(keccak256(b"keymoot/wallet-name/v1" + name.encode()))


def new_key() -> Secret:
    """Make a key for an owner or a credential."""
    return secp256k1.private_key(secrets.token_bytes(_ENTROPY_BYTES))


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
        return [_json(record.to_json()) for record in found.records]


class Owner(Views):
    """One owner's key at work.

    What a transaction was to change is looked for in a proved state: a node that swallows one, and
    says that it is done, is not believed.
    """

    def __init__(self, network: Network, key: Secret) -> None:
        """Take the network, and the key from a keystore; see `keystore.load`."""
        super().__init__(network)
        self._key = key
        self.address = secp256k1.address_of_secret(key)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the owner's key."""
        stays_here("an owner", "load the key from its keystore (keystore.load)")

    def derived_keys(self) -> DerivedKeys:
        """Give the keys that this account derives through the network."""
        return DerivedKeys(self.network, self._key)

    def wallet_of(self, name: str) -> WalletId:
        """Give the id of this owner's wallet of that name, whether or not it exists."""
        return wallet_id(self.address, salt_of(name))

    def create(
        self, name: str, recovery: Address, quota: Wei, *, in_vault: bool = False
    ) -> WalletView:
        """Make a wallet whose key the assembly keeps together. It refuses everything yet.

        Args:
            name: The owner's name for it; the id follows from it.
            recovery: Where withdrawals go, for ever.
            quota: Prepayment for requests, in wei of the ledger's own token.
            in_vault: Let the key be born in Vault instead: then every enclave has it.

        Raises:
            TransactionFailed, NetworkRefused: the name is taken, or funds are missing.
        """
        method = "createInVault" if in_vault else "create"
        self.network.send(self._key, method, salt_of(name), recovery, value=quota)
        return self.show(self.wallet_of(name))

    def create_solana(self, name: str, recovery: SolanaAddress, quota: Wei) -> WalletView:
        """Make a wallet on Solana whose Ed25519 key the assembly keeps together.

        Args:
            name: The owner's name for it; the id follows from it.
            recovery: Where withdrawals go, for ever.
            quota: Prepayment for requests, in wei of the ledger's own token.

        Raises:
            TransactionFailed, NetworkRefused: the name is taken, or funds are missing.
        """
        self.network.send(self._key, "createSolana", salt_of(name), Bytes32(recovery), value=quota)
        return self.show(self.wallet_of(name))

    def fund(self, wallet: WalletId, wei: Wei) -> Done:
        """Add to a wallet's quota."""
        return _done(self.network.send(self._key, "fund", wallet, value=wei))

    def set_policy(self, wallet: WalletId, document: bytes, expected_version: int) -> Done:
        """Replace the policy.

        Args:
            wallet: Whose.
            document: Canonical JSON: sorted keys, no spaces.
            expected_version: The version that the owner looked at; another is refused.
        """
        done = _done(self.network.send(self._key, "setPolicy", wallet, document, expected_version))
        self._see(self.policy(wallet) == document, "the policy is set")
        return done

    def grant(self, wallet: WalletId, name: str, expires_at: UnixSeconds) -> Credential:
        """Grant a new credential; save it with `Credential.save`, it exists nowhere else.

        Args:
            wallet: What it may ask.
            name: The name under which the agent connects.
            expires_at: When the ledger stops to accept it, at most 366 days ahead.
        """
        key = new_key()
        shown = self.show(wallet)
        identity, anchor = self.network.identity(), self.network.anchor()
        holder = secp256k1.address_of_secret(key)
        self.network.send(self._key, "grant", wallet, holder, expires_at)
        self._see(
            self.credential(wallet, holder).expires_at == expires_at, "the credential is granted"
        )
        return Credential(
            name=name,
            network=identity.network,
            url=self.network.url,
            wallet=wallet,
            address=shown.account,
            verifying_key=anchor.verifying_key,
            expires=expires_at,
            key=key,
        )

    def revoke(self, wallet: WalletId, credential: Address) -> Done:
        """Take a credential back; what it asked and did not fetch stops too."""
        done = _done(self.network.send(self._key, "revoke", wallet, credential))
        self._see(self.credential(wallet, credential).revoked, "the credential is revoked")
        return done

    def pause(self, wallet: WalletId) -> Done:
        """Stop every signature but the owner's withdrawals."""
        done = _done(self.network.send(self._key, "pause", wallet))
        self._see(self.show(wallet).paused, "the wallet is paused")
        return done

    def resume(self, wallet: WalletId) -> Done:
        """End a pause."""
        done = _done(self.network.send(self._key, "resume", wallet))
        self._see(not self.show(wallet).paused, "the pause has ended")
        return done

    @staticmethod
    def _see(done: bool, what: str) -> None:  # noqa: FBT001
        """Raise where a receipt says what the proved state does not: nobody signs receipts."""
        if not done:
            raise Unproven(f"it says that {what}, and the state does not: ask another node")

    def withdraw(
        self,
        wallet: WalletId,
        transaction: EvmTransaction,
        request_id: RequestId | None = None,
        *,
        max_fee: Wei | None = None,
    ) -> bytes:
        """Have a transaction to the recovery address signed; no policy is asked.

        Args:
            wallet: Whose funds.
            transaction: A native transfer, ERC-20 transfer, or ERC-4626 exit to recovery.
            request_id: To repeat a withdrawal whose answer was lost; None for a new one.
            max_fee: Its gas at its highest price, in wei, at most; None for 0.05 of the
                chain's token.

        Returns:
            The signed transaction, to be sent to its chain.

        Raises:
            TransactionFailed, NetworkRefused: it does not go to the recovery address.
            AnswerLost: its idempotency_key is the request id, as hex.
            WrongAnswer: not signed by the wallet, or not this.
        """
        account = self.show(wallet).account
        if isinstance(account, SolanaAddress):
            raise NotSignable(
                f"{account.base58} is a wallet on Solana: withdraw a message (withdraw_solana)"
            )
        wanted = EcdsaWanted(account, signing_hash(transaction))
        payload = transaction.unsigned_bytes()
        released = self._withdraw(wallet, payload, wanted, request_id, max_fee)
        return transaction.signed_bytes(released.ecdsa())

    def withdraw_solana(
        self,
        wallet: WalletId,
        message: bytes,
        request_id: RequestId | None = None,
        *,
        max_fee: int | None = None,
    ) -> bytes:
        """Have a message of Solana to the recovery address signed; no policy is asked.

        Args:
            wallet: Whose funds.
            message: Transfers to recovery, or to its associated token accounts.
            request_id: To repeat a withdrawal whose answer was lost; None for a new one.
            max_fee: Its fee at most, in lamports; None for 0.01 SOL.

        Returns:
            The signed transaction, to be sent to a node of Solana.

        Raises:
            As `withdraw`.
        """
        account = self.show(wallet).account
        if isinstance(account, Address):
            raise NotSignable(f"{account.hex0x} is a wallet of EVM chains: use withdraw")
        wanted = Ed25519Wanted(wallet, account, message)
        released = self._withdraw(wallet, message, wanted, request_id, max_fee)
        return b"\x01" + released.signature + message

    def _withdraw(
        self,
        wallet: WalletId,
        payload: bytes,
        wanted: Wanted,
        name: RequestId | None,
        max_fee: int | None,
    ) -> Released:
        silent = frozenset[int]()
        if name is not None:
            return self._withdraw_once(wallet, payload, wanted, name, silent, max_fee)
        for _ in range(MAX_AGAIN + self.network.roster().faults):
            try:
                return self._withdraw_once(wallet, payload, wanted, _new_id(), silent, max_fee)
            except TooFewShares as error:
                # Enclaves that it was bound to are silent or started anew: another id, others.
                silent |= error.silent
                time.sleep(AGAIN_PAUSE_SECONDS)
        return self._withdraw_once(wallet, payload, wanted, _new_id(), silent, max_fee)

    def _withdraw_once(
        self,
        wallet: WalletId,
        payload: bytes,
        wanted: Wanted,
        name: RequestId,
        silent: frozenset[int],
        max_fee: int | None,
    ) -> Released:
        identity = self.network.identity()
        secret = derive(self._key, "owner reply key", identity.network, wallet, name)
        key = request_key(self.address, name)
        reply = Reply(Asked(identity.network, key, self.network.roster(), secret), wanted)
        self.network.send(
            self._key,
            "withdraw",
            wallet,
            payload,
            name,
            int(time.time()) + WITHDRAWAL_SECONDS,
            hpke.public_key(secret),
            int.from_bytes(write_seats(silent), "big"),
            max_fee or 0,
        )
        deadline = time.monotonic() + self.network.timeout_seconds
        answer = collect(self.network.transport, key, deadline, name.hex0x)
        return reply.settle(self.network.transport, answer, deadline)


def _new_id() -> RequestId:
    return RequestId(secrets.token_bytes(RequestId.LENGTH))


def _done(receipt: dict[str, Any]) -> Done:
    return Done(
        Hash32.from_hex(str(receipt.get("transactionHash"))),
        Height(int(str(receipt.get("blockNumber")), 16)),
    )


def _json(raw: bytes) -> Json:
    return strict_json.parse(raw, _MAX_LINE_BYTES)
