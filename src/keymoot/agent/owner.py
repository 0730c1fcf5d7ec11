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
from keymoot.agent.errors import AnswerLost, NoNodeAnswers, NotSignable
from keymoot.agent.network import Network
from keymoot.agent.nodes import NodeTurn
from keymoot.agent.processes import stays_here
from keymoot.agent.reply import Reply, collect
from keymoot.agent.rounds import Rounds
from keymoot.agent.share import ReleasedSignature
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.signable import AskedRequest, EcdsaSignable, Ed25519Signable, Signable
from keymoot.agent.signing_request import AGAIN_PAUSE_SECONDS, MAX_AGAIN
from keymoot.agent.views import WalletView, WalletViews
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
from keymoot.base.secret import Secret
from keymoot.base.transaction import EvmTransaction
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.committee.nonces.record import SeatBits
from keymoot.crypto import hpke, secp256k1
from keymoot.crypto.kdf import derive
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key, signing_hash, wallet_id

WITHDRAWAL_SECONDS = 300
"""How long the ledger may take to accept and answer a withdrawal."""

_ENTROPY_BYTES = 48


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A transaction of the owner's that is final."""

    transaction_hash: Hash32
    height: Height


def salt_of(name: str) -> Bytes32:
    """Give the salt by which an owner's wallet of this name is found again."""
    return Bytes32(keccak256(b"keymoot/wallet-name/v1" + name.encode()))


def new_key() -> Secret:
    return secp256k1.private_key(secrets.token_bytes(_ENTROPY_BYTES))


