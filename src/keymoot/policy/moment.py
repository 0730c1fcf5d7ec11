"""Moments and lengths of time as a policy writes them, without a clock or a locale."""

import re

from keymoot.base.units import Seconds, UnixSeconds
from keymoot.policy.errors import BadPolicy

MIN_WINDOW_SECONDS = 60
MAX_WINDOW_SECONDS = 366 * 86_400

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LENGTH = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])Z"
)
_DAY_SECONDS = 86_400
_LAST_MOMENT = 253_402_300_799
"""The last second of the year 9999."""
_EPOCH_DAY = 719_468
"""Days from 0000-03-01 to 1970-01-01."""


def parse_length(text: object, path: str) -> Seconds:
    """Read a length such as `24h`, of a minute to a year: a number and one of s, m, h, d."""
    match = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadPolicy('a length of time is written as "90s", "30m", "24h" or "7d"', path)
    seconds = int(match[1]) * _UNITS[match[2]]  # consensus: [0-9] alone
    if not MIN_WINDOW_SECONDS <= seconds <= MAX_WINDOW_SECONDS:
        raise BadPolicy("a window is between 60s and 366d", path)
    return Seconds(seconds)


def parse_moment(text: object, path: str) -> UnixSeconds:
    """Read a moment in UTC such as `2027-01-01T00:00:00Z`."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadPolicy('a moment is written in UTC, as "2027-01-01T00:00:00Z"', path)
    year, month, day, hours, minutes, seconds = map(int, match.groups())
    days = _days(year, month, day)
    if not year or not 1 <= month <= 12 or not 1 <= day <= 31 or _date(days) != (year, month, day):
        raise BadPolicy("no such date", path)
    return UnixSeconds(days * _DAY_SECONDS + hours * 3_600 + minutes * 60 + seconds)


def format_moment(moment: UnixSeconds) -> str:
    days, seconds = divmod(moment, _DAY_SECONDS)
    year, month, day = _date(days)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z"


def show_moment(seconds: int) -> str:
    """Write a number that should be a moment: later ones than the year 9999 as they are."""
    return format_moment(UnixSeconds(seconds)) if seconds <= _LAST_MOMENT else str(seconds)


# The Gregorian calendar in integers: years that begin in March, so that the odd day is the
# last one, in eras of 400 years. `datetime` writes years before 1000 as the platform likes.


def _days(year: int, month: int, day: int) -> int:
    """Count days from 1970-01-01 to a date; one that there is not runs into the next month."""
    era, of_era = divmod(year - (month <= 2), 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH_DAY


def _date(days: int) -> tuple[int, int, int]:
    era, of_era = divmod(days + _EPOCH_DAY, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    march = (5 * of_year + 2) // 153
    month = march + 3 if march < 10 else march - 9
    return era * 400 + year + (month <= 2), month, of_year - (153 * march + 2) // 5 + 1
