"""Whose a token account is: program derived addresses, and the associated token account.

Follows Solana's `Pubkey::find_program_address` and the Associated Token Account program.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import islice

from keymoot.base.errors import Defect
from keymoot.base.fixed import SolanaAddress
from keymoot.crypto.ed25519 import is_on_curve

TOKEN_PROGRAM = SolanaAddress.from_base58("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
"""SPL Token, the classic one; Token-2022 is another program, with hooks and fees."""

ASSOCIATED_TOKEN_PROGRAM = SolanaAddress.from_base58("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")

REMEMBERED_PAIRS = 2_048
"""Pairs of owner and mint whose results are kept: pure, so remembering changes none."""

LIKELY_BUMPS = 32
"""Bumps that `is_associated` looks at: one account in 2³² has a lower one."""

_MARKER = b"ProgramDerivedAddress"
_BUMPS = [(bump, bytes((bump,))) for bump in range(255, -1, -1)]


def find_program_address(
    seeds: Sequence[bytes], program: SolanaAddress
) -> tuple[SolanaAddress, int]:
    """Give the first address off the curve that the seeds make, and its bump."""
    for bump, tried in _by_bump(seeds, program):
        if not is_on_curve(tried):
            return SolanaAddress(tried), bump
    raise Defect("seeds have no program address")


def _by_bump(seeds: Sequence[bytes], program: SolanaAddress) -> Iterator[tuple[int, bytes]]:
    start, end = b"".join(seeds), program + _MARKER
    for bump, byte in _BUMPS:
        yield bump, sha256(start + byte + end).digest()


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
