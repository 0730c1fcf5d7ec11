"""One seat's part in presignatures: it deals, judges, acknowledges, and holds each until its use.

All secrets here are of this start only, and never written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.phases import BATCH_PATIENCE
from keymoot.committee.presign.record import (
    FIRST,
    SECOND,
    BatchComplaint,
    BatchPage,
    BatchStage,
    PresignatureId,
)
from keymoot.committee.task import Message, SeatTask
from keymoot.threshold import first_round, second_round
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstDealing, FirstPublic, FirstShare
from keymoot.threshold.presignature import Batch, Presignature
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Share
from keymoot.threshold.second_round import SecondDealing

_Name = tuple[Hash32, int]
"""A batch's name: its generation and number. Numbers begin anew in each generation."""


@dataclass(slots=True)
class _OwnBatch:
    """What a seat has of a batch between its rounds."""

    setting: Batch
    public: FirstPublic
    shares: list[FirstShare]


@dataclass(slots=True)
class PresignParticipant:
    """One seat's mind for presignatures; dealings are encrypted to this start's `sealing`."""

    index: int
    sealing: Secret
    _batches: dict[_Name, _OwnBatch] = field(default_factory=dict)
    _presignatures: dict[_Name, dict[int, Presignature]] = field(default_factory=dict)

    def due(
        self, machine: CommitteeMachine, share: Share, height: Height, time: UnixSeconds
    ) -> list[SeatTask]:
        """`share` is of the ECDSA root, in the living epoch; the newest block gives the rest."""
        tasks = []
        for number in machine.stock.page.open + machine.stock.page.ready:
            page = machine.stock.batch(number)
            if page is not None and machine.stock.has_part(page, self.index):
                tasks += self._batch_tasks(machine, page, share, height, time)
        return tasks

    def take(self, generation: Hash32, name: PresignatureId) -> Presignature | None:
        """Give a presignature and forget it: it serves once, in its own generation."""
        return self._presignatures.get((generation, name.batch), {}).pop(name.place, None)

    def wipe(self) -> None:
        self._batches.clear()
        self._presignatures.clear()

    def prune(self, machine: CommitteeMachine) -> None:
        """Forget the secrets of batches and generations that are no more."""
        generation, page = machine.state.record.generation, machine.stock.page
        alive = {(generation, number) for number in (*page.open, *page.ready)}
        for name in [batch for batch in list(self._batches) if batch not in alive]:
            self._batches.pop(name, None)
        for name in [
            presignature for presignature in list(self._presignatures) if presignature not in alive
        ]:
            self._presignatures.pop(name, None)

    def _batch_tasks(
        self,
        machine: CommitteeMachine,
        page: BatchPage,
        share: Share,
        height: Height,
        time: UnixSeconds,
    ) -> list[SeatTask]:
        stock, number = machine.stock, page.number
        own = (machine.state.record.generation, number)
        name = f"batch/{own[0].hex()}/{number}"
        dealers = stock.dealers(page)
        late = page.since.overdue(BATCH_PATIENCE, height, time)
        if page.stage is BatchStage.FIRST:
            if self.index in page.first or (self.index not in dealers and not late):
                return []
            setting = stock.setting(page)
            return [SeatTask(f"{name}/first", lambda rng: self._deal_first(setting, number, rng))]
        if page.stage is BatchStage.SECOND:
            turn = self.index in dealers
            setting, first = stock.setting(page), _dealings(machine, page, FIRST)
            tasks = [
                SeatTask(
                    f"{name}/received", lambda rng: self._take_first(setting, number, first, rng)
                )
            ]
            if self.index not in page.second and (turn or late):
                deal = partial(self._deal_second, own, share)
                tasks.append(SeatTask(f"{name}/second", deal))
            return tasks
        if self.index in page.holders:
            return []
        second, first = _dealings(machine, page, SECOND), _dealings(machine, page, FIRST)
        setting = stock.setting(page)
        return [
            SeatTask(f"{name}/received", lambda rng: self._take_first(setting, number, first, rng)),
            SeatTask(f"{name}/ack", lambda rng: self._take_second(own, second, rng)),
        ]

    def _deal_first(self, setting: Batch, number: int, rng: SeededRng) -> list[Message]:
        dealing = first_round.deal(setting, self.index, rng)
        return [(Kind.FIRST, NumberedBody(number, dealing.encode()).encode())]

    def _take_first(
        self, setting: Batch, number: int, given: Mapping[int, bytes], rng: SeededRng
    ) -> list[Message]:
        dealings = {seat: FirstDealing.decode(raw) for seat, raw in given.items()}
        checked = {}
        for seat, dealing in dealings.items():
            try:
                checked[seat] = first_round.check(setting, seat, dealing)
            except Cheated as error:
                return _complaints(number, FIRST, {error.party: None})
        public = first_round.combine(setting, checked)
        key = self.sealing
        try:
            shares = first_round.receive(
                setting, self.index, key, dealings, public, rng.child("check")
            )
        except Malformed:
            complaints = first_round.blame(setting, self.index, key, dealings, rng)
            return _complaints(
                number, FIRST, {complaint.dealer: complaint for complaint in complaints}
            )
        self._batches[setting.session.generation, number] = _OwnBatch(setting, public, shares)
        return []

    def _deal_second(self, name: _Name, share: Share, rng: SeededRng) -> list[Message]:
        own = self._batches.get(name)
        if own is None:
            return []
        dealing = second_round.deal(own.setting, share, own.public, own.shares, rng)
        return [(Kind.SECOND, NumberedBody(name[1], dealing.encode()).encode())]

    def _take_second(
        self, name: _Name, given: Mapping[int, bytes], rng: SeededRng
    ) -> list[Message]:
        number = name[1]
        own = self._batches.pop(name, None)
        if own is None:
            return []
        dealings = {seat: SecondDealing.decode(raw) for seat, raw in given.items()}
        key = self.sealing
        try:
            made = second_round.receive(
                own.setting, self.index, key, own.public, own.shares, dealings, rng.child("check")
            )
        except Cheated as error:
            return _complaints(number, SECOND, {error.party: None})
        except Malformed:
            complaints = second_round.blame(own.setting, self.index, key, dealings, rng)
            return _complaints(
                number, SECOND, {complaint.dealer: complaint for complaint in complaints}
            )
        self._presignatures[name] = dict(enumerate(made))
        return [(Kind.ACK, NumberedBody(number).encode())]


def _dealings(machine: CommitteeMachine, page: BatchPage, round_: int) -> dict[int, bytes]:
    dealers = page.first if round_ == FIRST else page.second
    dealings = {}
    for seat in dealers:
        raw = machine.stock.dealing(page.number, round_, seat)
        if raw is not None:
            dealings[seat] = raw
    return dealings


def _complaints(
    number: int, round_: int, complaints: Mapping[int, Complaint | None]
) -> list[Message]:
    return [
        (Kind.COMPLAIN, BatchComplaint(number, round_, dealer, complaint).encode())
        for dealer, complaint in complaints.items()
    ]
