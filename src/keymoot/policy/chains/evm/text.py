"""Texts that an ECDSA key signs, behind EIP-191's prefix."""

from keymoot.base.fixed import Address
from keymoot.base.request import SIGN_MESSAGE
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.evm.address import EIP155
from keymoot.policy.text.intent import TextIntent, text_of

_EIP191 = b"\x19Ethereum Signed Message:\n"
"""No transaction and no typed data starts so."""


def read_personal_text(payload: bytes, wallet: Address) -> TextIntent:
    digest = keccak256(_EIP191 + str(len(payload)).encode() + payload)
    return TextIntent(wallet, SIGN_MESSAGE, EIP155, text_of(payload), digest, b"")
