"""What an owner may withdraw: only to the recovery address."""

import pytest

from keymoot.base.fixed import Address
from keymoot.base.request import SIGN_TRANSACTION
from keymoot.base.transaction import LEGACY
from keymoot.base.units import Gas, Wei
from keymoot.policy.intent import read_intent
from keymoot.policy.recovery import check_withdrawal
from tests.policy.documents import STRANGER, USDC, VAULTS, WALLET, data, tx

HOME = Address(b"\x77" * 20)
TRANSFER = "transfer(address,uint256)"
REDEEM = "redeem(uint256,address,address)"
WITHDRAW = "withdraw(uint256,address,address)"


def path_of(transaction, max_fee: int | None = None) -> str | None:
    intent = read_intent(SIGN_TRANSACTION, transaction.unsigned_bytes(), WALLET)
    refusal = check_withdrawal(intent, HOME, max_fee)
    return None if refusal is None else refusal.path


@pytest.mark.parametrize(
    "transaction",
    [
        tx(HOME, value=Wei(10**20)),
        tx(HOME),
        tx(USDC, data(TRANSFER, HOME, 2**255)),
        tx(VAULTS[0], data(REDEEM, 5, HOME, WALLET)),
        tx(VAULTS[0], data(WITHDRAW, 5, HOME, WALLET)),
        tx(HOME, value=Wei(1), chain_id=1),
    ],
)
def test_everything_may_go_home(transaction) -> None:
    assert path_of(transaction) is None


@pytest.mark.parametrize(
    ("transaction", "path"),
    [
        (tx(STRANGER, value=Wei(1)), "to"),
        (tx(VAULTS[0], b"\x60"), "data"),
        (tx(USDC, data(TRANSFER, STRANGER, 1)), "args.to"),
        (tx(USDC, data(TRANSFER, HOME, 1), value=Wei(1)), "value"),
        (tx(HOME, data(TRANSFER, STRANGER, 1)), "args.to"),
        (tx(HOME, b"\1\2\3\4"), "data"),
        (tx(USDC, data("approve(address,uint256)", HOME, 1)), "data"),
        (tx(USDC, data("transferFrom(address,address,uint256)", WALLET, HOME, 1)), "data"),
        (tx(VAULTS[0], data(REDEEM, 5, STRANGER, WALLET)), "args.receiver"),
        (tx(VAULTS[0], data(REDEEM, 5, HOME, STRANGER)), "args.owner"),
        (tx(USDC, data(TRANSFER, HOME, 1) + b"\0"), "data"),
    ],
)
def test_nothing_goes_elsewhere(transaction, path: str) -> None:
    assert path_of(transaction) == path


@pytest.mark.parametrize(
    "transaction",
    [
        # 21 ETH of fee, of a plain transfer and of a token's.
        tx(HOME, gas=Gas(21_000), max_fee=Wei(10**15)),
        tx(USDC, data(TRANSFER, HOME, 1), gas=Gas(21_000_000), max_fee=Wei(10**12)),
        tx(HOME, gas=Gas(1), max_fee=Wei(5 * 10**16 + 1)),
        tx(HOME, gas=Gas(21_000), kind=LEGACY, max_fee=Wei(10**15), max_priority_fee=Wei(10**15)),
    ],
)
def test_the_fee_takes_little_of_what_goes_home(transaction) -> None:
    assert path_of(transaction) == "maxFee"
    fee = transaction.gas * transaction.max_fee
    assert path_of(transaction, fee - 1) == "maxFee"
    # The way out stays open where gas is dear: the owner states it.
    assert path_of(transaction, fee) is None


def test_a_usual_fee_passes_and_a_stated_one_may_be_lower() -> None:
    dear = tx(USDC, data(TRANSFER, HOME, 1), gas=Gas(100_000), max_fee=Wei(500 * 10**9))
    assert path_of(dear) is None
    assert path_of(dear, 10**15) == "maxFee"
