"""A wish for a message that people can read, checked; before anything is decided."""

from dataclasses import dataclass

from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.strict_json import Json
from keymoot.policy.refusal import NeverSigned

MAX_TEXT_BYTES = 2_048
"""Longest message that is signed."""

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
        network: The chain's namespace: a text does not say for which of its networks it is.
        text: What it says.
        digest: What ECDSA signs; for an Ed25519 key only a name.
        message: What Ed25519 signs; empty for an ECDSA key.
        slot: None: no later text replaces this one.
        max_fee: 0: a text costs nothing.
        value: 0: a text moves nothing.
    """

    wallet: Fixed
    method: str
    network: str
    text: str
    digest: Hash32
    message: bytes
    slot: None = None
    max_fee: int = 0
    value: int = 0

    def decoded(self) -> dict[str, Json]:
        return {"message": self.text}


def text_of(payload: bytes) -> str:
    """Raise NeverSigned for bytes that are no text which people can read."""
    if not 0 < len(payload) <= MAX_TEXT_BYTES:
        why = f"a message has 1 to {MAX_TEXT_BYTES} bytes, got {len(payload)}"
        raise NeverSigned("MALFORMED_MESSAGE", why, "payload")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        why = "a message is text in UTF-8: bytes that nobody can read are not signed"
        raise NeverSigned("MALFORMED_MESSAGE", why, "payload") from error
    if any(_is_control(char) for char in text):
        why = "a message has no control characters but line feeds and tabs"
        raise NeverSigned("MALFORMED_MESSAGE", why, "payload")
    if any(char in _TURNING for char in text):
        why = "a message has no characters that turn the direction of reading"
        raise NeverSigned("MALFORMED_MESSAGE", why, "payload")
    return text


def _is_control(char: str) -> bool:
    # Unicode's category Cc, which no version of Unicode may change.
    return (char < " " or "\x7f" <= char <= "\x9f") and char not in _ALLOWED_CONTROLS
