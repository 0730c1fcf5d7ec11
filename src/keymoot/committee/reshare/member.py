"""One seat's part in the end of an epoch: its key, its dealings, its verdict, its new shares.

Nothing here needs a memory of the stage before: a seat that started anew in the middle goes
on from what is on the ledger, its sealed keys, and its shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.committee.keygen.record import RootComplaint, RootVerdict, digest_of
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import AttemptBody, Kind, NumberedBody
from keymoot.committee.reshare.epoch_keys import EpochKeys, Role
from keymoot.committee.reshare.record import Epoch, EpochStage, RootDealings
from keymoot.committee.reshare.round import Dealings, ReshareRound
from keymoot.committee.roots import ROOTS
from keymoot.committee.task import Message, SeatTask
from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1

Shares = dict[str, Share]

Made: TypeAlias = tuple[int, int, Hash32]
"""What names the shares of an epoch: its number, the attempt and the generation that made them."""


@dataclass(slots=True)
class ReshareParticipant:
    """One seat's mind for the end of epochs."""

    index: int
    keys: EpochKeys
    _held: dict[Made, Shares] = field(default_factory=dict)

    def shares_in(self, machine: CommitteeMachine) -> Shares:
        made = _made(machine)
        return {} if made is None else self._held.get(made, {})

    def prune(self, machine: CommitteeMachine) -> None:
        """Forget what no epoch needs any more, as a certified state has it."""
        epoch, kept = machine.epochs.current, machine.epochs.previous.page
        if epoch is None:
            return
        needed: set[tuple[int, int, Hash32 | None] | None] = {_made(machine)}
        if kept is not None and kept.origin is not None:
            needed.add((kept.epoch.number, kept.origin.attempt, kept.origin.generation))
        # What this generation has dealt, or an attempt that outlives it, may still come to live.
        needed.add((epoch.number + 1, epoch.attempt, epoch.generation))
        generation = machine.state.record.generation
        for made in list(self._held):
            number, _, dealt = made
            if made not in needed and (number <= epoch.number or dealt != generation):
                del self._held[made]

    def due(self, machine: CommitteeMachine, shares: Mapping[str, Share]) -> list[SeatTask]:
        epoch, member = machine.epochs.current, machine.state.has_seat(self.index)
        if epoch is None:
            return []
        generation = machine.state.record.generation
        name = f"epoch/{epoch.number}/{epoch.attempt}/{generation.hex()}/{epoch.stage.name}"
        late = self._late_task(machine, epoch, shares) if member else []
        return late + self._stage_tasks(machine, epoch, name, shares, member=member)

    def _late_task(
        self, machine: CommitteeMachine, epoch: Epoch, shares: Mapping[str, Share]
    ) -> list[SeatTask]:
        """Say after the switch that we hold the living shares: the one before is kept for us."""
        kept, origin = machine.epochs.previous.page, machine.epochs.origin
        if kept is None or origin is None or self.index in kept.holders or not shares:
            return []
        digest = digest_of(tuple(shares[kind.name].root for kind in ROOTS))
        body = AttemptBody(epoch.number, origin.attempt, digest).encode()
        generation = machine.state.record.generation.hex()
        name = f"epoch/{epoch.number}/{origin.attempt}/{generation}/late"
        return [SeatTask(name, lambda _: [(Kind.HELD, body)])]

    def _stage_tasks(
        self,
        machine: CommitteeMachine,
        epoch: Epoch,
        name: str,
        shares: Mapping[str, Share],
        *,
        member: bool,
    ) -> list[SeatTask]:
        generation = machine.state.record.generation
        if self.index in epoch.said:
            return []
        if epoch.stage is EpochStage.LIVING:
            return self._key_task(machine, name, epoch.number) if member else []
        round_ = machine.epochs.next_round()
        if epoch.stage is EpochStage.DEALING:
            if not member or not shares:
                return []
            mine = dict(shares)
            return [SeatTask(name, lambda rng: self._deal(round_, epoch, mine, rng))]
        if self.index not in round_.committee:
            return []
        given = machine.epochs.dealings(epoch.number + 1)
        if epoch.stage is EpochStage.VERDICTS:
            return [SeatTask(name, lambda rng: self._judge(round_, epoch, given, rng))]
        return [SeatTask(name, lambda _: self._hold(round_, epoch, generation, given))]

    def recovery(self, machine: CommitteeMachine) -> list[SeatTask]:
        """Compute the living shares anew from what is public and our key; the task is mute."""
        made = _made(machine)
        if made is None or made in self._held or not machine.state.has_seat(self.index):
            return []
        number, attempt, generation = made
        round_, given = machine.epochs.living_round(), machine.epochs.dealings(number)

        def recover(_: SeededRng) -> list[Message]:
            shares = self._compute(round_, given)
            if shares is not None:
                self._held[made] = shares
            return []

        return [SeatTask(f"epoch/{number}/{attempt}/{generation.hex()}/recover", recover)]

    def _key_task(self, machine: CommitteeMachine, name: str, number: int) -> list[SeatTask]:
        seat, (_, following) = machine.state.seat(self.index), self.keys.points
        # Keys that have to turn first would leave us with a posted one that is erased.
        rotation = self.keys.due(machine, self.index)
        if following == seat.next or (rotation is not None and rotation.living is not Role.LIVING):
            return []
        body = NumberedBody(number + 1, following).encode()
        return [SeatTask(f"{name}/key/{following.hex()}", lambda _: [(Kind.EPOCH_KEY, body)])]

    def _deal(
        self, round_: ReshareRound, epoch: Epoch, shares: Mapping[str, Share], rng: SeededRng
    ) -> list[Message]:
        made = tuple(
            reshare.deal(round_.recipients(place), shares[kind.name], rng.child(kind.name))
            for place, kind in enumerate(ROOTS)
        )
        return [(Kind.RESHARE, _said(epoch, RootDealings(made).encode()))]

    def _judge(
        self, round_: ReshareRound, epoch: Epoch, given: Dealings, rng: SeededRng
    ) -> list[Message]:
        secret = self._secret(round_)
        if secret is None:
            return []
        complaints: list[RootComplaint] = []
        for place, kind in enumerate(ROOTS):
            made = {dealer: dealings_[place] for dealer, dealings_ in given.items()}
            _, blamed = dealings.receive_all(
                round_.recipients(place), self.index, secret, made, rng.child(kind.name)
            )
            complaints += [RootComplaint(place, complaint) for complaint in blamed]
        return [(Kind.RESHARE_VERDICT, _said(epoch, RootVerdict(tuple(complaints)).encode()))]

    def _hold(
        self, round_: ReshareRound, epoch: Epoch, generation: Hash32, given: Dealings
    ) -> list[Message]:
        shares = self._compute(round_, given)
        if shares is None:
            return []
        self._held[epoch.number + 1, epoch.attempt, generation] = shares
        digest = digest_of(tuple(share.root for share in shares.values()))
        return [(Kind.HELD, _said(epoch, digest))]

    def _compute(self, round_: ReshareRound, given: Dealings) -> Shares | None:
        secret = self._secret(round_)
        if secret is None:
            return None
        shares = {}
        try:
            for place, kind in enumerate(ROOTS):
                to, chosen = round_.recipients(place), round_.chosen(place, given)
                received = {}
                for dealer, made in chosen.items():
                    points = dealings.decode_points(to.group, dealer, made.commitments)
                    received[dealer] = dealings.receive(
                        to, dealer, self.index, secret, made, points
                    )
                old = round_.roots[place]
                shares[kind.name] = reshare.finish(to, old, self.index, received, chosen)
        except (Cheated, TooFew):
            return None
        return shares

    def _secret(self, round_: ReshareRound) -> Secret | None:
        return self.keys.secret_of(SECP256K1.encode(round_.keys[self.index]))


def _made(machine: CommitteeMachine) -> Made | None:
    """Give what names the living shares; None while they are the key generation's."""
    epoch, origin = machine.epochs.current, machine.epochs.origin
    if epoch is None or origin is None:
        return None
    return epoch.number, origin.attempt, origin.generation


def _said(epoch: Epoch, content: bytes) -> bytes:
    return AttemptBody(epoch.number + 1, epoch.attempt, content).encode()
