"""Hashes and senders of transactions and requests."""

from functools import lru_cache

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32, RequestId, Signature65, WalletId
from keymoot.base.request import Request
from keymoot.base.transaction import EvmTransaction
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import recover


def signing_hash(transaction: EvmTransaction) -> Hash32:
    return keccak256(transaction.unsigned_bytes())


def sender_of(transaction: EvmTransaction, signature: Signature65) -> Address:
    return recover(signing_hash(transaction), signature)


def credential_of(request: Request, signature: Signature65) -> Address:
    return recover(request_digest(request), signature)


def request_digest(request: Request) -> Hash32:
    """What a request's credential signs; also its body's name."""
    return keccak256(request.unsigned_bytes())


@lru_cache(maxsize=1_024)
def request_key(sender: Address, request_id: RequestId) -> Hash32:
    """Name one request on the whole ledger: keccak256(sender ‖ its own id)."""
    return keccak256(sender + request_id)


def transaction_hash(raw: bytes) -> Hash32:
    """The hash by which Ethereum's API names a signed transaction."""
    if not raw:
        raise Malformed("a transaction has no bytes")
    return keccak256(raw)


def wallet_id(owner: Address, salt: bytes) -> WalletId:
    """Name a wallet by its first owner and the salt (32 bytes) that the owner chose."""
    return WalletId(keccak256(owner + salt))
