"""One seat's part: what it has to say now, and the secrets that saying it needs.

`due` looks at the assembly and gives duties, each with everything it needs from the pages
taken along; running one costs milliseconds of arithmetic, needs no page any more, and
gives messages. So duties may run beside whoever follows the blocks.

Root shares come back after a restart, from the dealings on the ledger and the epoch's
sealed key. All else here is of this start only, and never written down.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.assembly import Assembly
from keymoot.moot.batch import BatchPage, PresignatureId, Stage
from keymoot.moot.body import FIRST, SECOND, write_complaint, write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch import Stage as EpochStage
from keymoot.moot.keygen import (
    Keygen,
    Openings,
    Phase,
    Setting,
    digest_of,
    write_openings,
    write_verdict,
)
from keymoot.moot.message import Kind
from keymoot.moot.resharer import EpochKeys, Resharer
from keymoot.moot.roots import ECDSA, ROOTS
from keymoot.moot.seat import Boot
from keymoot.threshold import dkg, first_round, second_round
from keymoot.threshold.dice import Dice
from keymoot.threshold.dkg import Opening
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.first_round import FirstDealing, FirstPublic, FirstShare
from keymoot.threshold.presignature import Batch, Presignature
from keymoot.threshold.root import Share
from keymoot.threshold.second_round import SecondDealing

_Name = tuple[Hash32, int]
"""A batch's name: its generation and number. Numbers begin anew in each generation."""


@dataclass(frozen=True, slots=True)
class BootSecrets:
    """The secret halves of a start's keys."""

    signing: Secret
    sealing: Secret
    public: Boot


@dataclass(slots=True)
class _OwnBatch:
    """What a seat has of a batch between its rounds."""

    setting: Batch
    public: list[FirstPublic]
    shares: list[FirstShare]


