"""What messages about the state key do to the assembly, and when its version is raised.

Who is admitted asks as members do, before it is one: an epoch begins only when its newcomers
hold the secret (`turning`), for who cannot execute signs no block. Once all members hold it the
key exists: from then on blocks need it, so nobody may be left who could not execute the next one.

When somebody who had the secret has no seat any more, the version is raised:

1. Nothing begins before all members hold the living epoch's shares. Until then a recovery may go
   back to the members before, and these have to execute.
2. Members, and who is about to be one, ask for the next version as they ask for the present one.
   Who has left has no seat to ask from, and no share that answers.
3. Once all members hold it, the next block uses it. n−f would not do: f of them may lie, and with
   f honest ones that still wait too few could execute for anybody to get it any more.

An epoch or a generation that begins meanwhile drops the next version: other members may go.
"""

from collections.abc import Iterator
from dataclasses import replace

from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.moot.epoch import Stage
from keymoot.moot.errors import Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.handing import Handing, takers
from keymoot.moot.message import Kind
from keymoot.moot.statekey import (
    COMING,
    FORMER,
    STATE,
    Ask,
    Standing,
    former_in,
    next_name,
    read_answer,
    read_ask,
    read_held,
    write_former,
)
from keymoot.moot.turning import Turning
from keymoot.store.keys import Former

STATE_KINDS = (Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD)


class Handout:
    """The state key of a hall, in the present version and in the one that is to come."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall
        self.present = Handing(hall, STATE)

    @property
    def standing(self) -> Standing:
        """How the present version stands."""
        return self.present.standing

    @property
    def coming(self) -> Handing | None:
        """The version that members gather; None while none is to come."""
        return None if self._hall.pages.get(COMING) is None else Handing(self._hall, COMING)

    @property
    def versions(self) -> tuple[Handing, ...]:
        """All versions that may be asked for."""
        coming = self.coming
        return (self.present,) if coming is None else (self.present, coming)

    def ask(self, seat: int) -> Ask | None:
        """Give a seat's open ask for the present version."""
        return self.present.ask(seat)

    def asks(self) -> dict[int, Ask]:
        """Give all open asks for the present version, by the seat that asks."""
        return self.present.asks()

    def pages(self) -> Iterator[str]:
        """Name every page that there may be."""
        yield from (STATE, COMING, FORMER)
        if self._hall.founded:
            for one in (self.present, Handing(self._hall, COMING)):
                yield from (one.ask_page(seat) for seat in takers(self._hall))

    def hear(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        """Take what a seat says.

        Raises:
            NotReady: there are no roots yet.
            NotSeated: the seat's identity did not sign its ask.
            Unwanted: not now, or a second time.
            Malformed: the body is not what its kind says.
        """
        if kind is Kind.STATE_ASK:
            self._named(read_ask(body)[1]).hear_ask(seat, body, Turning(self._hall).epoch)
        elif kind is Kind.STATE_ANSWER:
            self._named(read_answer(body)[0]).hear_answer(seat, body, height)
        else:
            self._named(read_held(body)).hear_held(seat)
            self._exist(height)

    def started_anew(self, seat: int) -> None:
        """End the asks of a start that is over: its one-time secrets are gone."""
        for one in self.versions:
            one.started_anew(seat)

    def knowing(self) -> frozenset[Bytes32]:
        """Give the identities of all that may have the present secret, and are still known."""
        hall, told = self._hall, self.standing.told
        if not hall.founded:
            return frozenset()
        joining = Turning(hall).admitting.page.joining
        asked = (joining[seat].identity for seat in joining if seat in told)
        return frozenset((*(seat.identity for seat in hall.seats().values()), *asked))

    def leave(self, knew: frozenset[Bytes32]) -> None:
        """Forget who neither sits nor is about to, and note whether it takes a secret along.

        Args:
            knew: Who had the present secret before, as `knowing` gave it.
        """
        if not knew <= self.knowing():
            self.present.put(replace(self.standing, exposed=True))
        coming = self.coming
        if coming is not None and not coming.standing.told <= frozenset(takers(self._hall)):
            coming.put(replace(coming.standing, exposed=True))
        for one in self.versions:
            one.leave()

    def turned(self) -> None:
        """End all asks, and drop the version that is to come: an epoch begins."""
        coming = self.coming
        if coming is not None:
            coming.close()
            self._hall.pages.set(COMING, None)
        self.present.close()

    def wipe(self) -> None:
        """End all asks, and ask all anew whether they hold it: a generation begins.

        It may have gone back to other seats, and most have started anew.
        """
        self.turned()
        self.present.put(replace(self.standing, holders=frozenset()))

    def move(self) -> None:
        """Begin to raise the version where somebody has left with it; raise it once all have it."""
        turning, standing = Turning(self._hall), self.standing
        epoch, coming = turning.epoch, self.coming
        if epoch is None or epoch.stage is not Stage.LIVING or not standing.exists:
            return
        # Members before may have to execute, as long as a recovery can go back to them.
        if turning.before.page is not None:
            return
        if coming is not None:
            if coming.standing.holders.issuperset(self._hall.committee.indices):
                self._raise(coming)
        elif standing.exposed:
            hall, version = self._hall, standing.version + 1
            name = next_name(hall.network, version, hall.head.generation, epoch.number)
            hall.pages.set(COMING, Standing(version, name).encode())

    def _raise(self, coming: Handing) -> None:
        """Have the version that is to come as the present one, with who asks for it."""
        pages, standing = self._hall.pages, self.standing
        self.present.close()
        for seat in takers(self._hall):
            pages.set(self.present.ask_page(seat), pages.get(coming.ask_page(seat)))
            pages.set(coming.ask_page(seat), None)
        # The first block under the new version wraps this one.
        former = (*former_in(pages), Former(standing.name, b""))
        pages.set(FORMER, write_former(former))
        self.present.put(replace(coming.standing, since=standing.since))
        pages.set(COMING, None)

    def _exist(self, height: Height) -> None:
        standing = self.standing
        if not standing.exists and standing.holders.issuperset(self._hall.committee.indices):
            self.present.put(replace(standing, since=height))

    def _named(self, name: Bytes32) -> Handing:
        found = next((one for one in self.versions if one.name == name), None)
        if found is None or not self._hall.ready:
            raise Unwanted("there is no such state key")
        return found
