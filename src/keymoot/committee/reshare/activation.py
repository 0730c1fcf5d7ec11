"""The block in which an epoch begins: roots, sealing keys and seats change at once.

What the old shares came from stays until all hold new ones, and a recovery may go back to it
(`previous`). Who sits from now on is in the state that the block leaves; the members before certify
it.
"""

from collections.abc import Mapping
from dataclasses import replace

from keymoot.base.errors import Defect
from keymoot.base.units import Height
from keymoot.committee.membership.ledger import MembershipLedger
from keymoot.committee.pages import DEALINGS, NEXT_DIGEST, ORIGIN, VOTED_DIGEST
from keymoot.committee.reshare.previous import PreviousEpoch
from keymoot.committee.reshare.record import Epoch, KeptEpoch, Origin
from keymoot.committee.seat import Seat, SessionKeys, by_seat
from keymoot.committee.state import CommitteeState


class Activation:
    """From the members of one epoch to those of the next."""

    def __init__(self, state: CommitteeState, membership: MembershipLedger) -> None:
        self._state = state
        self._membership = membership
        self.previous = PreviousEpoch(state)

    def seats(self, epoch: Epoch, height: Height) -> dict[int, Seat]:
        """Give the seats of the epoch after `epoch`; who is new counts from `height` on."""
        state, joining, seated = self._state, self._membership.page.joining, {}
        for index, key in by_seat(epoch.keys).items():
            if state.has_seat(index):
                known = state.seat(index)
                following = b"" if known.next == key else known.next
                seated[index] = replace(known, sealing=key, next=following)
            elif index in joining:
                newcomer = joining[index]
                seated[index] = Seat(
                    newcomer.identity, key, newcomer.session, height, vendor=newcomer.vendor
                )
            else:
                raise Defect(f"seat {index} of the next epoch is nobody's")
        return seated

    def enter(self, epoch: Epoch, height: Height) -> None:
        state, pages = self._state, self._state.pages
        seats = self.seats(epoch, height)
        generation = epoch.generation
        if generation is None:
            raise Defect("no dealing has begun")
        # 1. An epoch that all held is kept while there is somebody who does not hold new shares.
        voted = NEXT_DIGEST.read(pages)
        self.previous.keep(
            KeptEpoch(
                epoch,
                state.committee.indices,
                VOTED_DIGEST.read(pages) or b"",
                ORIGIN.read(pages),
                frozenset(seat for seat, vote in epoch.votes.items() if vote == voted),
            ),
            epoch.next_seats,
        )
        # 2. The new roots stand.
        state.take_next_roots()
        VOTED_DIGEST.take(pages, NEXT_DIGEST)
        NEXT_DIGEST.remove(pages)
        ORIGIN.write(pages, Origin(generation, epoch.attempt, state.committee))
        # 3. The keys of the next epoch are the keys, and its seats the seats.
        state.take_seats(seats)
        self._membership.put(None)

    def back(self, failed: Epoch, sessions: Mapping[int, SessionKeys], height: Height) -> Epoch:
        """Go back to the epoch before `failed`; give its page as it was when it ended.

        Nothing that was dealt towards the failed epoch serves again; its seats post next keys
        anew. Who is not in `sessions` has no present start.
        """
        pages = self._state.pages
        origin = ORIGIN.read(pages)
        if origin is None:
            raise Defect("no epoch comes before the key generation's")
        for dealer in origin.dealers.indices:
            DEALINGS.of(failed.number, dealer).remove(pages)
        seats = {
            index: replace(seat, session=sessions.get(index), since=height, next=b"")
            for index, seat in self.previous.seats().items()
        }
        kept = self.previous.restore(seats)
        if kept.origin is None:
            ORIGIN.remove(pages)
        else:
            ORIGIN.write(pages, kept.origin)
        return kept.epoch
