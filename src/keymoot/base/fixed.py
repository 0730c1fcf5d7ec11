"""Byte strings of a fixed length that check themselves."""

from typing import ClassVar, Self, TypeAlias

from keymoot.base import base58, bech32
from keymoot.base.errors import Malformed

_APP = "rofl"


def _unhex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


class Fixed(bytes):
    """A byte string with exactly `LENGTH` bytes; subclasses give it a meaning."""

    LENGTH: ClassVar[int] = 0
    __slots__ = ()

    def __new__(cls, value: bytes) -> Self:
        if len(value) != cls.LENGTH:
            raise Malformed(f"{cls.__name__} is {cls.LENGTH} bytes, got {len(value)}")
        return bytes.__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        if not text.startswith("0x"):
            raise Malformed(f'{cls.__name__} is written as "0x" and {2 * cls.LENGTH} hex digits')
        digits = text[2:]
        raw = _unhex(digits) if len(digits) == 2 * cls.LENGTH else b""
        # Python reads blanks between digits: then there are fewer bytes.
        if len(raw) != cls.LENGTH:
            raise Malformed(
                f'{cls.__name__} is written as "0x" and {2 * cls.LENGTH} hex digits, '
                f"got {len(digits)} characters after the prefix"
            )
        return cls(raw)

    @property
    def hex0x(self) -> str:
        return "0x" + self.hex()

    @property
    def text(self) -> str:
        """As people write it: hex, where a type has no other form."""
        return self.hex0x

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex0x})"  # consensus: for people who debug


class Address(Fixed):
    """An Ethereum address: the last 20 bytes of Keccak-256 of a public key."""

    LENGTH = 20
    __slots__ = ()


class SolanaAddress(Fixed):
    """An address of Solana: an Ed25519 public key, or 32 bytes that no key has."""

    LENGTH = 32
    __slots__ = ()

    @classmethod
    def from_base58(cls, text: str) -> Self:
        return cls(base58.decode(text, cls.LENGTH))

    @property
    def base58(self) -> str:
        return base58.encode(self)

    @property
    def text(self) -> str:
        return self.base58


WalletAddress: TypeAlias = Fixed
"""Where a wallet's funds are: its address on every EVM chain, on Solana, or on another chain.

Each chain has a type of its own (`policy.chains`).
"""


class Hash32(Fixed):
    """A 32-byte hash; its function is named where it is made."""

    LENGTH = 32
    __slots__ = ()


class Bytes32(Fixed):
    """Thirty-two bytes without a further meaning (ABI `bytes32`)."""

    LENGTH = 32
    __slots__ = ()


class NetworkId(Fixed):
    """Keccak-256 of the canonical genesis; tells one ledger from every other."""

    LENGTH = 32
    __slots__ = ()


class WalletId(Fixed):
    """Keccak-256 of a wallet's first owner and salt: its name on the ledger."""

    LENGTH = 32
    __slots__ = ()


class RequestId(Fixed):
    """What a credential calls one request; unique to that credential."""

    LENGTH = 32
    __slots__ = ()


class AppId(Fixed):
    """An app's name, made of who created it; written in bech32 as Oasis writes it."""

    LENGTH = 21
    __slots__ = ()

    @classmethod
    def from_text(cls, text: str) -> Self:
        return cls(bech32.decode(text, _APP, cls.LENGTH))

    @property
    def text(self) -> str:
        return bech32.encode(_APP, self)


class Measurement(Fixed):
    """SHA-384 over what an enclave starts with (TDX: MRTD; simulated: our source)."""

    LENGTH = 48
    __slots__ = ()


class Signature65(Fixed):
    """A recoverable ECDSA signature: r (32) ‖ s (32) ‖ y parity (1, 0 or 1); s is low."""

    LENGTH = 65
    __slots__ = ()
