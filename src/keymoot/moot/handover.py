"""The block in which an epoch begins: roots, sealing keys and seats change at once.

What the old shares came from stays until all hold new ones, and a recovery may go back to it
(`before`). Where members come or go, the members before have signed who the new ones are; the ledger
keeps these links, so that everyone can follow them from the genesis.
"""

from collections.abc import Mapping
from dataclasses import replace

from keymoot.base.errors import Defect
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.moot.admitting import Admitting
from keymoot.moot.before import Before, Kept, dealing_page
from keymoot.moot.epoch import Epoch, Origin
from keymoot.moot.hall import Hall
from keymoot.moot.seat import Boot, Seat, by_seat
from keymoot.moot.succession import Keeper, Latest, Succession, Terms

ORIGIN, NEXT_DIGEST, SUCCESSION = "epoch/origin", "next/digest", "succession"


class Handover:
    """From the members of one epoch to those of the next."""

    def __init__(self, hall: Hall, admitting: Admitting) -> None:
        """Work on `hall`."""
        self._hall = hall
        self._admitting = admitting
        self.before = Before(hall)

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
        # 1. An epoch that all held is kept while there is somebody who does not hold new shares.
        voted = pages.get(NEXT_DIGEST)
        self.before.keep(
            Kept(
                epoch,
                hall.committee.indices,
                pages.get("roots/voted") or b"",
                pages.get(ORIGIN) or b"",
                pages.get(SUCCESSION) or b"",
                frozenset(seat for seat, vote in epoch.votes.items() if vote == voted),
            ),
            epoch.next_seats,
        )
        # 2. The new roots stand.
        hall.take_next_roots()
        pages.set("roots/voted", voted)
        pages.set(NEXT_DIGEST, None)
        pages.set(ORIGIN, Origin(generation, epoch.attempt, hall.committee).encode())
        # 3. Others who keep the keys are signed for by those who kept them.
        if terms is not None:
            count = self.latest.count + 1
            link = Succession(terms, epoch.signatures)
            pages.set(succession_page(count), link.encode())
            newest = Latest(count, terms.digest(hall.network), height)
            pages.set(SUCCESSION, newest.encode())
        # 4. The keys of the next epoch are the keys, and its seats the seats.
        hall.take_seats(seats)
        self._admitting.put(None)

    def back(self, failed: Epoch, boots: Mapping[int, Boot], height: Height) -> Epoch:
        """Go back to the epoch before `failed`; give its page as it was when it ended.

        Nothing that was dealt towards the failed epoch serves again; its seats post next keys
        anew.

        Args:
            failed: The living epoch.
            boots: Keys of the present starts; who is not named has none.
            height: Of the block.
        """
        pages, latest = self._hall.pages, self.latest
        origin = pages.get(ORIGIN)
        if origin is None:
            raise Defect("no epoch comes before the key generation's")
        for seat in Origin.decode(origin).dealers.indices:
            pages.set(dealing_page(failed.number, seat), None)
        seats = {
            index: replace(seat, boot=boots.get(index), since=height, next=b"")
            for index, seat in self.before.seats().items()
        }
        kept = self.before.restore(seats)
        pages.set(ORIGIN, kept.origin or None)
        # A link that seated the failed epoch's members is no link any more.
        if kept.link != (pages.get(SUCCESSION) or b""):
            pages.set(succession_page(latest.count), None)
            pages.set(SUCCESSION, kept.link or None)
        return kept.epoch


def succession_page(count: int) -> str:
    """Name the page of a link; the first has number 1."""
    return f"succession/{count}"
