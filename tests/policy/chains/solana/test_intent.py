"""What is read of a transaction, and what is refused whatever the rules say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders import compute_budget, system_program
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, SolanaAddress
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.solana.instruction import MAX_TRANSFERS, SystemTransfer, TokenTransfer
from keymoot.policy.chains.solana.intent import SolanaIntent
from keymoot.policy.chains.solana.message import decode_message
from keymoot.policy.chains.solana.token_account import TOKEN_PROGRAM, associated_account
from keymoot.policy.intent import NeverSigned, read_intent
from tests.policy.chains.solana.messages import (
    PAYEES,
    SIGN,
    STRANGER,
    USDC,
    WALLET,
    budget,
    built,
    sol,
    token,
    token_to,
    word_of,
)

ME, OTHER = Pubkey(WALLET), Pubkey(STRANGER)
addresses = st.binary(min_size=32, max_size=32).map(SolanaAddress)
amounts = st.integers(0, 2**64 - 1)
BUILT_IN = {bytes(32), bytes(TOKEN_PROGRAM), bytes(compute_budget.ID), bytes(WALLET)}


def read(*instructions: Instruction, legacy: bool = True) -> SolanaIntent:
    intent = read_intent(SIGN, built(*instructions, legacy=legacy), WALLET)
    assert isinstance(intent, SolanaIntent)
    return intent


@given(addresses, amounts, addresses, addresses, amounts, st.booleans())
def test_transfers_of_solders_are_read_as_they_are(
    to: SolanaAddress,
    lamports: int,
    mint: SolanaAddress,
    account: SolanaAddress,
    amount: int,
    legacy: bool,
) -> None:
    if {bytes(to), bytes(mint), bytes(account)} & BUILT_IN:
        return
    source = associated_account(WALLET, mint)
    intent = read(sol(to, lamports), token_to(account, amount, mint), legacy=legacy)
    assert intent.does.transfers == [
        SystemTransfer("instructions[0]", to, lamports),
        TokenTransfer("instructions[1]", source, mint, account, amount, 6),
    ]
    assert (intent.value, intent.slot) == (lamports, None)
    assert intent.message == built(
        sol(to, lamports), token_to(account, amount, mint), legacy=legacy
    )
    assert intent.digest == keccak256(intent.message)
    assert intent.decoded()["instructions"][0] == {
        "instruction": "system.transfer",
        "to": to.base58,
        "amount": str(lamports),
    }


@pytest.mark.parametrize(
    ("units", "price", "fee"),
    [
        (None, None, 5_000),
        (200_000, None, 5_000),
        (None, 1, 5_002),  # 1.4 lamports, rounded up
        (None, 1_000_000, 1_405_000),
        (1, 1, 5_001),
        (300, 20_000, 5_006),
        (0, 2**64 - 1, 5_000),
        (2**32 - 1, 2**64 - 1, 5_000 - (-(2**32 - 1) * (2**64 - 1) // 10**6)),
    ],
)
def test_the_fee_is_what_it_may_be_at_most(units: int, price: int, fee: int) -> None:
    assert read(*budget(units, price), sol(STRANGER, 1)).max_fee == fee


def metas(*accounts: Pubkey) -> list[AccountMeta]:
    return [AccountMeta(one, one == ME, True) for one in accounts]


def of_token(number: int, *accounts: Pubkey) -> Instruction:
    return Instruction(Pubkey(TOKEN_PROGRAM), bytes([number]) + bytes(8), metas(*accounts))


def of_system(number: int, size: int = 0) -> Instruction:
    data = number.to_bytes(4, "little") + bytes(size)
    return Instruction(Pubkey.default(), data, metas(ME, OTHER))


REFUSED = [
    ("a nonce is advanced", system_program.advance_nonce_account(
        {"nonce_pubkey": OTHER, "authorized_pubkey": ME}), "DURABLE_NONCE"),
    ("a nonce is emptied", system_program.withdraw_nonce_account(
        {"nonce_pubkey": OTHER, "authorized_pubkey": ME, "to_pubkey": ME, "lamports": 1}), "DURABLE_NONCE"),
    ("a nonce is given away", system_program.authorize_nonce_account(
        {"nonce_pubkey": OTHER, "authorized_pubkey": ME, "new_authority": OTHER}), "DURABLE_NONCE"),
    ("a nonce is prepared", system_program.initialize_nonce_account(
        {"nonce_pubkey": OTHER, "authority": ME}), "DURABLE_NONCE"),
    ("Assign", system_program.assign({"pubkey": ME, "owner": OTHER}), "OWNERSHIP"),
    ("AssignWithSeed", of_system(10), "OWNERSHIP"),
    ("CreateAccount", of_system(0, 48), "ACCOUNT_CREATION"),
    ("CreateAccountWithSeed", of_system(3), "ACCOUNT_CREATION"),
    ("CreateAccountAllowPrefund", of_system(13), "ACCOUNT_CREATION"),
    ("Allocate", system_program.allocate({"pubkey": ME, "space": 1}), "ALLOCATION"),
    ("AllocateWithSeed", of_system(9), "ALLOCATION"),
    ("TransferWithSeed", of_system(11), "TRANSFER_FROM"),
    ("a nonce is changed", of_system(12), "DURABLE_NONCE"),
    ("another of System", of_system(99), "UNKNOWN_INSTRUCTION"),
    ("nothing of System", Instruction(Pubkey.default(), b"", metas(ME)), "UNKNOWN_INSTRUCTION"),
    ("a short number of System", Instruction(Pubkey.default(), b"\2\0\0", metas(ME)), "UNKNOWN_INSTRUCTION"),
    ("Transfer without a mint", of_token(3, OTHER, OTHER, ME), "UNCHECKED_TRANSFER"),
    ("Approve", of_token(4, OTHER, OTHER, ME), "APPROVAL"),
    ("ApproveChecked", of_token(13, OTHER, OTHER, OTHER, ME), "APPROVAL"),
    ("SetAuthority", of_token(6, OTHER, ME), "OWNERSHIP"),
    ("Burn", of_token(8, OTHER, OTHER, ME), "BURN"),
    ("BurnChecked", of_token(15, OTHER, OTHER, ME), "BURN"),
    ("CloseAccount", of_token(9, OTHER, OTHER, ME), "CLOSE_ACCOUNT"),
    ("WithdrawExcessLamports", of_token(38, OTHER, OTHER, ME), "CLOSE_ACCOUNT"),
    ("UnwrapLamports", of_token(45, OTHER, OTHER, ME), "CLOSE_ACCOUNT"),
    ("Batch", of_token(255, OTHER), "WRAPPER"),
    ("another of SPL Token", of_token(17, OTHER), "UNKNOWN_INSTRUCTION"),
    ("nothing of SPL Token", Instruction(Pubkey(TOKEN_PROGRAM), b"", []), "UNKNOWN_INSTRUCTION"),
    ("Token-2022", Instruction(
        Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"), b"\x0c" + bytes(9), metas(ME)),
        "TOKEN_2022"),
    ("an associated account is made", Instruction(
        Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"), b"\1", metas(ME)), "ACCOUNT_CREATION"),
    ("a stake", Instruction(
        Pubkey.from_string("Stake11111111111111111111111111111111111111"), b"\1", metas(ME)), "STAKE"),
    ("a table", Instruction(
        Pubkey.from_string("AddressLookupTab1e1111111111111111111111111"), b"\0", metas(ME)), "TABLE_LOOKUPS"),
    ("a program", Instruction(
        Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"), b"\1", metas(ME)), "CONTRACT_CREATION"),
    ("a memo", Instruction(
        Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"), b"hi", metas(ME)), "UNKNOWN_PROGRAM"),
    ("a strange program", Instruction(OTHER, b"\2\0\0\0", metas(ME)), "UNKNOWN_PROGRAM"),
    ("a heap", compute_budget.request_heap_frame(32_768), "COMPUTE_BUDGET"),
    ("a size of loaded data", compute_budget.set_loaded_accounts_data_size_limit(1), "COMPUTE_BUDGET"),
    ("another budget", Instruction(compute_budget.ID, b"\0" + bytes(8), []), "UNKNOWN_INSTRUCTION"),
    ("a budget with accounts", Instruction(compute_budget.ID, b"\2" + bytes(4), metas(OTHER)), "MALFORMED_INSTRUCTION"),
    ("a longer budget", Instruction(compute_budget.ID, b"\2" + bytes(5), []), "MALFORMED_INSTRUCTION"),
    ("a shorter price", Instruction(compute_budget.ID, b"\3" + bytes(7), []), "MALFORMED_INSTRUCTION"),
    ("a longer transfer", Instruction(
        Pubkey.default(), bytes(sol(STRANGER, 1).data) + b"\0", sol(STRANGER, 1).accounts), "MALFORMED_INSTRUCTION"),
    ("a transfer of three", Instruction(
        Pubkey.default(), bytes(sol(STRANGER, 1).data), metas(ME, OTHER, OTHER)), "MALFORMED_INSTRUCTION"),
    ("a longer transfer of tokens", token(STRANGER, 1, data=b"\x0c" + bytes(10)), "MALFORMED_INSTRUCTION"),
    ("a shorter transfer of tokens", token(STRANGER, 1, data=b"\x0c" + bytes(8)), "MALFORMED_INSTRUCTION"),
    ("a multisig's signer", token(STRANGER, 1, more=(AccountMeta(ME, True, False),)), "MALFORMED_INSTRUCTION"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "word"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_everything_else_is_refused_by_name(call: Instruction, word: str) -> None:
    # Alone, before and behind a transfer that is fine.
    for calls in ([call], [call, sol(PAYEES[0], 1)], [sol(PAYEES[0], 1), call]):
        assert word_of(built(*calls)) == word
        assert word_of(built(*calls, legacy=False)) == word


def test_the_wallet_pays_and_signs_alone() -> None:
    assert word_of(built(sol(PAYEES[0], 1))) == ""
    assert word_of(built(sol(PAYEES[0], 1), payer=STRANGER)) == "WRONG_PAYER"
    assert word_of(built(sol(PAYEES[0], 1)), STRANGER) == "WRONG_PAYER"
    assert word_of(built(sol(PAYEES[0], 1), sol(PAYEES[0], 1, STRANGER))) == "OTHER_SIGNERS"
    # The other's lamports, whose signature is not even asked for.
    theirs = sol(PAYEES[0], 1, STRANGER)
    unsigned = [AccountMeta(one.pubkey, False, True) for one in theirs.accounts]
    theirs = Instruction(Pubkey.default(), bytes(theirs.data), unsigned)
    assert word_of(built(theirs)) == "WRONG_AUTHORITY"
    tokens = token(PAYEES[0], 1, authority=STRANGER)
    unsigned = [AccountMeta(one.pubkey, False, True) for one in tokens.accounts]
    tokens = Instruction(tokens.program_id, bytes(tokens.data), unsigned)
    assert word_of(built(tokens)) == "WRONG_AUTHORITY"


def test_a_transaction_transfers_something_and_not_too_often() -> None:
    assert word_of(built()) == "TRANSFERS"
    assert word_of(built(*budget(1, 1))) == "TRANSFERS"
    assert word_of(built(*[sol(PAYEES[0], n) for n in range(MAX_TRANSFERS)])) == ""
    assert word_of(built(*[sol(PAYEES[0], n) for n in range(MAX_TRANSFERS + 1)])) == "TRANSFERS"
    for twice in (budget(1) + budget(2), budget(None, 1) + budget(None, 2), budget(0) * 2):
        assert word_of(built(*twice, sol(PAYEES[0], 1))) == "COMPUTE_BUDGET"


def test_what_tables_load_is_refused() -> None:
    table = AddressLookupTableAccount(OTHER, [Pubkey(PAYEES[0])])
    message = MessageV0.try_compile(ME, [sol(PAYEES[0], 1)], [table], Hash.default())
    assert message.address_table_lookups
    assert word_of(to_bytes_versioned(message)) == "TABLE_LOOKUPS"
    raw = built(sol(PAYEES[0], 1), legacy=False)
    assert word_of(raw) == ""
    assert word_of(b"\x81" + raw[1:]) == "MESSAGE_VERSION"
    assert word_of(raw + b"\0") == "MALFORMED_TRANSACTION"


def test_a_method_fits_the_kind_of_key() -> None:
    cases = [
        (SIGN, Address(bytes(20))),
        ("solana_signMessage", Address(bytes(20))),
        ("eth_signTransaction", WALLET),
        ("personal_sign", WALLET),
        ("eth_signTypedData_v4", WALLET),
        ("solana_signAllTransactions", WALLET),
    ]
    for method, account in cases:
        with pytest.raises(NeverSigned) as refused:
            read_intent(method, b"app.example says hello", account)
        assert refused.value.refusal.reason == "METHOD_NOT_ALLOWED"
        assert refused.value.refusal.path == "method"


@given(
    st.binary(max_size=300)
    | st.binary(max_size=8).map(lambda tail: built(token(STRANGER, 1)) + tail)
)
def test_any_payload_is_an_intent_or_a_refusal(payload: bytes) -> None:
    for method in (SIGN, "solana_signMessage"):
        try:
            intent = read_intent(method, payload, WALLET)
        except NeverSigned as error:
            assert error.refusal.reason
        else:
            assert intent.message == payload
    try:
        decode_message(payload)
    except Malformed:
        assert word_of(payload)


def test_usdc_is_usdc() -> None:
    assert USDC.base58.startswith("EPjF")
