"""Moments are read and written without the platform's calendar, which differs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.policy.errors import BadPolicy
from keymoot.policy.moment import format_moment, parse_length, parse_moment

moments = st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(moments)
def test_agrees_with_the_library_about_every_moment(moment: datetime) -> None:
    text = moment.isoformat().replace("+00:00", "Z")
    seconds = parse_moment(text, "expires")
    assert seconds == int(moment.timestamp())
    assert format_moment(seconds) == text


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2027-04-31T00:00:00Z",
        "2027-13-01T00:00:00Z",
        "2027-00-01T00:00:00Z",
        "2027-01-00T00:00:00Z",
        "2027-01-32T00:00:00Z",
        "2027-01-01T24:00:00Z",
        "2027-01-01T00:60:00Z",
        "2027-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z\n",
        "2027-01-01t00:00:00z",
        "\u0662\u0660\u0662\u0667-01-01T00:00:00Z",
        "２０２７-01-01T00:00:00Z",
    ],
)
def test_refuses_what_is_no_moment(text: str) -> None:
    with pytest.raises(BadPolicy):
        parse_moment(text, "expires")


def test_a_leap_day_is_one() -> None:
    assert format_moment(parse_moment("2000-02-29T12:34:56Z", "")) == "2000-02-29T12:34:56Z"


@pytest.mark.parametrize("text", ["٣h", "1٣h", "24H", "24 h", "024h", "1h\n", 24, None])
def test_refuses_what_is_no_length(text: object) -> None:
    with pytest.raises(BadPolicy):
        parse_length(text, "window")
