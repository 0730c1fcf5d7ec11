"""What Solana's own runtime does with what is signed here.

Fees and transfers are what they seem.
"""

import struct

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.chains.solana.token_account import TOKEN_PROGRAM, associated_account
from keymoot.policy.intent import read_intent
from tests.policy.chains.solana.messages import PAYEES, SIGN, STRANGER, USDC, budget, sol, token

KEYPAIR = Keypair.from_seed(b"\x05" * 32)
ME = SolanaAddress(bytes(KEYPAIR.pubkey()))
RICH = 10**12


def spent(*calls: Instruction) -> tuple[int, int]:
    """Give what the runtime takes from the wallet, and what was read to leave it at most."""
    chain = LiteSVM()
    chain.airdrop(KEYPAIR.pubkey(), RICH)
    message = Message.new_with_blockhash(list(calls), KEYPAIR.pubkey(), chain.latest_blockhash())
    intent = read_intent(SIGN, bytes(message), ME)
    outcome = chain.send_transaction(Transaction([KEYPAIR], message, chain.latest_blockhash()))
    assert not isinstance(outcome, FailedTransactionMetadata), outcome
    return RICH - chain.get_balance(KEYPAIR.pubkey()), intent.value + intent.max_fee


@pytest.mark.parametrize(
    ("units", "price"),
    [(None, None), (10_000, None), (10_000, 1), (1_399_999, 3), (10_001, 999_999), (1_400_000, 77)],
)
def test_the_fee_is_the_runtimes(units: int, price: int) -> None:
    calls = [*budget(units, price), sol(PAYEES[0], 10**9, ME), sol(PAYEES[1], 10**9, ME)]
    taken, foreseen = spent(*calls)
    assert taken == foreseen


@pytest.mark.parametrize(("units", "price"), [(None, 1_000_000), (4_000_000_000, 10_000)])
def test_the_fee_is_never_more_than_was_read(units: int, price: int) -> None:
    taken, foreseen = spent(*budget(units, price), sol(PAYEES[0], 10**9, ME))
    assert taken <= foreseen


def held(owner: SolanaAddress, amount: int) -> Account:
    data = USDC + owner + struct.pack("<Q", amount) + bytes(36) + b"\1" + bytes(12 + 8 + 36)
    return Account(10**9, data, Pubkey(TOKEN_PROGRAM), False)


def test_tokens_reach_the_account_that_was_read() -> None:
    chain = LiteSVM()
    chain.airdrop(KEYPAIR.pubkey(), RICH)
    mint = bytes(36) + struct.pack("<QBB", 10**12, 6, 1) + bytes(36)
    chain.set_account(Pubkey(USDC), Account(10**9, mint, Pubkey(TOKEN_PROGRAM), False))
    mine, theirs = (Pubkey(associated_account(one, USDC)) for one in (ME, STRANGER))
    chain.set_account(mine, held(ME, 500))
    chain.set_account(theirs, held(STRANGER, 1))
    call = token(STRANGER, 120, source=SolanaAddress(bytes(mine)), authority=ME)
    message = Message.new_with_blockhash([call], KEYPAIR.pubkey(), chain.latest_blockhash())
    assert read_intent(SIGN, bytes(message), ME).decoded()["instructions"][0]["amount"] == "120"
    outcome = chain.send_transaction(Transaction([KEYPAIR], message, chain.latest_blockhash()))
    assert not isinstance(outcome, FailedTransactionMetadata), outcome
    amounts = [
        struct.unpack_from("<Q", chain.get_account(one).data, 64)[0] for one in (mine, theirs)
    ]
    assert amounts == [380, 121]
    assert Hash.default() != chain.latest_blockhash()
