"""No maker of enclaves holds more seats than a degree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.quorum import MAKERS, VendorHoldsTooMuch, check_spread, seats_by_maker


def test_four_seats_of_three_makers_at_degree_one() -> None:
    with pytest.raises(VendorHoldsTooMuch) as caught:
        check_spread(["tdx", "snp", "nitro", "tdx"], 1)
    assert (caught.value.maker, caught.value.seats, caught.value.most) == ("Intel", (0, 3), 1)
    assert "give 1 of them to enclaves of other vendors" in str(caught.value)


def test_a_makers_kinds_count_together() -> None:
    with pytest.raises(VendorHoldsTooMuch, match=r"Intel vouches for 3 seats .0, 2, 4.*at most 2"):
        check_spread(["tdx", "snp", "sgx", "snp", "tdx", "nitro"], 2)


@pytest.mark.parametrize(
    ("vendors", "degree"),
    [
        (["tdx", "snp", "nitro"], 1),
        (["tdx", "sgx", "snp", "snp", "nitro", "nitro"], 2),
        ([], 0),
        (["simulated"] * 4, 4),
    ],
)
def test_spread_enough(vendors: list[str], degree: int) -> None:
    check_spread(vendors, degree)


def test_simulated_enclaves_are_of_one_maker() -> None:
    with pytest.raises(VendorHoldsTooMuch, match="SIMULATED"):
        check_spread(["simulated"] * 4, 1)


@given(st.lists(st.sampled_from([*MAKERS, "another"]), max_size=20), st.integers(0, 8))
def test_forging_one_makers_quotes_never_suffices(vendors: list[str], degree: int) -> None:
    most = max(
        (len(seats) for seats in seats_by_maker(dict(enumerate(vendors))).values()), default=0
    )
    try:
        check_spread(vendors, degree)
    except VendorHoldsTooMuch as error:
        assert most == len(error.seats) > degree
    else:
        assert most <= degree
