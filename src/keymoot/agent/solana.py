"""A wallet on Solana without a key: what an agent signs with.

    from keymoot.agent import SolanaAccount
    acct = SolanaAccount.connect("treasury")     # KEYMOOT_URL, KEYMOOT_CREDENTIAL
    raw = acct.sign_transaction(message)         # the bytes of the message, as solders gives them

It asks the network for each signature, as the wallet's policy allows, and returns only one
that is the wallet's, over exactly what was asked.
"""

from typing import SupportsBytes

from keymoot.agent.connected import Connected
from keymoot.agent.signable import Ed25519Signable
from keymoot.base.fixed import Bytes32, SolanaAddress
from keymoot.base.request import SIGN_SOLANA_MESSAGE, SIGN_SOLANA_TRANSACTION

_ONE_SIGNATURE = b"\x01"
"""Count of signatures before them, as Solana writes a transaction."""


class SolanaAccount(Connected):
    """A wallet whose Ed25519 key is in the network; safe to use from several threads."""

    ADDRESS = SolanaAddress

    def _begin(self, address: SolanaAddress) -> None:
        self._account = address

    @property
    def address(self) -> str:
        """The wallet's address, in base58."""
        return self._account.base58

    @property
    def pubkey(self) -> SolanaAddress:
        """The wallet's public key, 32 bytes: `solders.pubkey.Pubkey(bytes(acct.pubkey))`."""
        return self._account

    def sign_transaction(
        self, message: SupportsBytes, *, idempotency_key: str | None = None
    ) -> bytes:
        """Have a transaction signed whose only signer and payer is this wallet.

        Args:
            message: The message, legacy or version 0, serialized: `bytes(message)` of solders'
                `Message`, `to_bytes_versioned(message)` of its `MessageV0`.
            idempotency_key: Your name for this wish. Calling again with the same name and
                message gives a signature of the same for a day, also from another process
                and after a crash. Later it raises RequestForgotten.

        Returns:
            The signed transaction as it is sent to a node of Solana.

        Raises:
            PolicyRefused: `.data` says which rule or limit, and when to try again.
            NetworkUnreachable, AnswerLost, NetworkRefused, RequestExpired, WrongAnswer: see
                `keymoot.agent.errors`.
        """
        raw = bytes(message)
        signature = self._ask(SIGN_SOLANA_TRANSACTION, raw, idempotency_key)
        return _ONE_SIGNATURE + signature + raw

    def sign_message(self, message: bytes | str, *, idempotency_key: str | None = None) -> bytes:
        """Have a text signed that a rule allows by its prefix; give the signature, 64 bytes.

        Raises:
            PolicyRefused, and the others of `sign_transaction`.
        """
        raw = message.encode() if isinstance(message, str) else bytes(message)
        return self._ask(SIGN_SOLANA_MESSAGE, raw, idempotency_key)

    def _ask(self, method: str, message: bytes, idempotency_key: str | None) -> bytes:
        wanted = Ed25519Signable(self._credential.wallet, Bytes32(self._account), message)
        return self._wishes.ask(method, message, wanted, idempotency_key).signature

    def __repr__(self) -> str:
        return f"SolanaAccount({self.name!r}, {self.address})"