@dataclass(slots=True)
class Party:
    """One seat's mind.

    Attributes:
        index: Its seat.
        keys: Secret halves of the sealing keys that root dealings are encrypted to.
        boot: The keys of this start.
        shares: Shares of the roots, by name; empty until they are known.
    """

    index: int
    keys: EpochKeys
    boot: BootSecrets
    shares: dict[str, Share] = field(default_factory=dict)
    _epoch: int | None = None
    _resharer: Resharer = field(init=False)
    _done: set[str] = field(default_factory=set)
    _openings: dict[str, tuple[Opening, ...]] = field(default_factory=dict)
    _received: dict[str, list[dict[int, Secret]]] = field(default_factory=dict)
    _batches: dict[_Name, _OwnBatch] = field(default_factory=dict)
    _presignatures: dict[_Name, dict[int, Presignature]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin without shares."""
        self._resharer = Resharer(self.index, self.keys)

    def enter(self, assembly: Assembly) -> None:
        """Go over to the shares of the living epoch; call it after every block.

        All seats do so at the same block, so what they sign at one height fits together.
        """
        epoch = assembly.turning.epoch
        if epoch is None:
            return
        if self._epoch not in (None, epoch.number):
            self.shares = {}
        self._epoch = epoch.number
        if not self.shares:
            self.shares = self._resharer.enter(assembly)

    def due(self, assembly: Assembly, height: Height, time: UnixSeconds) -> list[Duty]:
        """Give what is to be done now and was not begun before."""
        if not assembly.hall.founded or not self.seated(assembly):
            return []
        self.enter(assembly)
        duties = self._keygen_duties(assembly)
        duties += self._resharer.due(assembly, self.shares)
        if ECDSA in self.shares:
            for number in assembly.stock.page.open + assembly.stock.page.ready:
                page = assembly.stock.batch(number)
                if page is not None and assembly.stock.has_part(page, self.index):
                    duties += self._batch_duties(assembly, page, height, time)
        fresh = [duty for duty in duties if duty.name not in self._done]
        self._done |= {duty.name for duty in fresh}
        generation = assembly.hall.head.generation
        return [replace(duty, generation=generation) for duty in fresh]

    def seated(self, assembly: Assembly) -> bool:
        """Tell whether the assembly knows this start; without it the seat is silent."""
        return assembly.hall.seat(self.index).boot == self.boot.public

    def waits(self, assembly: Assembly, now: UnixSeconds) -> bool:
        """Tell whether something has waited too long, so that ticks should move it on."""
        if not assembly.hall.founded:
            return False
        keygen = assembly.founding.keygen
        if keygen is not None and keygen.phase is not Phase.DONE:
            return keygen.stale(now)
        epoch = assembly.turning.epoch
        if epoch is not None:
            if epoch.stage is not EpochStage.LIVING and epoch.stale(now):
                return True
            if epoch.over(now, assembly.hall.head.epoch_seconds):
                return True
        pages = (assembly.stock.batch(number) for number in assembly.stock.page.open)
        return any(page is not None and page.stale(now) for page in pages)

    def take(self, generation: Hash32, name: PresignatureId) -> Presignature | None:
        """Give a presignature and forget it: it serves once, in its own generation."""
        return self._presignatures.get((generation, name.batch), {}).pop(name.place, None)

    def prune(self, assembly: Assembly) -> None:
        """Forget the secrets of batches and generations that are no more.

        What was bound was taken before.
        """
        if not assembly.hall.founded:
            return
        generation, page = assembly.hall.head.generation, assembly.stock.page
        alive = {(generation, number) for number in (*page.open, *page.ready)}
        for name in [one for one in list(self._batches) if one not in alive]:
            self._batches.pop(name, None)
        for name in [one for one in list(self._presignatures) if one not in alive]:
            self._presignatures.pop(name, None)

    # -- key generation

    def _keygen_duties(self, assembly: Assembly) -> list[Duty]:
        keygen = assembly.founding.keygen
        if keygen is None:
            return []
        setting = assembly.founding.setting()
        name = f"{setting.session.name}/{setting.session.generation.hex()}"
        if keygen.phase is Phase.DONE:
            if self.shares or assembly.turning.origin is not None:
                return []
            openings = assembly.founding.openings()
            return [Duty(f"{name}/shares", lambda dice: self._recover(setting, openings, dice))]
        if not keygen.speaks(self.index):
            return []
        duty, attempt = self._keygen_duty(assembly, keygen, setting, name), keygen.attempt

        def run(dice: Dice) -> list[Message]:
            return [(kind, write_numbered(attempt, body)) for kind, body in duty(dice)]

        return [Duty(f"{name}/{keygen.phase}", run)]

    def _keygen_duty(
        self, assembly: Assembly, keygen: Keygen, setting: Setting, name: str
    ) -> Callable[[Dice], list[Message]]:
        openings = assembly.founding.openings()
        if keygen.phase is Phase.HASHES:
            return lambda dice: self._promise(setting, name, dice)
        if keygen.phase is Phase.OPENINGS:
            return lambda _: self._open(name)
        if keygen.phase is Phase.VERDICTS:
            return lambda dice: self._judge(setting, name, openings, dice)
        return lambda _: self._vote(setting, name, openings)

    def _promise(self, setting: Setting, name: str, dice: Dice) -> list[Message]:
        made = [
            dkg.begin(setting.recipients(place), self.index, dice.child(kind.name))
            for place, kind in enumerate(ROOTS)
        ]
        self._openings[name] = tuple(opening for opening, _ in made)
        return [(Kind.KEYGEN_HASH, b"".join(promised for _, promised in made))]

    def _open(self, name: str) -> list[Message]:
        mine = self._openings.pop(name, None)
        return [] if mine is None else [(Kind.KEYGEN_OPEN, write_openings(mine))]

    def _judge(self, setting: Setting, name: str, openings: Openings, dice: Dice) -> list[Message]:
        complaints: list[tuple[int, Complaint]] = []
        received = []
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: one[place] for seat, one in openings.items()}
            shares, found = dkg.receive(
                to, self.index, self.keys.living, given, dice.child(kind.name)
            )
            received.append(shares)
            complaints += [(place, one) for one in found]
        self._received[name] = received
        return [(Kind.KEYGEN_VERDICT, write_verdict(complaints))]

    def _vote(self, setting: Setting, name: str, openings: Openings) -> list[Message]:
        received = self._received.pop(name, None)
        if received is None:
            return []
        found = self._finish(setting, openings, received)
        if found is None:
            return []
        digest = digest_of(tuple(share.root for share in found.values()))
        self.shares = found
        return [(Kind.KEYGEN_VOTE, digest)]

    def _recover(self, setting: Setting, openings: Openings, dice: Dice) -> list[Message]:
        """Compute the root shares anew from what is public and the epoch's key."""
        received = []
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: one[place] for seat, one in openings.items()}
            shares, _ = dkg.receive(to, self.index, self.keys.living, given, dice.child(kind.name))
            received.append(shares)
        self.shares = self._finish(setting, openings, received) or {}
        return []

    def _finish(
        self, setting: Setting, openings: Openings, received: list[dict[int, Secret]]
    ) -> dict[str, Share] | None:
        found = {}
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: one[place] for seat, one in openings.items()}
            shares = {seat: one for seat, one in received[place].items() if seat in given}
            try:
                made = dkg.finish(to, self.index, shares, given, setting.committee.present)
            except (Cheated, TooFew):
                return None
            found[kind.name] = made
        return found

    # -- presignatures

    def _batch_duties(
        self, assembly: Assembly, page: BatchPage, height: Height, time: UnixSeconds
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
            turn = self.index in dealers[: 2 * assembly.hall.committee.ecdsa_degree + 1]
            setting, first = stock.setting(page), _dealings(assembly, page, FIRST)
            duties = [
                Duty(
                    f"{name}/received", lambda dice: self._take_first(setting, number, first, dice)
                )
            ]
            if self.index not in page.second and (turn or late):
                duties.append(Duty(f"{name}/second", lambda dice: self._deal_second(own, dice)))
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
        key = self.boot.sealing
        try:
            shares = first_round.receive(
                setting, self.index, key, dealings, public, dice.child("check")
            )
        except Malformed:
            found = first_round.blame(setting, self.index, key, dealings, dice)
            return _complaints(number, FIRST, {one.dealer: one for one in found})
        self._batches[setting.session.generation, number] = _OwnBatch(setting, public, shares)
        return []

    def _deal_second(self, name: _Name, dice: Dice) -> list[Message]:
        own = self._batches.get(name)
        if own is None:
            return []
        dealing = second_round.deal(own.setting, self.shares[ECDSA], own.public, own.shares, dice)
        return [(Kind.SECOND, write_numbered(name[1], rlp.encode(dealing.encode())))]

    def _take_second(self, name: _Name, given: Mapping[int, bytes], dice: Dice) -> list[Message]:
        number = name[1]
        own = self._batches.pop(name, None)
        if own is None:
            return []
        dealings = {seat: SecondDealing.decode(rlp.decode(raw)) for seat, raw in given.items()}
        key = self.boot.sealing
        try:
            commitments = second_round.check(
                own.setting, own.public, dealings, dice.child("proofs"), mine=self.index
            )
            made = second_round.receive(
                own.setting,
                self.index,
                key,
                own.public,
                own.shares,
                dealings,
                commitments,
                dice.child("shares"),
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
