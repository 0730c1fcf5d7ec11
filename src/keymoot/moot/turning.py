"""What messages of an epoch's end do to the assembly."""

from dataclasses import replace
from functools import lru_cache

from keymoot.base.errors import Malformed
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.body import read_numbered
from keymoot.moot.epoch import (
    Dealings,
    Epoch,
    Origin,
    Stage,
    Turn,
    read_dealings,
    read_turn,
)
from keymoot.moot.errors import Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.keygen import digest_of, judge, weigh
from keymoot.moot.message import Kind
from keymoot.moot.roots import ROOTS
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

EPOCH, ORIGIN, NEXT_DIGEST = "epoch", "epoch/origin", "next/digest"

STAGE_OF = {
    Kind.RESHARE: Stage.DEALING,
    Kind.RESHARE_VERDICT: Stage.VERDICTS,
    Kind.HELD: Stage.HOLDING,
}

_epoch = lru_cache(maxsize=64)(Epoch.decode)


class Turning:
    """The epochs of a hall."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    @property
    def epoch(self) -> Epoch | None:
        """The living epoch; None before there are roots."""
        raw = self._hall.pages.get(EPOCH)
        return None if raw is None else _epoch(raw)

    @property
    def origin(self) -> Origin | None:
        """Where the living shares come from; None while it is the key generation."""
        raw = self._hall.pages.get(ORIGIN)
        return None if raw is None else Origin.decode(raw)

    def begin(self, height: Height, time: UnixSeconds) -> None:
        """Begin epoch 0: the roots are made."""
        self._put(Epoch(0, height, time))

    def turn(self) -> Turn:
        """Give what the steps of this attempt share."""
        epoch, hall = self._known(), self._hall
        session = hall.session(f"reshare/{epoch.number + 1}/{epoch.attempt}")
        keys = {at: SECP256K1.decode(key) for at, key in enumerate(epoch.keys, 1)}
        return Turn(session, hall.committee, keys, self._roots())

    def living(self) -> Turn:
        """Give what the steps that made the living epoch's shares shared.

        Raises:
            Unwanted: the key generation made them.
        """
        epoch, origin, hall = self._known(), self.origin, self._hall
        if origin is None:
            raise Unwanted("the key generation made the living shares")
        name = f"reshare/{epoch.number}/{origin.attempt}"
        session = Session(hall.network, origin.generation, name)
        return Turn(session, hall.committee, hall.epoch_keys(), self._roots())

    def dealings(self, number: int) -> Dealings:
        """Give the dealings towards an epoch that stand."""
        found = {}
        for seat in self._hall.committee.indices:
            raw = self._hall.pages.get(dealing_page(number, seat))
            if raw is not None:
                found[seat] = read_dealings(raw)
        return found

    def hear(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        """Take what a seat says.

        Raises:
            Unwanted: not now, or a second time.
            Malformed: the body is not what its kind says.
        """
        epoch = self._known()
        if kind is Kind.EPOCH_KEY:
            self._post_key(epoch, seat, body)
            return
        if kind is Kind.TURN:
            # Votes name the epoch: an old one cannot be said again in another.
            if read_numbered(body) != (epoch.number, b""):
                raise Unwanted(f"epoch {epoch.number} lives, the vote is over another one")
            if epoch.stage is not Stage.LIVING or seat in epoch.wants:
                raise Unwanted("the epoch is ending already, or the seat has voted for it")
            self._put(replace(epoch, wants=epoch.wants | {seat}))
            return
        number, attempt, content = read_turn(body)
        if (number, attempt) != (epoch.number + 1, epoch.attempt):
            raise Unwanted("the message is of another attempt")
        if epoch.stage is not STAGE_OF[kind] or seat in epoch.said:
            raise Unwanted("the epoch is in another stage, or the seat has spoken in this one")
        epoch = replace(epoch, said=epoch.said | {seat})
        if kind is Kind.RESHARE:
            epoch = self._deal(epoch, seat, content, height)
        elif kind is Kind.RESHARE_VERDICT:
            epoch = self._judge(epoch, seat, content, height)
        else:
            if len(content) != 32:
                raise Malformed(f"a digest has 32 bytes, got {len(content)}")
            epoch = replace(epoch, votes={**epoch.votes, seat: content})
        self._put(epoch)

    def move(self, height: Height, time: UnixSeconds, seconds: int) -> bool:
        """Go on to the next stage, if this one is at its end; tell whether an epoch began.

        Args:
            height: Of the block.
            time: Of the block.
            seconds: How long an epoch lives.
        """
        epoch, committee = self.epoch, self._hall.committee
        if epoch is None:
            return False
        if epoch.stage is Stage.LIVING:
            if len(epoch.wants) >= committee.present or epoch.over(time, seconds):
                keys = [seat.next or seat.sealing for seat in self._hall.seats().values()]
                self._put(replace(epoch.at(Stage.DEALING, height, time), keys=tuple(keys)))
            return False
        late = epoch.overdue(height, time)
        if len(epoch.said) < committee.size and not late:
            return False
        if epoch.stage is Stage.HOLDING:
            return self._count(epoch, height, time, final=True)
        if len(epoch.said - epoch.out) < committee.present:
            self._drop(epoch, height, time)
        elif epoch.stage is Stage.DEALING:
            self._put(epoch.at(Stage.VERDICTS, height, time))
        else:
            self._propose(epoch, height, time)
        return False

    def count(self, height: Height, time: UnixSeconds) -> bool:
        """Begin the next epoch as soon as enough hold their shares; tell whether it began."""
        epoch = self.epoch
        if epoch is None or epoch.stage is not Stage.HOLDING:
            return False
        return self._count(epoch, height, time, final=False)

    def abandon(self, height: Height, time: UnixSeconds) -> None:
        """Drop an attempt that is going on: a generation begins."""
        epoch = self.epoch
        if epoch is not None and epoch.stage is not Stage.LIVING:
            self._drop(epoch, height, time)

    def _post_key(self, epoch: Epoch, seat: int, body: bytes) -> None:
        number, key = read_numbered(body)
        if number != epoch.number + 1:
            raise Unwanted(f"epoch {epoch.number + 1} comes next, the key is for another one")
        if epoch.stage is not Stage.LIVING:
            raise Unwanted("the keys of the next epoch are fixed already")
        SECP256K1.decode(key)
        known = self._hall.seat(seat)
        if key in (known.next, known.sealing):
            raise Unwanted("the seat has posted that key before")
        self._hall.put_seat(seat, replace(known, next=key))

    def _deal(self, epoch: Epoch, seat: int, content: bytes, height: Height) -> Epoch:
        given = read_dealings(content)
        try:
            self.turn().check(seat, given)
        except Cheated as error:
            return self._put_out(epoch, error.party, height, error.what)
        self._hall.pages.set(dealing_page(epoch.number + 1, seat), content)
        return epoch

    def _judge(self, epoch: Epoch, seat: int, content: bytes, height: Height) -> Epoch:
        turn, dealt = self.turn(), self.dealings(epoch.number + 1)

        def guilty_of(place: int, complaint: Complaint) -> int:
            given = dealt.get(complaint.dealer)
            return judge(turn.recipients(place), complaint, None if given is None else given[place])

        for guilty, what in weigh(content, seat, epoch.out, guilty_of):
            epoch = self._put_out(epoch, guilty, height, what)
        return epoch

    def _put_out(self, epoch: Epoch, seat: int, height: Height, what: str) -> Epoch:
        self._hall.caught(seat, height, what, out=False)
        self._hall.pages.set(dealing_page(epoch.number + 1, seat), None)
        return replace(epoch, out=epoch.out | {seat})

    def _propose(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        try:
            roots = self.turn().next_roots(self.dealings(epoch.number + 1))
        except TooFew:
            self._drop(epoch, height, time)
            return
        self._hall.put_next_roots(roots)
        self._hall.pages.set(NEXT_DIGEST, digest_of(roots))
        self._put(epoch.at(Stage.HOLDING, height, time))

    def _count(self, epoch: Epoch, height: Height, time: UnixSeconds, *, final: bool) -> bool:
        digest = self._hall.pages.get(NEXT_DIGEST)
        holders = [seat for seat, vote in epoch.votes.items() if vote == digest]
        if len(holders) >= self._hall.committee.present:
            self._enter(epoch, height, time)
            return True
        if final:
            self._drop(epoch, height, time)
        return False

    def _enter(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        hall, pages = self._hall, self._hall.pages
        # 1. The new roots stand; what the old shares could be computed from goes.
        hall.take_next_roots()
        pages.set("roots/voted", pages.get(NEXT_DIGEST))
        pages.set(NEXT_DIGEST, None)
        for seat in hall.committee.indices:
            pages.set(f"opening/{seat}", None)
            pages.set(dealing_page(epoch.number, seat), None)
        # 2. The keys of the next epoch are the keys.
        for index, known in hall.seats().items():
            key = epoch.keys[index - 1]
            following = b"" if known.next == key else known.next
            hall.put_seat(index, replace(known, sealing=key, next=following))
        pages.set(ORIGIN, Origin(hall.head.generation, epoch.attempt).encode())
        self._put(Epoch(epoch.number + 1, height, time))

    def _drop(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        for seat in self._hall.committee.indices:
            self._hall.pages.set(dealing_page(epoch.number + 1, seat), None)
        self._hall.put_next_roots(None)
        self._hall.pages.set(NEXT_DIGEST, None)
        self._put(epoch.dropped(height, time))

    def _roots(self) -> tuple[Root, ...]:
        return tuple(self._hall.root(kind.name) for kind in ROOTS)

    def _known(self) -> Epoch:
        epoch = self.epoch
        if epoch is None:
            raise Unwanted("there are no roots yet, so no epoch")
        return epoch

    def _put(self, epoch: Epoch) -> None:
        self._hall.pages.set(EPOCH, epoch.encode())


def dealing_page(number: int, seat: int) -> str:
    """Name the page of a seat's dealings towards an epoch."""
    return f"dealing/{number}/{seat}"
