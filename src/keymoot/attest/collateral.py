"""How long what vendors publish is good for, and what a network does when it is not any more.

Certificates, revocation lists and Intel's TCB lists have an end. Past it no new evidence is
checked by them, so nobody is admitted. Who was admitted before stays: a ledger on which no fresh
list was posted in time must not lose all its members in one block.

    FRESH    nothing follows
    AGEING   ends within the notice: screens and `keymoot net` warn, somebody fetches newer ones
    STALE    ended: nobody new is admitted, and code that may keep keys does not change
    EARLY    begins later: as STALE
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from keymoot.attest.evidence import CollateralStale
from keymoot.base.errors import Malformed
from keymoot.base.units import Seconds, UnixSeconds

NOTICE = Seconds(7 * 86_400)
"""How long before its end collateral is called ageing; Intel's lists live thirty days."""

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
_DAYS_BEFORE_1970 = 719_468


class Standing(IntEnum):
    """What collateral is good for at some time."""

    FRESH = 0
    AGEING = 1
    STALE = 2
    EARLY = 3

    @property
    def admits(self) -> bool:
        """Whether evidence is checked by it, so that somebody new may come in."""
        return self in (Standing.FRESH, Standing.AGEING)


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when something counts.

    Attributes:
        what: As people call it.
        since: First second.
        until: First second at which it does not count any more.
    """

    what: str
    since: UnixSeconds
    until: UnixSeconds

    def standing(self, now: UnixSeconds, notice: Seconds = NOTICE) -> Standing:
        """Give what it is good for."""
        if now < self.since:
            return Standing.EARLY
        if now >= self.until:
            return Standing.STALE
        return Standing.AGEING if now >= self.until - notice else Standing.FRESH

    def check(self, now: UnixSeconds) -> None:
        """Raise unless evidence is checked by it.

        Raises:
            CollateralStale: it ended, or begins later.
        """
        if not self.standing(now).admits:
            raise CollateralStale(self.what, now, self.since, self.until)


def standing_of(
    some: Iterable[Validity], now: UnixSeconds, notice: Seconds = NOTICE
) -> tuple[Standing, str]:
    """Give the worst standing of some, and of what; of none it is STALE."""
    standings = [(part.standing(now, notice), part.what) for part in some]
    return max(
        standings, default=(Standing.STALE, "no collateral"), key=lambda standing: standing[0]
    )


def read_moment(text: object, path: str) -> UnixSeconds:
    """Read a moment as Intel writes it: 2025-07-19T10:16:03Z.

    Raises:
        Malformed: another form, or no such day.
    """
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise Malformed("a moment is written as 2025-07-19T10:16:03Z", path)
    year, month, day, hour, minute, second = map(int, match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise Malformed("there is no such moment", path)
    # Days of the proleptic Gregorian calendar; a year begins with March.
    shifted = year - (month < 3)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + of_year
    return UnixSeconds((days - _DAYS_BEFORE_1970) * 86_400 + hour * 3_600 + minute * 60 + second)
