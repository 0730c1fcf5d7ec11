"""Derive keys from keys: KMAC256 (NIST SP 800-185) with a purpose in its name."""

from Crypto.Hash import KMAC256

from keymoot.base.secret import Secret

_CUSTOM = b"keymoot/v1/"
_LENGTH_BYTES = 4


def derive(secret: Secret, purpose: str, *parts: bytes, length: int = 32) -> Secret:
    """Derive `length` bytes (at least 8) that tell nothing of `secret` or of other purposes.

    `secret` has at least 32 bytes, `purpose` is one word of ours for one use, and `parts` are what
    the result belongs to. Each part is preceded by its length: no two lists of parts read alike.
    """
    message = b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)
    mac = KMAC256.new(
        key=secret.expose(), data=message, mac_len=length, custom=_CUSTOM + purpose.encode()
    )
    return Secret(mac.digest())
