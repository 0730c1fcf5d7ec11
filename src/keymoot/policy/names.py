"""Addresses as people write them: EIP-55 checksums checked, never guessed; base58 for Solana."""

import re
from functools import lru_cache

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, SolanaAddress
from keymoot.base.shown import shown
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.errors import BadPolicy

_LOWER, _UPPER = re.compile(r"[a-f]"), re.compile(r"[A-F]")
_TO_UPPER = str.maketrans("abcdef", "ABCDEF")


def parse_address(text: object, path: str) -> Address:
    """Read an address in one case, or in mixed case with a right checksum.

    Raises:
        BadPolicy: no address, or a checksum that shows a typing error.
    """
    if not isinstance(text, str):
        raise BadPolicy('an address is text: "0x" and 40 hex digits', path)
    try:
        address = Address.from_hex(text)
    except Malformed as error:
        raise BadPolicy(error.reason, path) from error
    mixed = _LOWER.search(text, 2) and _UPPER.search(text, 2)
    if mixed and checksummed(address) != text:
        raise BadPolicy(
            f"{shown(text)} has a wrong EIP-55 checksum: check it for a typing error", path
        )
    return address


def parse_solana_address(text: object, path: str) -> SolanaAddress:
    """Read an address of Solana.

    Raises:
        BadPolicy: no base58 of 32 bytes.
    """
    if not isinstance(text, str) or text.startswith("0x"):
        raise BadPolicy("an address of Solana is text in base58", path)
    try:
        return SolanaAddress.from_base58(text)
    except Malformed as error:
        raise BadPolicy(
            f"an address of Solana is 32 bytes in base58: {error.reason}", path
        ) from error


def written(address: Address | SolanaAddress) -> str:
    """Write an address of either kind as its own chain's people do."""
    return address.base58 if isinstance(address, SolanaAddress) else checksummed(address)


@lru_cache(maxsize=4096)
def checksummed(address: Address) -> str:
    """Write an address with its EIP-55 checksum."""
    digits = address.hex()
    marks = keccak256_raw(digits.encode()).hex()
    pairs = zip(digits, marks, strict=False)
    return "0x" + "".join(d.translate(_TO_UPPER) if m > "7" else d for d, m in pairs)
