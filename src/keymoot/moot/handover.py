"""The block in which an epoch begins: roots, sealing keys and seats change at once.

What the old shares came from stays until all hold new ones, and a recovery may go back to it
(`before`). Who sits from now on is in the state that the block leaves; the members before certify
it.
"""

from collections.abc import Mapping
from dataclasses import replace

from keymoot.base.errors import Defect
from keymoot.base.units import Height
from keymoot.moot.admitting import Admitting
from keymoot.moot.before import Before, Kept, dealing_page
from keymoot.moot.epoch import Epoch, Origin
from keymoot.moot.hall import Hall
from keymoot.moot.seat import Boot, Seat, by_seat

ORIGIN, NEXT_DIGEST = "epoch/origin", "next/digest"


class Handover:
    """From the members of one epoch to those of the next."""

    def __init__(self, hall: Hall, admitting: Admitting) -> None:
        """Work on `hall`."""
        self._hall = hall
        self._admitting = admitting
        self.before = Before(hall)

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
                found[index] = Seat(one.identity, key, one.boot, height)
            else:
                raise Defect(f"seat {index} of the next epoch is nobody's")
        return found

    def enter(self, epoch: Epoch, height: Height) -> None:
        """Begin the epoch after `epoch`; its new roots are on their pages."""
        hall, pages = self._hall, self._hall.pages
        seats = self.seats(epoch, height)
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
                frozenset(seat for seat, vote in epoch.votes.items() if vote == voted),
            ),
            epoch.next_seats,
        )
        # 2. The new roots stand.
        hall.take_next_roots()
        pages.set("roots/voted", voted)
        pages.set(NEXT_DIGEST, None)
        pages.set(ORIGIN, Origin(generation, epoch.attempt, hall.committee).encode())
        # 3. The keys of the next epoch are the keys, and its seats the seats.
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
        pages = self._hall.pages
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
        return kept.epoch
