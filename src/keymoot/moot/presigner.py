"""One seat's part in presignatures: it deals, judges, acknowledges, and holds each until its use.

All secrets here are of this start only, and never written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.assembly import Assembly
from keymoot.moot.batch import BatchPage, PresignatureId, Stage
from keymoot.moot.body import FIRST, SECOND, write_complaint, write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.message import Kind
from keymoot.threshold import first_round, second_round
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstDealing, FirstPublic, FirstShare
from keymoot.threshold.presignature import Batch, Presignature
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
class Presigner:
    """One seat's mind for presignatures.

    Attributes:
        index: The seat.
        sealing: Secret half of this start's key that dealings are encrypted to.
    """

    index: int
    sealing: Secret
    _batches: dict[_Name, _OwnBatch] = field(default_factory=dict)
    _presignatures: dict[_Name, dict[int, Presignature]] = field(default_factory=dict)

    def due(
        self, assembly: Assembly, share: Share, height: Height, time: UnixSeconds
    ) -> list[Duty]:
        """Give what is to be done now.

        Args:
            assembly: As this seat has followed it.
            share: Its share of the ECDSA root, in the living epoch.
            height: Of the newest block.
            time: Of the newest block.
        """
        duties = []
        for number in assembly.stock.page.open + assembly.stock.page.ready:
            page = assembly.stock.batch(number)
            if page is not None and assembly.stock.has_part(page, self.index):
                duties += self._batch_duties(assembly, page, share, height, time)
        return duties

    def take(self, generation: Hash32, name: PresignatureId) -> Presignature | None:
        """Give a presignature and forget it: it serves once, in its own generation."""
        return self._presignatures.get((generation, name.batch), {}).pop(name.place, None)

    def wipe(self) -> None:
        """Forget all secrets."""
        self._batches.clear()
        self._presignatures.clear()

    def prune(self, assembly: Assembly) -> None:
        """Forget the secrets of batches and generations that are no more.

        What was bound was taken before.
        """
        generation, page = assembly.hall.head.generation, assembly.stock.page
        alive = {(generation, number) for number in (*page.open, *page.ready)}
        for name in [one for one in list(self._batches) if one not in alive]:
            self._batches.pop(name, None)
        for name in [one for one in list(self._presignatures) if one not in alive]:
            self._presignatures.pop(name, None)

    def _batch_duties(
        self,
        assembly: Assembly,
        page: BatchPage,
        share: Share,
        height: Height,
        time: UnixSeconds,
    ) -> list[Duty]:
        stock, number = assembly.stock, page.number
        own = (assembly.hall.head.generation, number)
        name = f"batch/{own[0].hex()}/{number}"
        dealers = stock.dealers(page)
        late = page.overdue(height, time)
        if page.stage is Stage.FIRST:
            if self.index in page.first or (self.index not in dealers and not late):
                return []
            setting = stock.setting(page)
            return [Duty(f"{name}/first", lambda dice: self._deal_first(setting, number, dice))]
        if page.stage is Stage.SECOND:
            turn = self.index in dealers
            setting, first = stock.setting(page), _dealings(assembly, page, FIRST)
            duties = [
                Duty(
                    f"{name}/received", lambda dice: self._take_first(setting, number, first, dice)
                )
            ]
            if self.index not in page.second and (turn or late):
                deal = partial(self._deal_second, own, share)
                duties.append(Duty(f"{name}/second", deal))
            return duties
        if self.index in page.holders:
            return []
        second, first = _dealings(assembly, page, SECOND), _dealings(assembly, page, FIRST)
        setting = stock.setting(page)
        return [
            Duty(f"{name}/received", lambda dice: self._take_first(setting, number, first, dice)),
            Duty(f"{name}/ack", lambda dice: self._take_second(own, second, dice)),
        ]

    def _deal_first(self, setting: Batch, number: int, dice: Dice) -> list[Message]:
        dealing = first_round.deal(setting, self.index, dice)
        return [(Kind.FIRST, write_numbered(number, rlp.encode(dealing.encode())))]

    def _take_first(
        self, setting: Batch, number: int, given: Mapping[int, bytes], dice: Dice
    ) -> list[Message]:
        dealings = {seat: FirstDealing.decode(rlp.decode(raw)) for seat, raw in given.items()}
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
                setting, self.index, key, dealings, public, dice.child("check")
            )
        except Malformed:
            found = first_round.blame(setting, self.index, key, dealings, dice)
            return _complaints(number, FIRST, {one.dealer: one for one in found})
        self._batches[setting.session.generation, number] = _OwnBatch(setting, public, shares)
        return []

    def _deal_second(self, name: _Name, share: Share, dice: Dice) -> list[Message]:
        own = self._batches.get(name)
        if own is None:
            return []
        dealing = second_round.deal(own.setting, share, own.public, own.shares, dice)
        return [(Kind.SECOND, write_numbered(name[1], rlp.encode(dealing.encode())))]

    def _take_second(self, name: _Name, given: Mapping[int, bytes], dice: Dice) -> list[Message]:
        number = name[1]
        own = self._batches.pop(name, None)
        if own is None:
            return []
        dealings = {seat: SecondDealing.decode(rlp.decode(raw)) for seat, raw in given.items()}
        key = self.sealing
        try:
            made = second_round.receive(
                own.setting,
                self.index,
                key,
                own.public,
                own.shares,
                dealings,
                dice.child("check"),
            )
        except Cheated as error:
            return _complaints(number, SECOND, {error.party: None})
        except Malformed:
            found = second_round.blame(own.setting, self.index, key, dealings, dice)
            return _complaints(number, SECOND, {one.dealer: one for one in found})
        self._presignatures[name] = dict(enumerate(made))
        return [(Kind.ACK, write_numbered(number))]


def _dealings(assembly: Assembly, page: BatchPage, round_: int) -> dict[int, bytes]:
    dealers = page.first if round_ == FIRST else page.second
    found = {}
    for seat in dealers:
        raw = assembly.stock.dealing(page.number, round_, seat)
        if raw is not None:
            found[seat] = raw
    return found


def _complaints(number: int, round_: int, found: Mapping[int, Complaint | None]) -> list[Message]:
    return [
        (Kind.COMPLAIN, write_complaint(number, round_, dealer, one))
        for dealer, one in found.items()
    ]
