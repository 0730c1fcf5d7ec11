"""What vendors publish is fresh, ageing, stale or early, and only the first two admit anybody."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.collateral import NOTICE, Standing, Validity, read_moment, standing_of
from keymoot.attest.evidence import CollateralStale
from keymoot.base.errors import Malformed
from keymoot.base.units import Seconds, UnixSeconds
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.attest.intel import factory

LIST = Validity("a list", UnixSeconds(SINCE), UnixSeconds(UNTIL))


@pytest.mark.parametrize(
    ("now", "standing", "admits"),
    [
        (SINCE - 1, Standing.EARLY, False),
        (SINCE, Standing.FRESH, True),
        (UNTIL - NOTICE - 1, Standing.FRESH, True),
        (UNTIL - NOTICE, Standing.AGEING, True),
        (UNTIL - 1, Standing.AGEING, True),
        (UNTIL, Standing.STALE, False),
    ],
)
def test_what_it_is_good_for(now: int, standing: Standing, admits: bool) -> None:
    assert LIST.standing(UnixSeconds(now)) == standing
    assert standing.admits == admits
    if admits:
        LIST.check(UnixSeconds(now))
        return
    with pytest.raises(CollateralStale, match=r"a list.*newest collateral") as caught:
        LIST.check(UnixSeconds(now))
    assert (caught.value.since, caught.value.until) == (SINCE, UNTIL)


def test_a_networks_notice_is_its_own() -> None:
    assert LIST.standing(UnixSeconds(UNTIL - 10), Seconds(9)) == Standing.FRESH
    assert LIST.standing(UnixSeconds(UNTIL - 9), Seconds(9)) == Standing.AGEING


def test_the_worst_of_several_counts() -> None:
    later = Validity("another", UnixSeconds(SINCE), UnixSeconds(UNTIL + 1_000_000))
    assert standing_of([later, LIST], UnixSeconds(UNTIL)) == (Standing.STALE, "a list")
    assert standing_of([later], UnixSeconds(UNTIL))[0] == Standing.FRESH
    assert standing_of([], UnixSeconds(NOW)) == (Standing.STALE, "no collateral")


def test_intels_collateral_says_how_long_each_part_counts() -> None:
    parts = factory().collateral(until=NOW + 100).validity()
    assert len(parts) == 10
    assert standing_of(parts, UnixSeconds(NOW)) == (Standing.AGEING, "Intel's tcbInfo")


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))
def test_moments_are_those_of_the_calendar(moment: datetime) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")
    expected = int(moment.replace(microsecond=0, tzinfo=UTC).timestamp())
    assert read_moment(text, "path") == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "2025-07-19",
        "2025-07-19T10:16:03",
        "2025-13-19T10:16:03Z",
        "2025-07-32T10:16:03Z",
        "2025-07-19T24:16:03Z",
        "2025-07-19T10:60:03Z",
        "2025-07-19T10:16:60Z",
        "٢٠٢٥-07-19T10:16:03Z",
        "2025-07-19T10:16:03Z\n",
    ],
)
def test_moments_in_another_form(text: object) -> None:
    with pytest.raises(Malformed, match="issueDate"):
        read_moment(text, "tcbInfo.issueDate")
