"""Moments and lengths of time as a policy writes them, without a clock or a locale."""

import re
from datetime import UTC, datetime

from keymoot.base.units import Seconds, UnixSeconds
from keymoot.policy.errors import BadPolicy

MIN_WINDOW_SECONDS = 60
MAX_WINDOW_SECONDS = 366 * 86_400

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LENGTH = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def parse_length(text: object, path: str) -> Seconds:
    """Read a length such as `24h`: a number and one of s, m, h, d.

    Raises:
        BadPolicy: anything else, under a minute or over a year.
    """
    match = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadPolicy('a length of time is written as "90s", "30m", "24h" or "7d"', path)
    seconds = int(match[1]) * _UNITS[match[2]]
    if not MIN_WINDOW_SECONDS <= seconds <= MAX_WINDOW_SECONDS:
        raise BadPolicy("a window is between 60s and 366d", path)
    return Seconds(seconds)


def parse_moment(text: object, path: str) -> UnixSeconds:
    """Read a moment in UTC such as `2027-01-01T00:00:00Z`.

    Raises:
        BadPolicy: anything else.
    """
    if not isinstance(text, str) or _MOMENT.fullmatch(text) is None:
        raise BadPolicy('a moment is written in UTC, as "2027-01-01T00:00:00Z"', path)
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadPolicy("no such date or time", path) from error
    return UnixSeconds(int(moment.timestamp()))


def format_moment(moment: UnixSeconds) -> str:
    """Write a moment as `parse_moment` reads it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
