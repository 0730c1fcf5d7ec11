"""A wish for a message that people can read, checked; before anything is decided."""

from dataclasses import dataclass

from keymoot.base.fixed import Address, Hash32, SolanaAddress
from keymoot.base.solana_message import resembles_message
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256
from keymoot.policy.refusal import NotSignable

MAX_TEXT_BYTES = 2_048
"""Longest message that is signed."""

_EIP191 = b"\x19Ethereum Signed Message:\n"
"""No transaction and no typed data starts so."""

_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Unicode's bidirectional controls: with them a line reads otherwise than it is written."""

_ALLOWED_CONTROLS = "\n\t"
"""No carriage return: it lets a terminal show another text than the one that is signed."""


@dataclass(frozen=True, slots=True)
class TextIntent:
    """A text that a wallet is asked to sign.

    Attributes:
        wallet: The wallet's address.
        method: As the wish calls it; rules of that method speak of it.
        text: What it says.
        digest: What ECDSA signs; for an Ed25519 key only a name.
        message: What Ed25519 signs; empty for an ECDSA key.
        slot: None: no later text replaces this one.
        max_fee: 0: a text costs nothing.
        value: 0: a text moves nothing.
    """

    wallet: Address | SolanaAddress
    method: str
    text: str
    digest: Hash32
    message: bytes
    slot: None = None
    max_fee: int = 0
    value: int = 0

    def decoded(self) -> dict[str, Json]:
        """Show the text."""
        return {"message": self.text}


def read_solana_text(method: str, payload: bytes, wallet: SolanaAddress) -> TextIntent:
    """Decode a wish for a text, of which an Ed25519 key signs the very bytes.

    Raises:
        NotSignable: not a text, or one that could be a transaction.
    """
    # Before anything else: a signed text must never be a transaction.
    if resembles_message(payload):
        why = "these bytes could be taken for a transaction of Solana"
        raise NotSignable("TRANSACTION_AS_TEXT", why, "payload")
    return TextIntent(wallet, method, _text(payload), keccak256(payload), payload)


def read_personal_text(method: str, payload: bytes, wallet: Address) -> TextIntent:
    """Decode a wish for a text that an ECDSA key signs behind EIP-191's prefix.

    Raises:
        NotSignable: not a text.
    """
    digest = keccak256(_EIP191 + str(len(payload)).encode() + payload)
    return TextIntent(wallet, method, _text(payload), digest, b"")


def _text(payload: bytes) -> str:
    if not 0 < len(payload) <= MAX_TEXT_BYTES:
        why = f"a message has 1 to {MAX_TEXT_BYTES} bytes, got {len(payload)}"
        raise NotSignable("MALFORMED_MESSAGE", why, "payload")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        why = "a message is text in UTF-8: bytes that nobody can read are not signed"
        raise NotSignable("MALFORMED_MESSAGE", why, "payload") from error
    if any(_is_control(char) for char in text):
        why = "a message has no control characters but line feeds and tabs"
        raise NotSignable("MALFORMED_MESSAGE", why, "payload")
    if any(char in _TURNING for char in text):
        why = "a message has no characters that turn the direction of reading"
        raise NotSignable("MALFORMED_MESSAGE", why, "payload")
    return text


def _is_control(char: str) -> bool:
    # Unicode's category Cc, which no version of Unicode may change.
    return (char < " " or "\x7f" <= char <= "\x9f") and char not in _ALLOWED_CONTROLS