class Owner(WalletViews):
    """One owner's key at work.

    What a transaction was to change is looked for in a proved state: a node that swallows one, and
    says that it is done, is not believed. What is refused raises TransactionFailed or
    NetworkRefused, before it is in a block.
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
        return DerivedKeys(self.network, self._key)

    def wallet_of(self, name: str) -> WalletId:
        """Give the id of this owner's wallet of that name, whether or not it exists."""
        return wallet_id(self.address, salt_of(name))

    def create(
        self, name: str, recovery: Address, quota: Wei, *, in_vault: bool = False
    ) -> WalletView:
        """Make a wallet whose key the committee keeps together. It refuses everything yet.

        Args:
            name: The owner's name for it; the id follows from it.
            recovery: Where withdrawals go, for ever.
            quota: Prepayment for requests, in wei of the ledger's own token.
            in_vault: Let the key be born in Vault instead: then every enclave has it.
        """
        method = "createInVault" if in_vault else "create"
        self.network.send(self._key, method, salt_of(name), recovery, value=quota)
        return self.show(self.wallet_of(name))

    def create_solana(self, name: str, recovery: SolanaAddress, quota: Wei) -> WalletView:
        """Make a wallet on Solana whose Ed25519 key the committee keeps together; as `create`."""
        self.network.send(self._key, "createSolana", salt_of(name), Bytes32(recovery), value=quota)
        return self.show(self.wallet_of(name))

    def create_on(self, chain: str, name: str, recovery: WalletAddress, quota: Wei) -> WalletView:
        """Make a wallet on any chain that the network knows, by its CAIP-2 namespace.

        As `create`.
        """
        self.network.send(self._key, "createOn", chain, salt_of(name), bytes(recovery), value=quota)
        return self.show(self.wallet_of(name))

    def fund(self, wallet: WalletId, wei: Wei) -> Confirmation:
        return confirmation_of(self.network.send(self._key, "fund", wallet, value=wei))

    def set_policy(self, wallet: WalletId, document: bytes, expected_version: int) -> Confirmation:
        """Replace the policy, canonical JSON.

        Refused if it is not at `expected_version` any more.
        """
        return confirmation_of(
            self.network.send(self._key, "setPolicy", wallet, document, expected_version)
        )

    def grant(self, wallet: WalletId, name: str, expires_at: UnixSeconds) -> Credential:
        """Grant a credential that ends at most 366 days ahead; save it, it exists nowhere else."""
        key = new_key()
        shown = self.show(wallet)
        identity, anchor = self.network.identity(), self.network.anchor()
        holder = secp256k1.address_of_secret(key)
        self.network.send(self._key, "grant", wallet, holder, expires_at)
        return Credential(
            name=name,
            network=identity.network,
            urls=self.network.nodes.urls,
            wallet=wallet,
            address=shown.account,
            verifying_key=anchor.verifying_key,
            expires=expires_at,
            key=key,
        )

    def grant_app(self, wallet: WalletId, app: AppId, expires_at: UnixSeconds) -> Confirmation:
        """Let every live instance of an app ask, until a time at most 366 days ahead."""
        return confirmation_of(self.network.send(self._key, "grantApp", wallet, app, expires_at))

    def revoke_app(self, wallet: WalletId, app: AppId) -> Confirmation:
        """Take back what was granted to an app; what its instances did not fetch stops too."""
        return confirmation_of(self.network.send(self._key, "revokeApp", wallet, app))

    def revoke(self, wallet: WalletId, credential: Address) -> Confirmation:
        """Take a credential back; what it asked and did not fetch stops too."""
        return confirmation_of(self.network.send(self._key, "revoke", wallet, credential))

    def pause(self, wallet: WalletId) -> Confirmation:
        """Stop every signature but the owner's withdrawals."""
        return confirmation_of(self.network.send(self._key, "pause", wallet))

    def resume(self, wallet: WalletId) -> Confirmation:
        return confirmation_of(self.network.send(self._key, "resume", wallet))

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
        if not isinstance(account, Address):
            raise NotSignable(f"{account.text} is no wallet of EVM chains: see withdraw_solana")
        wanted = EcdsaSignable(account, signing_hash(transaction))
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
        """As `withdraw`, with a message of Solana to the recovery address.

        It holds transfers to recovery, or to its associated token accounts, at a fee of at most
        `max_fee` lamports (None: 0.01 SOL). Gives what is sent to a node of Solana.
        """
        account = self.show(wallet).account
        if not isinstance(account, SolanaAddress):
            raise NotSignable(f"{account.text} is no wallet on Solana: see withdraw")
        wanted = Ed25519Signable(wallet, Bytes32(account), message)
        released = self._withdraw(wallet, message, wanted, request_id, max_fee)
        return b"\x01" + released.signature + message

    def _withdraw(
        self,
        wallet: WalletId,
        payload: bytes,
        wanted: Signable,
        name: RequestId | None,
        max_fee: int | None,
    ) -> ReleasedSignature:
        silent = frozenset[int]()
        if name is not None:
            return self._withdraw_once(wallet, payload, wanted, name, silent, max_fee)
        for _ in range(MAX_AGAIN + self.network.proven().faults):
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
        wanted: Signable,
        name: RequestId,
        silent: frozenset[int],
        max_fee: int | None,
    ) -> ReleasedSignature:
        identity = self.network.identity()
        secret = derive(self._key, "owner reply key", identity.network, wallet, name)
        key = request_key(self.address, name)
        reply = Reply(AskedRequest(identity.network, key, self.network.proven(), secret), wanted)
        self.network.send(
            self._key,
            "withdraw",
            wallet,
            payload,
            name,
            int(time.time()) + WITHDRAWAL_SECONDS,
            hpke.public_key(secret),
            int.from_bytes(SeatBits.of(silent), "big"),
            max_fee or 0,
        )
        seconds = self.network.timeout_seconds

        def at_node(turn: NodeTurn) -> ReleasedSignature:
            return reply.settle(turn, collect(turn, key, name.hex0x), seconds)

        try:
            return Rounds(self.network.nodes, seconds).ask(at_node)
        except NoNodeAnswers as error:
            raise AnswerLost(str(error), name.hex0x, error.nodes) from error


def _new_id() -> RequestId:
    return RequestId(secrets.token_bytes(RequestId.LENGTH))


def confirmation_of(receipt: dict[str, Any]) -> Confirmation:
    return Confirmation(
        Hash32.from_hex(str(receipt.get("transactionHash"))),
        Height(int(str(receipt.get("blockNumber")), 16)),
    )
