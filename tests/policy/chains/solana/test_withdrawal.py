"""What an owner may withdraw from an Ed25519 wallet: only to the recovery address."""

import pytest

from keymoot.base.fixed import Address, SolanaAddress
from keymoot.policy.intent import read_intent
from keymoot.policy.recovery import check_withdrawal
from tests.policy import documents
from tests.policy.chains.solana.messages import (
    BONK,
    SIGN,
    STRANGER,
    USDC,
    WALLET,
    budget,
    built,
    sol,
    token,
    token_to,
)

HOME = SolanaAddress(b"\x77" * 32)


def path_of(*calls) -> str | None:
    refusal = check_withdrawal(read_intent(SIGN, built(*calls), WALLET), HOME)
    assert refusal is None or refusal.reason == "NOT_A_WITHDRAWAL"
    return None if refusal is None else refusal.path


@pytest.mark.parametrize(
    "calls",
    [
        [sol(HOME, 2**64 - 1)],
        [token(HOME, 2**64 - 1)],
        [token(HOME, 1, BONK, source=STRANGER)],
        [*budget(1_000_000, 9_995_000), sol(HOME, 1), token(HOME, 1), token(HOME, 1, BONK)],
    ],
)
def test_everything_may_go_home(calls: list) -> None:
    assert path_of(*calls) is None


@pytest.mark.parametrize(
    ("calls", "path"),
    [
        ([sol(STRANGER, 1)], "instructions[0].to"),
        ([sol(WALLET, 1)], "instructions[0].to"),
        ([sol(HOME, 1), sol(STRANGER, 1)], "instructions[1].to"),
        ([token(STRANGER, 1)], "instructions[0].to"),
        ([token_to(HOME, 1)], "instructions[0].to"),
        ([sol(HOME, 1), token(WALLET, 1, USDC)], "instructions[1].to"),
        ([*budget(1_000_000, 9_995_001), sol(HOME, 1)], "maxFee"),
        ([*budget(None, 10_000_000), sol(HOME, 1)], "maxFee"),
    ],
)
def test_nothing_goes_elsewhere(calls: list, path: str) -> None:
    assert path_of(*calls) == path


def test_kinds_of_keys_are_not_mixed() -> None:
    ours = read_intent(SIGN, built(sol(HOME, 1)), WALLET)
    assert check_withdrawal(ours, Address(bytes(20))).reason == "NOT_A_WITHDRAWAL"
    text = read_intent("solana_signMessage", b"app.example says hello", WALLET)
    assert check_withdrawal(text, HOME).reason == "NOT_A_WITHDRAWAL"
    evm = documents.tx(documents.STRANGER).unsigned_bytes()
    theirs = read_intent("eth_signTransaction", evm, documents.WALLET)
    assert check_withdrawal(theirs, HOME).reason == "NOT_A_WITHDRAWAL"
