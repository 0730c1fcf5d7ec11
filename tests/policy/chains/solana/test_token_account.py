"""Derived addresses: as Solana's own library derives them."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_ID
from solders.token.associated import get_associated_token_address

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.chains.solana.token_account import (
    ASSOCIATED_TOKEN_PROGRAM,
    TOKEN_PROGRAM,
    associated_account,
    find_program_address,
    is_associated,
    is_on_curve,
)
from tests.examples import examples

keys = st.binary(min_size=32, max_size=32).map(SolanaAddress)

PRIME = 2**255 - 19
EDGES = [
    0,
    1,
    PRIME - 1,
    PRIME,
    PRIME + 1,
    2**255 - 1,
    2**255,
    2**255 + 1,
    2**255 + PRIME - 1,
    2**256 - 1,
]


@given(keys)
def test_the_curve_is_solanas(key: SolanaAddress) -> None:
    assert is_on_curve(key) == Pubkey(key).is_on_curve()


@pytest.mark.parametrize("number", EDGES)
def test_the_curve_is_solanas_at_its_edges(number: int) -> None:
    key = number.to_bytes(32, "little")
    assert is_on_curve(key) == Pubkey(key).is_on_curve()


@given(st.lists(st.binary(max_size=32), max_size=15), keys)
def test_program_addresses_are_solanas(seeds: list[bytes], program: SolanaAddress) -> None:
    theirs, bump = Pubkey.find_program_address(seeds, Pubkey(program))
    assert find_program_address(seeds, program) == (bytes(theirs), bump)


@settings(max_examples=examples(50))
@given(keys, keys)
def test_associated_accounts_are_solanas(owner: SolanaAddress, mint: SolanaAddress) -> None:
    theirs = get_associated_token_address(Pubkey(owner), Pubkey(mint))
    assert associated_account(owner, mint) == bytes(theirs)
    assert not is_on_curve(associated_account(owner, mint))
    assert is_associated(SolanaAddress(bytes(theirs)), owner, mint)
    assert not is_associated(owner, owner, mint)
    assert not is_associated(associated_account(mint, owner), owner, mint) or owner == mint


@settings(max_examples=examples(50))
@given(keys, keys)
def test_an_address_with_another_bump_is_not_associated(
    owner: SolanaAddress, mint: SolanaAddress
) -> None:
    seeds = [bytes(owner), bytes(TOKEN_PROGRAM), bytes(mint)]
    program_bytes = bytes(ASSOCIATED_TOKEN_PROGRAM)
    _, bump = Pubkey.find_program_address(seeds, Pubkey(program_bytes))
    for lower in range(bump - 4, bump):
        last = bytes([lower]) + program_bytes + b"ProgramDerivedAddress"
        other = SolanaAddress(sha256(b"".join(seeds) + last).digest())
        assert not is_associated(other, owner, mint)


def test_the_token_program_is_the_classic_one() -> None:
    assert bytes(TOKEN_ID) == TOKEN_PROGRAM
