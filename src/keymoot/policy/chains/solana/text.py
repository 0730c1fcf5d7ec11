"""Texts of which an Ed25519 key of Solana signs the very bytes."""

from keymoot.base.fixed import SolanaAddress
from keymoot.base.request import SIGN_SOLANA_MESSAGE
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.solana.address import NAMESPACE
from keymoot.policy.chains.solana.message import resembles_message
from keymoot.policy.refusal import NeverSigned
from keymoot.policy.text.intent import TextIntent, text_of


def read_solana_text(payload: bytes, wallet: SolanaAddress) -> TextIntent:
    # Before anything else: a signed text must never be a transaction.
    if resembles_message(payload):
        why = "these bytes could be taken for a transaction of Solana"
        raise NeverSigned("TRANSACTION_AS_TEXT", why, "payload")
    text, name = text_of(payload), keccak256(payload)
    return TextIntent(wallet, SIGN_SOLANA_MESSAGE, NAMESPACE, text, name, payload)
