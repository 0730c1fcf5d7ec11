"""An account for eth_account, web3.py and what is built on them, without a key.

    from keymoot.agent import Account
    acct = Account.connect("yield")          # KEYMOOT_URL, KEYMOOT_CREDENTIAL
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(acct), layer=0)

It asks the network for each signature, as the wallet's policy allows, and returns only
one that is the wallet's, over exactly what was asked.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from eth_account.datastructures import SignedMessage, SignedTransaction
from eth_account.messages import SignableMessage
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress, HexAddress, HexStr
from hexbytes import HexBytes

from keymoot.agent import typed_data
from keymoot.agent.connected import TIMEOUT_SECONDS, Connected
from keymoot.agent.credential import Credential
from keymoot.agent.dictionary import checksum, read_transaction
from keymoot.agent.errors import CredentialUnusable, NoKeyHere, NotSignable
from keymoot.agent.wanted import EcdsaWanted
from keymoot.base.fixed import Address, Hash32, Signature65, SolanaAddress
from keymoot.base.request import SIGN_MESSAGE, SIGN_TRANSACTION, SIGN_TYPED_DATA
from keymoot.base.transaction import LEGACY, EvmTransaction
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import signing_hash

_PERSONAL = b"E"
"""EIP-191 version of personal messages."""

_ASK = "call sign_transaction, or sign_message with a text that a rule allows"


class Account(Connected, LocalAccount):
    """A wallet on EVM chains whose key is in the network.

    Safe to use from several threads, and in children that were forked from a process which
    used it. Compare, print and hash it freely. It cannot be pickled: connect again instead.
    """

    def __init__(
        self,
        credential: Credential,
        url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seen: Path | None = None,
    ) -> None:
        """Take a credential; nothing is sent yet. See `Connected`."""
        address = credential.address
        if isinstance(address, SolanaAddress):
            raise CredentialUnusable(
                f'"{credential.name}" is a wallet on Solana ({address.base58}): '
                "use keymoot.agent.SolanaAccount"
            )
        super().__init__(credential, url, timeout_seconds, seen)
        self._evm_address = address
        self._address = ChecksumAddress(HexAddress(HexStr(checksum(address))))

    @property
    def credential(self) -> Address:
        """The credential's own address, by which its owner grants and revokes it."""
        return self._credential.requester

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
        released = self._wishes.ask(
            SIGN_TRANSACTION,
            asked.unsigned_bytes(),
            EcdsaWanted(self._evm_address, digest),
            idempotency_key,
        )
        return signed_transaction(asked, released.ecdsa())

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
                "only a personal message (EIP-191, version E) can be allowed by a rule: this one "
                "is a hash, and no rule of this release reads typed data (EIP-712) either"
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
        """Ask for a signature over EIP-712 typed data: this release always refuses.

        No rule reads typed data yet. The refusal, with what it would have moved, is in the log.

        Raises:
            BadTransaction: no EIP-712 document.
            PolicyRefused: always; and the others of `sign_transaction`.
        """
        document = typed_data.whole(domain_data, message_types, message_data, full_message)
        _, digest = typed_data.digest_of(document)
        payload = typed_data.payload_of(document)
        return self._message(SIGN_TYPED_DATA, payload, digest, idempotency_key)

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

    def __repr__(self) -> str:
        """Show the wallet, never the credential."""
        return f"Account({self.name!r}, {self._address})"

    def _message(
        self, method: str, payload: bytes, digest: Hash32, idempotency_key: str | None
    ) -> SignedMessage:
        wanted = EcdsaWanted(self._evm_address, digest)
        signature = self._wishes.ask(method, payload, wanted, idempotency_key).ecdsa()
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
