"""Whose a token account is: program derived addresses, and the associated token account.

Follows Solana's `Pubkey::find_program_address` and the Associated Token Account program. The
test of the curve is the one that Solana's makes: whether 32 bytes decompress to a point of
edwards25519 (RFC 8032, section 5.1.3), in integers, about public values only.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import islice

from keymoot.base.errors import Defect
from keymoot.base.fixed import SolanaAddress

TOKEN_PROGRAM = SolanaAddress.from_base58("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
"""SPL Token, the classic one; Token-2022 is another program, with hooks and fees."""

ASSOCIATED_TOKEN_PROGRAM = SolanaAddress.from_base58("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")

REMEMBERED_PAIRS = 2_048
"""Pairs of owner and mint whose results are kept: pure, so remembering changes none."""

LIKELY_BUMPS = 32
"""Bumps that `is_associated` looks at: one account in 2³² has a lower one."""

_PRIME = 2**255 - 19
_D = -121_665 * pow(121_666, -1, _PRIME) % _PRIME
_MARKER = b"ProgramDerivedAddress"


def is_on_curve(key: bytes) -> bool:
    """Tell whether 32 bytes are a point of edwards25519, and so may have a private key."""
    # The sign bit is no part of y, and a y of p or more is read modulo p, as Solana's
    # library does.
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    y_squared = y * y % _PRIME
    # x² = (y² - 1) / (d·y² + 1); the divisor is never 0, as -1/d is no square. A quotient
    # is a square where the product is (Euler's criterion); 0 is one.
    product = (y_squared - 1) * (_D * y_squared + 1) % _PRIME
    return product == 0 or pow(product, (_PRIME - 1) // 2, _PRIME) == 1


def find_program_address(
    seeds: Sequence[bytes], program: SolanaAddress
) -> tuple[SolanaAddress, int]:
    """Give the first address off the curve that the seeds make, and its bump.

    Raises:
        Defect: all 256 bumps give points, which happens once in 2²⁵⁶ cases.
    """
    for bump, tried in _by_bump(seeds, program):
        if not is_on_curve(tried):
            return SolanaAddress(tried), bump
    raise Defect("seeds have no program address")


def _by_bump(seeds: Sequence[bytes], program: SolanaAddress) -> Iterator[tuple[int, bytes]]:
    start, end = b"".join(seeds), program + _MARKER
    for bump in range(255, -1, -1):
        yield bump, sha256(start + bytes((bump,)) + end).digest()


@lru_cache(maxsize=REMEMBERED_PAIRS)
def associated_account(owner: SolanaAddress, mint: SolanaAddress) -> SolanaAddress:
    """Give the token account that an owner has for a mint, where nobody chose another."""
    return find_program_address((owner, TOKEN_PROGRAM, mint), ASSOCIATED_TOKEN_PROGRAM)[0]


def is_associated(account: SolanaAddress, owner: SolanaAddress, mint: SolanaAddress) -> bool:
    """Tell whether an account is `associated_account(owner, mint)`.

    Ten times as fast for those that are not, which are most of a long list of owners:
    hashes alone rule them out. It is False too for the one in 2³² with a bump under 224.
    """
    return account in _likely(owner, mint) and account == associated_account(owner, mint)


@lru_cache(maxsize=REMEMBERED_PAIRS)
def _likely(owner: SolanaAddress, mint: SolanaAddress) -> frozenset[bytes]:
    tried = _by_bump((owner, TOKEN_PROGRAM, mint), ASSOCIATED_TOKEN_PROGRAM)
    return frozenset(address for _, address in islice(tried, LIKELY_BUMPS))
