"""An app's secrets: sealed by its admin to the app's key, opened by live instances only.

An envelope is the `SecretEnvelope` of Oasis's ROFL, canonical CBOR of four byte strings:

    {"pk": 32 bytes, "name": …, "nonce": 15 bytes, "value": …}

Name and value are sealed each to the app's X25519 key under a one-time key `pk`, with `name` and
`value` as associated data, so that neither is taken for the other.
"""

import secrets
from dataclasses import dataclass
from typing import Final, Self

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import hpke
from keymoot.crypto.deoxys import NONCE_BYTES, TAG_BYTES
from keymoot.crypto.mrae import box

MAX_VALUE_BYTES = 15_360
"""Longest value: with its name and the envelope it fits into one entry of an app."""

MAX_NAME_BYTES = 512
MAX_ENVELOPE_BYTES = 16_384

_MAP_OF_FOUR = b"\xa4"
_NAME, _VALUE = b"name", b"value"
_BYTES, _TEXT = 0x40, 0x60
"""Major types of CBOR (RFC 8949)."""


@dataclass(frozen=True, slots=True)
class SecretEnvelope:
    """One secret, sealed.

    Attributes:
        ephemeral: X25519 key of this envelope alone.
        nonce: 15 bytes.
        name: The variable's name, sealed.
        value: Its value, sealed.
    """

    ephemeral: Bytes32
    nonce: bytes
    name: bytes
    value: bytes

    @classmethod
    def seal(
        cls,
        to: Bytes32,
        name: str,
        value: Secret,
        ephemeral: Secret | None = None,
        nonce: bytes | None = None,
        context: bytes = b"",
    ) -> Self:
        """Seal a secret to an app's key; Malformed: name or value is too long.

        Args:
            to: The app's `secrets_key`.
            name: What the instance knows it by.
            value: What nobody else knows.
            ephemeral: X25519 key; drawn if None, as it should be.
            nonce: 15 bytes; drawn if None.
            context: Joins the associated data; ROFL leaves it empty.
        """
        if len(name.encode()) > MAX_NAME_BYTES or len(value) > MAX_VALUE_BYTES:
            raise Malformed(
                f"a secret's name has at most {MAX_NAME_BYTES} bytes, its value {MAX_VALUE_BYTES}"
            )
        key = ephemeral or Secret(secrets.token_bytes(hpke.KEY_BYTES))
        number = secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce
        cipher = box(key, to)
        return cls(
            hpke.public_key(key),
            number,
            cipher.seal(number, name.encode(), _NAME + context),
            cipher.seal(number, value.expose(), _VALUE + context),
        )

    def open(self, private: Secret, context: bytes = b"") -> tuple[str, Secret]:
        """Give name and value; BadSeal if it was not sealed to that key, or was changed."""
        cipher = box(private, self.ephemeral)
        name = cipher.open(self.nonce, self.name, _NAME + context).expose()
        try:
            text = name.decode()
        except UnicodeDecodeError as error:
            raise Malformed("a secret's name is UTF-8") from error
        return text, cipher.open(self.nonce, self.value, _VALUE + context)

    def encode(self) -> bytes:
        fields = {"pk": self.ephemeral, "name": self.name}
        fields |= {"nonce": self.nonce, "value": self.value}
        return _MAP_OF_FOUR + b"".join(
            _string(_TEXT, name.encode()) + _string(_BYTES, content)
            for name, content in fields.items()
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read an envelope; Malformed unless it is written as `encode` writes it."""
        if len(raw) > MAX_ENVELOPE_BYTES:
            raise Malformed(f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes, got {len(raw)}")
        reader = _Reader(raw)
        ephemeral, name, nonce, value = (reader.field(key) for key in _FIELDS)
        if len(nonce) != NONCE_BYTES or min(len(name), len(value)) < TAG_BYTES:
            raise Malformed("a nonce, a name or a value is too short")
        envelope = cls(Bytes32(ephemeral), nonce, name, value)
        # X25519 does not look at the key's last bit: one envelope would have two forms.
        if envelope.encode() != raw or ephemeral[-1] & 0x80:
            raise Malformed("an envelope is canonical CBOR, and nothing stands behind it")
        return envelope


_FIELDS: Final = (b"pk", b"name", b"nonce", b"value")


def _string(kind: int, content: bytes) -> bytes:
    size = len(content)
    if size < 24:
        return bytes((kind | size,)) + content
    if size < 1 << 8:
        return bytes((kind | 24, size)) + content
    return bytes((kind | 25,)) + size.to_bytes(2, "big") + content


class _Reader:
    """Goes along an envelope; what is not in its form is found when it is written again."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, len(_MAP_OF_FOUR)

    def field(self, key: bytes) -> bytes:
        head = _string(_TEXT, key)
        if self._take(len(head)) != head:
            raise Malformed("no envelope of a secret: a map of pk, name, nonce and value")
        first = self._take(1)[0] - _BYTES
        if first == 24:
            return self._take(self._take(1)[0])
        if first == 25:
            return self._take(int.from_bytes(self._take(2), "big"))
        if not 0 <= first < 24:
            raise Malformed("the fields of an envelope are byte strings")
        return self._take(first)

    def _take(self, size: int) -> bytes:
        taken = self._raw[self._at : self._at + size]
        if len(taken) != size:
            raise Malformed("an envelope ends too early")
        self._at += size
        return taken
