"""Addresses as people write them: EIP-55 checksums checked, never guessed; base58 for Solana."""

import re
from functools import lru_cache

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, SolanaAddress, WalletAddress
from keymoot.base.shown import shown
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.errors import BadPolicy

_LOWER, _UPPER = re.compile("0x[0-9a-f]{40}"), re.compile("0x[0-9A-F]{40}")


def parse_address(text: object, path: str) -> Address:
    """Read an address in one case, or in mixed case with a right checksum."""
    if not isinstance(text, str):
        raise BadPolicy('an address is text: "0x" and 40 hex digits', path)
    if _LOWER.fullmatch(text):
        return Address(bytes.fromhex(text[2:]))
    try:
        address = Address.from_hex(text)
    except Malformed as error:
        raise BadPolicy(error.reason, path) from error
    if checksummed(address) != text and not _UPPER.fullmatch(text):
        raise BadPolicy(
            f"{shown(text)} has a wrong EIP-55 checksum: check it for a typing error", path
        )
    return address


def parse_solana_address(text: object, path: str) -> SolanaAddress:
    if not isinstance(text, str) or text.startswith("0x"):
        raise BadPolicy("an address of Solana is text in base58", path)
    try:
        return SolanaAddress.from_base58(text)
    except Malformed as error:
        raise BadPolicy(
            f"an address of Solana is 32 bytes in base58: {error.reason}", path
        ) from error


def written(address: WalletAddress) -> str:
    """Write an address of any chain as its own people do."""
    return checksummed(address) if isinstance(address, Address) else address.text


@lru_cache(maxsize=1_024)
def checksummed(address: Address) -> str:
    """Write an address with its EIP-55 checksum.

    A long policy has a thousand of them: all 40 digits at once, as one number.
    """
    digits = address.hex().encode()
    marks = keccak256_raw(digits).hex().encode()[: len(digits)]
    letters = _number(digits.translate(_IS_LETTER)) & _number(marks.translate(_IS_HIGH))
    return "0x" + (_number(digits) - letters).to_bytes(len(digits), "big").decode()


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "big")


_CASE = ord("a") - ord("A")
_IS_LETTER = bytes(_CASE * (chr(code) in "abcdef") for code in range(256))
"""What makes a letter a capital, for each digit that is a letter."""

_IS_HIGH = bytes(_CASE * (chr(code) in "89abcdef") for code in range(256))
"""The same for each digit of the hash that is 8 or more."""
