"""Byte strings of a fixed length that check themselves."""

from typing import ClassVar, Self, TypeAlias

from keymoot.base import base58
from keymoot.base.errors import Malformed


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
        """Take `value` as it is, or refuse it.

        Raises:
            Malformed: `value` has another length.
        """
        if len(value) != cls.LENGTH:
            raise Malformed(f"{cls.__name__} is {cls.LENGTH} bytes, got {len(value)}")
        return bytes.__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Parse `0x`-prefixed hex of either case.

        Raises:
            Malformed: no prefix, a character that is not hex, or another length.
        """
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
        """Lower-case hex with the `0x` prefix."""
        return "0x" + self.hex()

    def __repr__(self) -> str:
        """Show the meaning beside the bytes."""
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
        """Read base58, as Solana writes it.

        Raises:
            Malformed: no base58, or another length.
        """
        return cls(base58.decode(text, cls.LENGTH))

    @property
    def base58(self) -> str:
        """Base58, as Solana writes it."""
        return base58.encode(self)


WalletAddress: TypeAlias = Address | SolanaAddress
"""Where a wallet's funds are: its address on every EVM chain, or on Solana."""


def wallet_address(raw: bytes) -> WalletAddress:
    """Tell by its length what an address is of.

    Raises:
        Malformed: neither 20 bytes nor 32.
    """
    return Address(raw) if len(raw) == Address.LENGTH else SolanaAddress(raw)


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


class Measurement(Fixed):
    """SHA-384 over what an enclave starts with (TDX: MRTD; simulated: our source)."""

    LENGTH = 48
    __slots__ = ()


class Signature65(Fixed):
    """A recoverable ECDSA signature: r (32) ‖ s (32) ‖ y parity (1, 0 or 1); s is low."""

    LENGTH = 65
    __slots__ = ()
