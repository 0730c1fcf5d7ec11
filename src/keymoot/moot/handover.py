"""The block in which an epoch begins: roots, sealing keys and seats change at once.

Where members come or go, the members before have signed who the new ones are; the ledger
keeps these links, so that everyone can follow them from the genesis.
"""

from dataclasses import replace

from keymoot.base.errors import Defect
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.moot.admitting import Admitting
from keymoot.moot.epoch import Epoch, Origin
from keymoot.moot.hall import Hall
from keymoot.moot.seat import Seat, by_seat
from keymoot.moot.succession import Keeper, Latest, Succession, Terms

ORIGIN, NEXT_DIGEST, SUCCESSION = "epoch/origin", "next/digest", "succession"


class Handover:
    """From the members of one epoch to those of the next."""

    def __init__(self, hall: Hall, admitting: Admitting) -> None:
        """Work on `hall`."""
        self._hall = hall
        self._admitting = admitting

    @property
    def latest(self) -> Latest:
        """The newest link; number 0 is the genesis."""
        raw = self._hall.pages.get(SUCCESSION)
        return Latest(0, Hash32(self._hall.network), 0) if raw is None else Latest.decode(raw)

    def terms(self, epoch: Epoch) -> Terms | None:
        """Give what the members of `epoch` sign; None where the same ones stay."""
        if epoch.next_seats == self._hall.committee.indices:
            return None
        keepers = tuple(
            Keeper(at, seat.identity, seat.consensus)
            for at, seat in sorted(self.seats(epoch, Height(0)).items())
        )
        return Terms(self.latest.link, epoch.number + 1, keepers)

    def seats(self, epoch: Epoch, height: Height) -> dict[int, Seat]:
        """Give the seats of the epoch after `epoch`; who is new counts from `height` on."""
        hall, joining, found = self._hall, self._admitting.page.joining, {}
        for index, key in by_seat(epoch.keys).items():
            if hall.has_seat(index):
                known = hall.seat(index)
                following = b"" if known.next == key else known.next
                found[index] = replace(known, sealing=key, next=following)
            elif index in joining:
                one = joining[index]
                found[index] = Seat(one.identity, one.consensus, key, one.boot, height)
            else:
                raise Defect(f"seat {index} of the next epoch is nobody's")
        return found

    def enter(self, epoch: Epoch, height: Height) -> None:
        """Begin the epoch after `epoch`; its new roots are on their pages."""
        hall, pages = self._hall, self._hall.pages
        terms, seats = self.terms(epoch), self.seats(epoch, height)
        generation = epoch.generation
        if generation is None:
            raise Defect("no dealing has begun")
        # 1. The new roots stand; what the old shares could be computed from goes.
        hall.take_next_roots()
        pages.set("roots/voted", pages.get(NEXT_DIGEST))
        pages.set(NEXT_DIGEST, None)
        before = pages.get(ORIGIN)
        dealers = hall.committee if before is None else Origin.decode(before).dealers
        for seat in dealers.indices:
            pages.set(f"opening/{seat}", None)
            pages.set(dealing_page(epoch.number, seat), None)
        pages.set(ORIGIN, Origin(generation, epoch.attempt, hall.committee).encode())
        # 2. Others who keep the keys are signed for by those who kept them.
        if terms is not None:
            count = self.latest.count + 1
            link = Succession(terms, epoch.signatures)
            pages.set(succession_page(count), link.encode())
            newest = Latest(count, terms.digest(hall.network), height)
            pages.set(SUCCESSION, newest.encode())
        # 3. The keys of the next epoch are the keys, and its seats the seats.
        hall.take_seats(seats)
        self._admitting.put(None)


def dealing_page(number: int, seat: int) -> str:
    """Name the page of a seat's dealings towards an epoch."""
    return f"dealing/{number}/{seat}"


def succession_page(count: int) -> str:
    """Name the page of a link; the first has number 1."""
    return f"succession/{count}"
