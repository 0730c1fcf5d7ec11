"""Nonce commitments for FROST: each seat posts sheaves of them ahead, blocks bind them in order.

RFC 9591 has its first round ahead of time. A block that decides a request names its signers,
degree+1 of them, and takes the next commitment of each. What is bound is spent, whatever
becomes of the request: the cursor never goes back, and no number comes again in a start.

Every signer that is named must answer. Where one is silent or lies, the requester asks
again and says whom to leave out (ROAST, 2022/550: who is silent blocks one list at most).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.base.units import Height
from keymoot.moot.body import read_numbered
from keymoot.moot.errors import Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.message import Kind
from keymoot.moot.slot import Slot
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment

SHEAF_SIZE = 32
"""Commitments that a seat posts at once."""

MIN_LEFT = 64
"""A seat posts another sheaf while it has fewer left."""

LOW = MIN_LEFT // 2
"""A seat that has fewer left is not posting as it should."""

MAX_LEFT = MIN_LEFT + SHEAF_SIZE
"""No more of a seat are kept."""

_POINT = EDWARDS25519.POINT_BYTES


@dataclass(frozen=True, slots=True)
class Row:
    """What one seat has posted in its present start.

    Attributes:
        cursor: Number of its next commitment to bind.
        end: Number of the first that it has not posted.
    """

    cursor: int = 0
    end: int = 0

    @property
    def left(self) -> int:
        """How many may be bound."""
        return self.end - self.cursor

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode([uint(self.cursor), uint(self.end)])

    @staticmethod
    def decode(raw: bytes) -> "Row":
        """Read the page.

        Raises:
            Malformed: not a row.
        """
        cursor, end = list_of(rlp.decode(raw), 2, "row")
        row = Row(uint_of(cursor, "cursor", 8), uint_of(end, "end", 8))
        if row.left < 0:
            raise Malformed("a row ends before its cursor", "row")
        return row


_row = lru_cache(maxsize=256)(Row.decode)
"""Decoding is pure, and pages are read far more often than they change."""


class Commitments:
    """The commitments of a hall."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    def row(self, seat: int) -> Row:
        """Give what a seat has posted."""
        raw = self._hall.pages.get(row_page(seat))
        return Row() if raw is None else _row(raw)

    def left(self) -> int:
        """Count the signatures for which there are commitments."""
        rows = sorted((self.row(seat).left for seat in self._able()), reverse=True)
        need = self.need()
        return rows[need - 1] if len(rows) >= need else 0

    def need(self) -> int:
        """Give how many sign together: degree+1."""
        return self._hall.committee.degree + 1

    def commitment(self, seat: int, number: int) -> Commitment | None:
        """Give a commitment by its number; None once its sheaf is gone."""
        raw = self._hall.pages.get(sheaf_page(seat, number // SHEAF_SIZE))
        if raw is None:
            return None
        at = number % SHEAF_SIZE * 2 * _POINT
        return Commitment(raw[at : at + _POINT], raw[at + _POINT : at + 2 * _POINT])

    def hear(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        """Take what a seat says.

        Raises:
            Unwanted: not now, or not from this seat.
            Malformed: the body is not what its kind says.
        """
        if kind is Kind.NONCES:
            self._post(seat, *read_numbered(body))
        else:
            self._complain(seat, read_complaint(body), height)

    def choose(self, without: frozenset[int] = frozenset()) -> tuple[Slot, ...] | None:
        """Choose the signers of the next request; None when too few have commitments.

        They take turns. A seat that has let its commitments run low comes last: one that
        is silent is soon asked no more.

        Args:
            without: Seats to leave out, if there are enough others.
        """
        rows = {seat: self.row(seat) for seat in self._able()}
        able = [seat for seat, row in rows.items() if row.left]
        need = self.need()
        if len(able) < need:
            return None
        turn = sum(row.cursor for row in rows.values()) % len(able)
        able = able[turn:] + able[:turn]
        able.sort(key=lambda seat: (seat in without, rows[seat].left < LOW))
        slots = []
        for seat in sorted(able[:need]):
            number = rows[seat].cursor
            commitment = self.commitment(seat, number)
            if commitment is None:
                return None
            slots.append(Slot(seat, number, commitment))
        return tuple(slots)

    def spend(self, slots: Sequence[Slot]) -> None:
        """Take the commitments of a request: each is the next of its seat.

        Raises:
            Unwanted: one is not, or there are not degree+1.
        """
        if len(slots) != self.need() or len({one.seat for one in slots}) != len(slots):
            raise Unwanted(f"a signature has {self.need()} signers")
        able = self._able()
        for one in slots:
            row = self.row(one.seat)
            if one.seat not in able or one.number != row.cursor or not row.left:
                raise Unwanted(f"it is not the turn of commitment {one.number} of seat {one.seat}")
            if self.commitment(one.seat, one.number) != one.commitment:
                raise Unwanted(f"seat {one.seat} committed to something else")
        for one in slots:
            self._advance(one.seat)

    def started_anew(self, seat: int) -> None:
        """Forget what a seat posted before: its nonces are gone with its memory."""
        row, pages = self.row(seat), self._hall.pages
        for sheaf in _sheaves(row):
            pages.set(sheaf_page(seat, sheaf), None)
        pages.set(row_page(seat), None)

    def burn(self) -> None:
        """Burn everything unbound: an epoch begins. No number comes again in a start.

        Of who has left nothing stays, so that whoever has the seat next begins anew.
        """
        pages = self._hall.pages
        for seat in range(1, MAX_SIZE + 1):
            row = self.row(seat)
            if not row.end:
                continue
            self.started_anew(seat)
            if self._hall.has_seat(seat):
                pages.set(row_page(seat), Row(row.end, row.end).encode())

    def wipe(self) -> None:
        """Forget everything: a generation begins."""
        for seat in self._hall.committee.indices:
            self.started_anew(seat)

    def names(self) -> list[str]:
        """Name every page there is."""
        found = []
        for seat in self._hall.committee.indices:
            found.append(row_page(seat))
            found += [sheaf_page(seat, sheaf) for sheaf in _sheaves(self.row(seat))]
        return found

    def _able(self) -> list[int]:
        if not self._hall.ready:
            return []
        hall, out = self._hall, self._hall.head.out
        return [at for at in hall.committee.indices if at not in out and hall.seat(at).boot]

    def _post(self, seat: int, sheaf: int, content: bytes) -> None:
        row = self.row(seat)
        # 1. There are roots to sign for, and the seat is not out.
        if seat not in self._able():
            raise Unwanted(f"seat {seat} posts no commitments now")
        # 2. It is its next sheaf, and there is room for one.
        if sheaf * SHEAF_SIZE != row.end:
            raise Unwanted(f"sheaf {row.end // SHEAF_SIZE} of seat {seat} comes next, not {sheaf}")
        if row.left >= MIN_LEFT:
            raise Unwanted(f"seat {seat} has {row.left} commitments left: that is enough")
        # 3. It is whole. That its parts are points is seen when they serve, see `_complain`.
        if len(content) != SHEAF_SIZE * 2 * _POINT:
            raise Malformed(f"a sheaf has {SHEAF_SIZE * 2 * _POINT} bytes, got {len(content)}")
        self._hall.pages.set(sheaf_page(seat, sheaf), content)
        self._hall.pages.set(row_page(seat), replace(row, end=row.end + SHEAF_SIZE).encode())

    def _complain(self, accuser: int, said: Slot, height: Height) -> None:
        """Judge a commitment that is said to be no point; whoever is wrong is out."""
        out, seat = self._hall.head.out, said.seat
        if seat in out or accuser in out or seat not in self._hall.committee.indices:
            raise Unwanted(f"seat {seat} or {accuser} has no part in this")
        commitment = self.commitment(seat, said.number)
        if commitment is None or said.number >= self.row(seat).end:
            raise Unwanted(f"seat {seat} has no commitment {said.number} to complain over")
        # A start counts anew: by its number alone, a bad commitment would be judged by the good
        # one that its seat has posted in the meantime, and the honest accuser put out.
        if commitment != said.commitment:
            raise Unwanted(f"seat {seat} has started anew since, and committed to something else")
        try:
            for part in (commitment.hiding, commitment.binding):
                EDWARDS25519.decode(part)
        except Malformed:
            self._hall.caught(seat, height, "committed to a nonce with no point", out=True)
        else:
            self._hall.caught(accuser, height, "complained over a good commitment", out=True)

    def _advance(self, seat: int) -> None:
        row = self.row(seat)
        after = replace(row, cursor=row.cursor + 1)
        # One used sheaf stays, for complaints over what was bound just now.
        first, later = _sheaves(row), _sheaves(after)
        for sheaf in first:
            if sheaf not in later:
                self._hall.pages.set(sheaf_page(seat, sheaf), None)
        self._hall.pages.set(row_page(seat), after.encode())


def _sheaves(row: Row) -> range:
    """Give the sheaves that are kept: those with something left, and the one before."""
    return range(max(row.cursor // SHEAF_SIZE - 1, 0), row.end // SHEAF_SIZE)


def row_page(seat: int) -> str:
    """Name the page of a seat's row."""
    return f"nonces/{seat}"


def sheaf_page(seat: int, sheaf: int) -> str:
    """Name the page of one of a seat's sheaves."""
    return f"nonces/{seat}/{sheaf}"


def write_complaint(slot: Slot) -> bytes:
    """Write that a seat's commitment is no point."""
    return rlp.encode([uint(slot.seat), uint(slot.number), slot.commitment.encode()])


def read_complaint(body: bytes) -> Slot:
    """Read that a seat's commitment is no point.

    Raises:
        Malformed: not that.
    """
    seat, number, commitment = list_of(rlp.decode(body), 3, "complaint")
    return Slot(
        uint_of(seat, "seat", 2), uint_of(number, "number", 8), Commitment.decode(commitment)
    )
