"""What accounts on EVM chains have in common: eth_account's face, without a key.

Each says in its own way how a signature comes about; what is asked for, and that it is the wallet's
over exactly that, is checked here.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NoReturn

from eth_account.datastructures import SignedMessage, SignedTransaction
from eth_account.messages import SignableMessage
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexAddress, HexStr
from hexbytes import HexBytes

from keymoot.agent import hyperliquid, typed_data
from keymoot.agent.dictionary import read_transaction
from keymoot.agent.errors import NoKeyHere, NotSignable
from keymoot.base.fixed import Address, Hash32, Signature65
from keymoot.base.request import SIGN_HYPERLIQUID, SIGN_MESSAGE, SIGN_TRANSACTION, SIGN_TYPED_DATA
from keymoot.base.transaction import LEGACY, EvmTransaction
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.names import checksummed

_PERSONAL = b"E"
"""EIP-191 version of personal messages."""

_ASK = "call sign_transaction, sign_typed_data, or sign_message with a text that a rule allows"


class EvmAccount(LocalAccount):
    """A wallet on EVM chains whose key is elsewhere."""

    def _stand_for(self, address: Address) -> None:
        self._evm_address = address
        self._address = ChecksumAddress(HexAddress(HexStr(checksummed(address))))

    @abstractmethod
    def _released(
        self, method: str, payload: bytes, digest: Hash32, idempotency_key: str | None
    ) -> Signature65:
        """Have a wish signed, and give a signature that is the wallet's, over the digest."""

    def sign_payload(
        self, method: str, payload: bytes, *, idempotency_key: str | None = None
    ) -> SignedMessage:
        """Have a wish signed as requests carry it; `keymoot.base.request` says what of which.

        Raises:
            NotSignable: no policy could allow it; nothing was sent.
            PolicyRefused, and the others of `sign_transaction`.
        """
        try:
            digest = read_intent(method, payload, self._evm_address).digest
        except NeverSigned as error:
            raise NotSignable(str(error)) from error
        return self._message(method, payload, digest, idempotency_key)

    def sign_transaction(
        self,
        transaction_dict: Mapping[str, Any],
        blobs: object = None,
        *,
        idempotency_key: str | None = None,
    ) -> SignedTransaction:
        """Have a transaction signed, if the wallet's policy allows it.

        Args:
            transaction_dict: web3.py's dictionary, complete, of type 0, 1 or 2.
            blobs: Must be None: blob transactions are not signed.
            idempotency_key: Your name for this wish. Calling again with the same name and
                transaction gives the same answer for a day, also from another process and
                after a crash: the same bytes, or, where none ever left the network, a
                signature of the same transaction. Later it raises RequestForgotten.

        Returns:
            eth_account's SignedTransaction, checked to be by this wallet over exactly the
            transaction that was asked for.

        Raises:
            PolicyRefused: `.data` says which rule or limit, and when to try again.
            BadTransaction, WrongSender, NotSignable: nothing was sent.
            NetworkUnreachable, AnswerLost, NetworkRefused, RequestExpired, WrongAnswer: see
                `keymoot.agent.errors`.
        """
        if blobs is not None:
            raise NotSignable("Keymoot does not sign blob transactions (type 3): leave out blobs")
        asked = read_transaction(transaction_dict, self._evm_address)
        digest = signing_hash(asked)
        payload = asked.unsigned_bytes()
        signature = self._released(SIGN_TRANSACTION, payload, digest, idempotency_key)
        return signed_transaction(asked, signature)

    def sign_message(
        self, signable_message: SignableMessage, *, idempotency_key: str | None = None
    ) -> SignedMessage:
        """Have a personal message (EIP-191, version E) signed, if the policy allows it.

        Raises:
            NotSignable: another version: its body is a hash, which no policy can read.
            PolicyRefused, and the others of `sign_transaction`.
        """
        if signable_message.version != _PERSONAL:
            raise NotSignable(
                "only a personal message (EIP-191, version E) says what it is: this one is a hash, "
                "which no rule can read; call sign_typed_data with the document itself"
            )
        digest = typed_data.signable_digest(signable_message)
        return self._message(SIGN_MESSAGE, signable_message.body, digest, idempotency_key)

    def sign_typed_data(
        self,
        domain_data: dict[str, Any] | None = None,
        message_types: dict[str, Any] | None = None,
        message_data: dict[str, Any] | None = None,
        full_message: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> SignedMessage:
        """Have EIP-712 typed data signed, if the policy has a rule for its type and domain.

        Give `full_message`, the document of eth_signTypedData_v4; or domain, types and message.
        The document itself is sent and hashed by the network.

        Raises:
            BadTransaction: no EIP-712 document.
            PolicyRefused, and the others of `sign_transaction`.
        """
        document = typed_data.whole(domain_data, message_types, message_data, full_message)
        _, digest = typed_data.digest_of(document)
        payload = typed_data.payload_of(document)
        return self._message(SIGN_TYPED_DATA, payload, digest, idempotency_key)

    def sign_hyperliquid_action(
        self,
        action: Mapping[str, Any],
        nonce: int,
        vault_address: str | None = None,
        expires_after: int | None = None,
        *,
        network: str,
        idempotency_key: str | None = None,
    ) -> SignedMessage:
        """Have an action of the exchange Hyperliquid signed, if the policy allows it.

        `keymoot.adapters.hyperliquid` calls this for the exchange's own SDK.

        Args:
            action: As it is sent, with its keys in the order in which the SDK makes it.
            nonce: As it is sent: milliseconds.
            vault_address: For whom it trades, where not for the wallet itself.
            expires_after: Last millisecond at which the exchange takes it; None for none.
            network: "mainnet" or "testnet".
            idempotency_key: As for `sign_transaction`.

        Raises:
            BadTransaction: no JSON; nothing was sent.
            PolicyRefused, and the others of `sign_transaction`.
        """
        payload = hyperliquid.payload_of(action, nonce, vault_address, expires_after, network)
        digest = hyperliquid.digest_of(payload, self._evm_address)
        return self._message(SIGN_HYPERLIQUID, payload, digest, idempotency_key)

    @property
    def key(self) -> NoReturn:
        """Refuse: there is no key here."""
        raise NoKeyHere("Account.key", _ASK)

    def __bytes__(self) -> NoReturn:
        """Refuse: eth_account's accounts give their key here."""
        raise NoKeyHere("bytes(account)", _ASK)

    def encrypt(self, *_: object, **__: object) -> NoReturn:
        """Refuse: there is no key to put into a keystore."""
        raise NoKeyHere("Account.encrypt", "nothing needs a backup; the owner's own key does")

    def unsafe_sign_hash(self, message_hash: object) -> NoReturn:  # noqa: ARG002
        """Refuse: a bare hash can be anything, so no policy can judge it."""
        raise NotSignable(f"Keymoot never signs a bare hash, for no rule can read it: {_ASK}")

    def sign_authorization(self, authorization: object) -> NoReturn:  # noqa: ARG002
        """Refuse: EIP-7702 hands the whole account to other code."""
        raise NotSignable(
            "Keymoot does not sign EIP-7702 authorizations, which go around every rule: "
            "use a smart account that the wallet owns"
        )

    def _message(
        self, method: str, payload: bytes, digest: Hash32, idempotency_key: str | None
    ) -> SignedMessage:
        signature = self._released(method, payload, digest, idempotency_key)
        v = 27 + signature[64]
        return SignedMessage(
            message_hash=HexBytes(digest),
            r=int.from_bytes(signature[:32], "big"),
            s=int.from_bytes(signature[32:64], "big"),
            v=v,
            signature=HexBytes(signature[:64] + bytes((v,))),
        )


def signed_transaction(asked: EvmTransaction, signature: Signature65) -> SignedTransaction:
    """Join a transaction and its signature in eth_account's form."""
    raw = asked.signed_bytes(signature)
    v = signature[64]
    if asked.kind == LEGACY:
        v += 27 if asked.chain_id is None else 35 + 2 * asked.chain_id
    return SignedTransaction(
        raw_transaction=HexBytes(raw),
        hash=HexBytes(keccak256(raw)),
        r=int.from_bytes(signature[:32], "big"),
        s=int.from_bytes(signature[32:64], "big"),
        v=v,
    )
