"""One seat's part in the end of an epoch: its key, its dealings, its verdict, its new shares.

Nothing here needs a memory of the stage before: a seat that started anew in the middle goes
on from what is on the ledger, its sealed keys, and its shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.moot.assembly import Assembly
from keymoot.moot.body import write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch import Epoch, Origin, Stage
from keymoot.moot.epoch_keys import EpochKeys, Role
from keymoot.moot.keygen import digest_of, write_verdict
from keymoot.moot.message import Kind
from keymoot.moot.roots import ROOTS
from keymoot.moot.turn import Dealings, Turn, write_dealings, write_turn
from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1

Shares = dict[str, Share]

Made: TypeAlias = tuple[int, int, Hash32]
"""What names the shares of an epoch: its number, the attempt and the generation that made them."""


@dataclass(slots=True)
class Resharer:
    """One seat's mind for the end of epochs.

    Attributes:
        index: The seat.
        keys: Its sealing keys.
    """

    index: int
    keys: EpochKeys
    _held: dict[Made, Shares] = field(default_factory=dict)

    def shares_in(self, assembly: Assembly) -> Shares:
        """Give our shares of the epoch in which a state lives, if a resharing made them.

        They may not be known, or not yet.
        """
        made = _made(assembly)
        return {} if made is None else self._held.get(made, {})

    def prune(self, assembly: Assembly) -> None:
        """Forget what no epoch needs any more, as a certified state has it."""
        epoch, kept = assembly.turning.epoch, assembly.turning.before.page
        if epoch is None:
            return
        needed: set[tuple[int, int, Hash32 | None] | None] = {_made(assembly)}
        if kept is not None and kept.origin:
            origin = Origin.decode(kept.origin)
            needed.add((kept.epoch.number, origin.attempt, origin.generation))
        # What this generation has dealt, or an attempt that outlives it, may still come to live.
        needed.add((epoch.number + 1, epoch.attempt, epoch.generation))
        generation = assembly.hall.head.generation
        for made in list(self._held):
            number, _, dealt = made
            if made not in needed and (number <= epoch.number or dealt != generation):
                del self._held[made]

    def due(self, assembly: Assembly, shares: Mapping[str, Share]) -> list[Duty]:
        """Give what is to be done now, by a member or by who is about to be one."""
        epoch, member = assembly.turning.epoch, assembly.hall.has_seat(self.index)
        if epoch is None:
            return []
        generation = assembly.hall.head.generation
        name = f"epoch/{epoch.number}/{epoch.attempt}/{generation.hex()}/{epoch.stage.name}"
        late = self._late_duty(assembly, epoch, shares) if member else []
        return late + self._stage_duties(assembly, epoch, name, shares, member=member)

    def _late_duty(
        self, assembly: Assembly, epoch: Epoch, shares: Mapping[str, Share]
    ) -> list[Duty]:
        """Say after the switch that we hold the living shares: the one before is kept for us."""
        kept, origin = assembly.turning.before.page, assembly.turning.origin
        if kept is None or origin is None or self.index in kept.holders or not shares:
            return []
        digest = digest_of(tuple(shares[kind.name].root for kind in ROOTS))
        body = write_turn(epoch.number, origin.attempt, digest)
        generation = assembly.hall.head.generation.hex()
        name = f"epoch/{epoch.number}/{origin.attempt}/{generation}/late"
        return [Duty(name, lambda _: [(Kind.HELD, body)])]

    def _stage_duties(
        self,
        assembly: Assembly,
        epoch: Epoch,
        name: str,
        shares: Mapping[str, Share],
        *,
        member: bool,
    ) -> list[Duty]:
        generation = assembly.hall.head.generation
        if self.index in epoch.said:
            return []
        if epoch.stage is Stage.LIVING:
            return self._key_duty(assembly, name, epoch.number) if member else []
        turn = assembly.turning.turn()
        if epoch.stage is Stage.DEALING:
            if not member or not shares:
                return []
            mine = dict(shares)
            return [Duty(name, lambda dice: self._deal(turn, epoch, mine, dice))]
        if self.index not in turn.committee:
            return []
        given = assembly.turning.dealings(epoch.number + 1)
        if epoch.stage is Stage.VERDICTS:
            return [Duty(name, lambda dice: self._judge(turn, epoch, given, dice))]
        return [Duty(name, lambda _: self._hold(turn, epoch, generation, given))]

    def recovery(self, assembly: Assembly) -> list[Duty]:
        """Give the duty that computes the living shares anew; it is mute.

        They come from what is public and the epoch's key.
        """
        made = _made(assembly)
        if made is None or made in self._held or not assembly.hall.has_seat(self.index):
            return []
        number, attempt, generation = made
        turn, given = assembly.turning.living(), assembly.turning.dealings(number)

        def recover(_: Dice) -> list[Message]:
            found = self._compute(turn, given)
            if found is not None:
                self._held[made] = found
            return []

        return [Duty(f"epoch/{number}/{attempt}/{generation.hex()}/recover", recover)]

    def _key_duty(self, assembly: Assembly, name: str, number: int) -> list[Duty]:
        seat, (_, following) = assembly.hall.seat(self.index), self.keys.points
        # Keys that have to turn first would leave us with a posted one that is erased.
        turn = self.keys.due(assembly, self.index)
        if following == seat.next or (turn is not None and turn.living is not Role.LIVING):
            return []
        body = write_numbered(number + 1, following)
        return [Duty(f"{name}/key/{following.hex()}", lambda _: [(Kind.EPOCH_KEY, body)])]

    def _deal(
        self, turn: Turn, epoch: Epoch, shares: Mapping[str, Share], dice: Dice
    ) -> list[Message]:
        made = tuple(
            reshare.deal(turn.recipients(place), shares[kind.name], dice.child(kind.name))
            for place, kind in enumerate(ROOTS)
        )
        return [(Kind.RESHARE, _said(epoch, write_dealings(made)))]

    def _judge(self, turn: Turn, epoch: Epoch, given: Dealings, dice: Dice) -> list[Message]:
        secret = self._secret(turn)
        if secret is None:
            return []
        complaints: list[tuple[int, Complaint]] = []
        for place, kind in enumerate(ROOTS):
            made = {dealer: one[place] for dealer, one in given.items()}
            _, found = dealings.receive_all(
                turn.recipients(place), self.index, secret, made, dice.child(kind.name)
            )
            complaints += [(place, one) for one in found]
        return [(Kind.RESHARE_VERDICT, _said(epoch, write_verdict(complaints)))]

    def _hold(self, turn: Turn, epoch: Epoch, generation: Hash32, given: Dealings) -> list[Message]:
        found = self._compute(turn, given)
        if found is None:
            return []
        self._held[epoch.number + 1, epoch.attempt, generation] = found
        digest = digest_of(tuple(share.root for share in found.values()))
        return [(Kind.HELD, _said(epoch, digest))]

    def _compute(self, turn: Turn, given: Dealings) -> Shares | None:
        secret = self._secret(turn)
        if secret is None:
            return None
        found = {}
        try:
            for place, kind in enumerate(ROOTS):
                to, chosen = turn.recipients(place), turn.chosen(place, given)
                received = {}
                for dealer, made in chosen.items():
                    points = dealings.decode_points(to.group, dealer, made.commitments)
                    received[dealer] = dealings.receive(
                        to, dealer, self.index, secret, made, points
                    )
                old = turn.roots[place]
                found[kind.name] = reshare.finish(to, old, self.index, received, chosen)
        except (Cheated, TooFew):
            return None
        return found

    def _secret(self, turn: Turn) -> Secret | None:
        return self.keys.secret_of(SECP256K1.encode(turn.keys[self.index]))


def _made(assembly: Assembly) -> Made | None:
    """Give what names the living shares; None while they are the key generation's."""
    epoch, origin = assembly.turning.epoch, assembly.turning.origin
    if epoch is None or origin is None:
        return None
    return epoch.number, origin.attempt, origin.generation


def _said(epoch: Epoch, content: bytes) -> bytes:
    return write_turn(epoch.number + 1, epoch.attempt, content)
