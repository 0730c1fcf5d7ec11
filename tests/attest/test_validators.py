"""Validator sets are ordered and hashed as CometBFT does it."""

import pytest

from keymoot.attest.validators import MAX_TOTAL_POWER, Ed25519Key, Validator, ValidatorSet
from keymoot.base.errors import Malformed
from tests.attest.known import Case, cases, says, set_of


@pytest.mark.parametrize("case", cases("validators"), ids=says)
def test_set_is_ordered_and_hashed_as_cometbft_does(case: Case) -> None:
    found = set_of(case["given"])
    assert [each.address.hex() for each in found.validators] == [
        each["address"] for each in case["ordered"]
    ]
    assert [each.power for each in found.validators] == [each["power"] for each in case["ordered"]]
    assert found.total_power == case["total_power"]
    assert found.hash().hex() == case["hash"]


def test_order_of_what_is_given_does_not_matter() -> None:
    given = cases("validators")[2]["given"]
    assert set_of(given).hash() == set_of(given[::-1]).hash()


def test_finds_a_validator_by_address() -> None:
    found = set_of(cases("validators")[1]["given"])
    for each in found.validators:
        assert found.by_address[each.address] is each


def _validator(number: int, power: int) -> Validator:
    return Validator(Ed25519Key(number.to_bytes(32, "big")), power)


@pytest.mark.parametrize(
    ("validators", "message"),
    [
        ([], "1 to"),
        ([_validator(1, 5), _validator(1, 6)], "twice"),
        ([_validator(1, 0)], "at least 1"),
        ([_validator(1, 5), _validator(2, -1)], "at least 1"),
        ([_validator(1, MAX_TOTAL_POWER), _validator(2, 1)], "at most"),
    ],
)
def test_refuses_a_set_that_cometbft_refuses(validators: list[Validator], message: str) -> None:
    with pytest.raises(Malformed, match=message):
        ValidatorSet.of(validators)
