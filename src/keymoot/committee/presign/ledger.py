"""The stock of presignatures: batches are opened, dealt, acknowledged, bound and burned.

A batch enters stock when degree+f+1 seats hold valid shares of it, so that degree+1 answer
when f of them do not; it burns when fewer remain. What is bound is burned, whatever
becomes of the request: the cursor never goes back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.errors import Unwanted
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.pages import BATCH, FIRST_DEALING, SECOND_DEALING, STOCK, PageName, PageNames
from keymoot.committee.phases import BATCH_LIFETIME, Move, move
from keymoot.committee.presign.inventory import Inventory
from keymoot.committee.presign.record import (
    FIRST,
    SECOND,
    BatchComplaint,
    BatchPage,
    BatchStage,
    PresignatureId,
)
from keymoot.committee.roots import ECDSA
from keymoot.committee.seat import by_place, by_seat
from keymoot.committee.state import CommitteeState
from keymoot.threshold import first_round, second_round
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstDealing, FirstPublic
from keymoot.threshold.presignature import Batch
from keymoot.threshold.second_round import SecondDealing
from keymoot.threshold.secp256k1 import SECP256K1

BATCH_SIZE = 64
"""Presignatures of a batch."""

MIN_READY = 2
"""Batches that are kept in stock when nobody asks."""

MAX_READY = 12
"""Batches that are kept in stock when many ask."""

MAX_OPEN = 2
"""Batches that are dealt at one time."""

PROBATION = 16
"""Every so many batches it is the turn of seats again that were late."""

DEMAND_SECONDS = 20
"""How far back demand is counted."""

_DEALING: Mapping[int, PageNames[Any]] = {FIRST: FIRST_DEALING, SECOND: SECOND_DEALING}


class Stock:
    """The batches of a state."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    @property
    def page(self) -> Inventory:
        return STOCK.read(self._state.pages) or Inventory()

    def batch(self, number: int) -> BatchPage | None:
        """Give a batch's page; None if it is burned, used up, or never was."""
        return BATCH.of(number).read(self._state.pages)

    def left(self) -> int:
        page = self.page
        batches = (self.batch(number) for number in page.ready)
        return sum(batch.size for batch in batches if batch is not None) - page.cursor

    def need(self) -> int:
        """Holders that a batch in stock has at least: degree+f+1."""
        committee = self._state.committee
        return committee.ecdsa_degree + committee.faults + 1

    def setting(self, page: BatchPage) -> Batch:
        keys = {at: SECP256K1.decode(key) for at, key in by_seat(page.keys).items()}
        session = self._state.session(f"presign/{page.number}")
        return Batch(session, self._state.root(ECDSA), keys, page.size)

    def dealers(self, page: BatchPage) -> tuple[int, ...]:
        """Give whose turn it is to deal the present round of a batch, other seats for each number.

        Who was late comes last, but for every `PROBATION`th batch.
        """
        out = self._state.record.out
        able = [seat for seat in self._with_part(page) if seat not in out]
        turn = page.number % len(able) if able else 0
        ordered = able[turn:] + able[:turn]
        if page.number % PROBATION:
            late = self.page.late
            ordered.sort(key=lambda seat: seat in late)
        return tuple(ordered[: self._wanted(page)])

    def has_part(self, page: BatchPage, seat: int) -> bool:
        """Tell whether a seat's present start is the one that the batch was opened with."""
        session = self._state.seat(seat).session
        return session is not None and page.key_of(seat) == session.sealing

    def dealing(self, number: int, round_: int, seat: int) -> bytes | None:
        """Give the bytes of a dealing, for whoever reads it beside the blocks."""
        return _DEALING[round_].of(number, seat).raw(self._state.pages)

    def names(self) -> Iterator[PageName[Any]]:
        yield STOCK
        for number in (*self.page.open, *self.page.ready):
            yield BATCH.of(number)
            batch = self.batch(number)
            if batch is not None:
                yield from (FIRST_DEALING.of(number, seat) for seat in batch.first)
                yield from (SECOND_DEALING.of(number, seat) for seat in batch.second)

    # -- what messages do

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height, time: UnixSeconds) -> None:
        if kind is Kind.COMPLAIN:
            self._complain(seat, BatchComplaint.decode(body), height, time)
            return
        said = NumberedBody.decode(body)
        page = self._page_for(said.number, seat)
        if kind is Kind.ACK:
            self._acknowledge(page, seat)
        else:
            self._deal(page, seat, kind, said.content)
        self.replenish(height, time)

    def take(self, height: Height, time: UnixSeconds) -> PresignatureId | None:
        """Bind the next presignature; None when there is none."""
        page = self.page
        if not page.ready:
            return None
        batch = self.batch(page.ready[0])
        if batch is None:
            raise Defect(f"batch {page.ready[0]} is in stock and has no page")
        taken = PresignatureId(batch.number, page.cursor)
        page = replace(page, bound=page.bound + 1, cursor=page.cursor + 1)
        if page.cursor < batch.size:
            self._put_list(page)
            return taken
        self._put_list(replace(page, used_up=(*page.used_up, time)[-MAX_READY:]))
        self._remove(batch)
        self.replenish(height, time)
        return taken

    def replenish(self, height: Height, time: UnixSeconds) -> None:
        """Go on with what is dealt, burn what nobody finishes, open batches while too few are."""
        for number in self.page.open:
            batch = self.batch(number)
            if batch is not None:
                self._move(batch, height, time)
        if not self._state.ready:
            return
        recent = sum(1 for moment in self.page.used_up if time - moment <= DEMAND_SECONDS)
        target = min(MIN_READY + recent, MAX_READY)
        while True:
            page = self.page
            if len(page.open) >= MAX_OPEN or len(page.open) + len(page.ready) >= target:
                return
            self._open(height, time)

    def started_anew(self, seat: int, height: Height, time: UnixSeconds) -> None:
        """Take a seat out of all batches: what it held is gone.

        A batch burns when too few are left who hold it, or could once it is dealt.
        """
        for number in (*self.page.ready, *self.page.open):
            batch = self.batch(number)
            if batch is None:
                continue
            holders = tuple(holder for holder in batch.holders if holder != seat)
            if (batch.stage is BatchStage.READY and len(holders) < self.need()) or len(
                self._with_part(batch)
            ) < self.need():
                self._remove(batch)
            elif holders != batch.holders:
                self._put(replace(batch, holders=holders))
        self.replenish(height, time)

    def burn(self) -> None:
        """Burn everything unbound: an epoch begins. No number comes again."""
        page = self.page
        for number in (*page.ready, *page.open):
            batch = self.batch(number)
            if batch is not None:
                self._remove(batch)

    def wipe(self) -> None:
        """Burn everything: a generation begins, and counts anew."""
        self.burn()
        STOCK.remove(self._state.pages)

    def _open(self, height: Height, time: UnixSeconds) -> None:
        page = self.page
        sessions = {seat: member.session for seat, member in self._state.seats().items()}
        keys = by_place(
            {seat: session.sealing for seat, session in sessions.items() if session is not None}
        )
        batch = BatchPage(page.next, BATCH_SIZE, BatchStage.FIRST, height, time, keys)
        self._put(batch)
        self._put_list(replace(page, next=page.next + 1, open=(*page.open, page.next)))

    def _move(self, page: BatchPage, height: Height, time: UnixSeconds) -> None:
        """Go on to the next stage as soon as enough have spoken; drop what waits too long."""
        spoken = {BatchStage.FIRST: page.first, BatchStage.SECOND: page.second}.get(
            page.stage, page.holders
        )
        enough = len(spoken) >= (
            self.need() if page.stage is BatchStage.ACKS else self._wanted(page)
        )
        does = move(
            awaited=True,
            overdue=page.since.overdue(BATCH_LIFETIME, height, time),
            enough=lambda: enough,
            early=lambda: enough,
        )
        if does is Move.GIVE_UP:
            self._remove(page)
        elif does is Move.GO_ON:
            if page.stage is BatchStage.ACKS:
                self._put_in_stock(page.number)
            else:
                self._note_late(self.dealers(page), spoken)
            after = BatchStage(page.stage + 1)
            self._put(replace(page, stage=after, since_height=height, since_time=time))

    def _put_in_stock(self, number: int) -> None:
        page = self.page
        opened = tuple(other for other in page.open if other != number)
        self._put_list(replace(page, open=opened, ready=(*page.ready, number)))

    def _deal(self, page: BatchPage, seat: int, kind: Kind, content: bytes) -> None:
        stage = BatchStage.FIRST if kind is Kind.FIRST else BatchStage.SECOND
        given = page.first if kind is Kind.FIRST else page.second
        if page.stage is not stage or seat in given or seat in self._state.record.out:
            raise Unwanted(f"batch {page.number} takes no such dealing from seat {seat}")
        pages = self._state.pages
        if kind is Kind.FIRST:
            FIRST_DEALING.of(page.number, seat).write(pages, FirstDealing.decode(content))
            self._put(replace(page, first=(*page.first, seat)))
        else:
            SECOND_DEALING.of(page.number, seat).write(pages, SecondDealing.decode(content))
            self._put(replace(page, second=(*page.second, seat)))

    def _wanted(self, page: BatchPage) -> int:
        committee = self._state.committee
        first = page.stage is BatchStage.FIRST
        return committee.random_dealers if first else committee.product_dealers

    def _note_late(self, turn: tuple[int, ...], dealt: tuple[int, ...]) -> None:
        """Remember whose turn it was and who dealt instead, so that nobody waits twice."""
        page = self.page
        late = (set(page.late) - set(dealt)) | (set(turn) - set(dealt))
        if late != set(page.late):
            self._put_list(replace(page, late=tuple(sorted(late))))

    def _acknowledge(self, page: BatchPage, seat: int) -> None:
        if page.stage not in (BatchStage.ACKS, BatchStage.READY) or seat in page.holders:
            raise Unwanted(f"batch {page.number} takes no acknowledgement from seat {seat}")
        page = replace(page, holders=(*page.holders, seat))
        # Nobody who could complain is left: the dealings have done their work.
        if all(holder in page.holders for holder in self._with_part(page)):
            self._drop_dealings(page)
        self._put(page)

    def _complain(self, seat: int, said: BatchComplaint, height: Height, time: UnixSeconds) -> None:
        dealer, complaint = said.dealer, said.complaint
        page = self._page_for(said.batch, seat)
        out = self._state.record.out
        if dealer in out or seat in out:
            raise Unwanted(f"who is out neither complains nor is complained over: {seat}, {dealer}")
        if complaint is not None and (complaint.accuser, complaint.dealer) != (seat, dealer):
            raise Unwanted("a complaint speaks for who sends it")
        guilty, what = self._judge(page, seat, said)
        self._state.caught(guilty, height, what, out=True)
        # A batch in stock has enough holders without the one who complains.
        if guilty == dealer and page.stage is not BatchStage.READY:
            self._remove(page)
        self.replenish(height, time)

    def _judge(self, page: BatchPage, seat: int, said: BatchComplaint) -> tuple[int, str]:
        batch, dealer, complaint = self.setting(page), said.dealer, said.complaint
        try:
            if said.round == FIRST:
                first = FirstDealing.decode(self._dealt(page, FIRST, dealer))
                first_round.check(batch, dealer, first)
                if complaint is not None:
                    guilty = first_round.judge(batch, complaint, first)
                    return guilty, _verdict(guilty, dealer)
            else:
                second = SecondDealing.decode(self._dealt(page, SECOND, dealer))
                public = self.public(page)
                # Without weights: those that all could agree on, a dealer could foresee.
                claim = second_round.read(batch, public, dealer, second)
                second_round.check(batch, public, dealer, claim)
                if complaint is not None:
                    guilty = second_round.judge(batch, complaint, second)
                    return guilty, _verdict(guilty, dealer)
        except Cheated as error:
            return error.party, error.what
        return seat, "complained over a good dealing"

    def public(self, page: BatchPage) -> FirstPublic:
        """What all know after the first round; raise Cheated where a dealing of it is bad."""
        batch = self.setting(page)
        checked = {
            seat: first_round.check(
                batch, seat, FirstDealing.decode(self._dealt(page, FIRST, seat))
            )
            for seat in sorted(page.first)
        }
        return first_round.combine(batch, checked)

    def _dealt(self, page: BatchPage, round_: int, seat: int) -> bytes:
        raw = self.dealing(page.number, round_, seat)
        if raw is None:
            which = "first" if round_ == FIRST else "second"
            raise Unwanted(f"batch {page.number} has no {which} dealing of seat {seat}")
        return raw

    def _page_for(self, number: int, seat: int) -> BatchPage:
        page = self.batch(number)
        if page is None:
            raise Unwanted(f"there is no batch {number}")
        if not self.has_part(page, seat):
            raise Unwanted(f"seat {seat} has started anew since batch {number} was opened")
        return page

    def _remove(self, batch: BatchPage) -> None:
        page, pages = self.page, self._state.pages
        self._put_list(
            replace(
                page,
                open=tuple(number for number in page.open if number != batch.number),
                ready=tuple(number for number in page.ready if number != batch.number),
                # It counts within the oldest batch: the next one begins with its first.
                cursor=0 if page.ready[:1] == (batch.number,) else page.cursor,
            )
        )
        self._drop_dealings(batch)
        BATCH.of(batch.number).remove(pages)

    def _drop_dealings(self, batch: BatchPage) -> None:
        for dealings, dealers in ((FIRST_DEALING, batch.first), (SECOND_DEALING, batch.second)):
            for page in (dealings.of(batch.number, seat) for seat in dealers):
                if page.stands(self._state.pages):
                    page.remove(self._state.pages)

    def _with_part(self, page: BatchPage) -> list[int]:
        return [seat for seat in self._state.committee.indices if self.has_part(page, seat)]

    def _put(self, batch: BatchPage) -> None:
        BATCH.of(batch.number).write(self._state.pages, batch)

    def _put_list(self, page: Inventory) -> None:
        STOCK.write(self._state.pages, page)


def _verdict(guilty: int, dealer: int) -> str:
    return "dealt a bad share" if guilty == dealer else "complained over a good share"
