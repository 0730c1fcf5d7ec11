"""What a wish asks to be signed, decoded by its method; before anything is decided."""

from typing import TypeAlias

from keymoot.base.fixed import Address, SolanaAddress
from keymoot.base.request import (
    SIGN_MESSAGE,
    SIGN_SOLANA_MESSAGE,
    SIGN_SOLANA_TRANSACTION,
    SIGN_TRANSACTION,
    SIGN_TYPED_DATA,
)
from keymoot.policy.evm.intent import EvmIntent, read_transaction
from keymoot.policy.evm.typed_data import hazard_of_typed_data
from keymoot.policy.refusal import NotSignable
from keymoot.policy.solana.intent import SolanaIntent, read_message
from keymoot.policy.text.intent import TextIntent, read_personal_text, read_solana_text

__all__ = ["Intent", "NotSignable", "read_intent"]

Intent: TypeAlias = EvmIntent | SolanaIntent | TextIntent
"""What is decided over. All have `wallet`, `digest`, `message`, `slot`, `max_fee`, `value`
and `decoded`."""

_ED25519_METHODS = (SIGN_SOLANA_TRANSACTION, SIGN_SOLANA_MESSAGE)
_ECDSA_METHODS = (SIGN_TRANSACTION, SIGN_MESSAGE, SIGN_TYPED_DATA)


def read_intent(method: str, payload: bytes, account: Address | SolanaAddress) -> Intent:
    """Decode a wish.

    Args:
        method: One of the SIGN_ names of `base.request`.
        payload: The thing to sign, as its method defines.
        account: The wallet's own address; it tells which kind of key it has.

    Raises:
        NotSignable: a method that is not signed, or not with this kind of key; or a payload
            that no policy could allow.
    """
    if isinstance(account, SolanaAddress):
        if method == SIGN_SOLANA_TRANSACTION:
            return read_message(payload, account)
        if method == SIGN_SOLANA_MESSAGE:
            return read_solana_text(method, payload, account)
        if method in _ECDSA_METHODS:
            raise _not_allowed(method, "this wallet has an Ed25519 key, of Solana")
    elif method == SIGN_TRANSACTION:
        return read_transaction(payload, account)
    elif method == SIGN_MESSAGE:
        return read_personal_text(method, payload, account)
    elif method in _ED25519_METHODS:
        raise _not_allowed(method, "this wallet has a secp256k1 key, of Ethereum")
    elif method == SIGN_TYPED_DATA:
        hazard = hazard_of_typed_data(payload)
        if hazard:
            raise NotSignable("PERMIT", f"{hazard} moves value around every rule", "primaryType")
    if method == SIGN_TYPED_DATA:
        raise _not_allowed(method, "no rule of this version allows it")
    raise _not_allowed(method, "it would sign what nobody decoded")


def _not_allowed(method: str, why: str) -> NotSignable:
    return NotSignable("METHOD_NOT_ALLOWED", f"{method} is not signed: {why}", "method")
