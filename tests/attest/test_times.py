"""A block's time is CometBFT's weighted median."""

import pytest

from keymoot.attest.commit import NO_COMMIT, Commit
from keymoot.attest.times import median_time
from keymoot.base.errors import Malformed
from tests.attest.known import Case, cases, says, set_of, small_set, time_of


@pytest.mark.parametrize("case", cases("times"), ids=says)
def test_median_is_cometbfts(case: Case) -> None:
    commit = Commit.decode(bytes.fromhex(case["commit"]))
    assert median_time(commit, set_of(case["validators"])) == time_of(case["median"])


def test_refuses_a_signer_who_is_no_validator() -> None:
    strangers, _ = small_set(1)
    with pytest.raises(Malformed, match="no validator"):
        median_time(Commit.decode(bytes.fromhex(cases("times")[0]["commit"])), strangers)


def test_refuses_a_commit_of_nobody() -> None:
    validators, _ = small_set(1)
    with pytest.raises(Malformed, match="nobody"):
        median_time(NO_COMMIT, validators)
