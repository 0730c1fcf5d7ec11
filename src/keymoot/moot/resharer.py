"""One seat's part in the end of an epoch: its key, its dealings, its verdict, its new shares.

Nothing here needs a memory of the stage before: a seat that started anew in the middle goes
on from what is on the ledger, its sealed keys, and its shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.moot.assembly import Assembly
from keymoot.moot.body import write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch import Epoch, Stage
from keymoot.moot.keygen import digest_of, write_verdict
from keymoot.moot.message import Kind
from keymoot.moot.papers import Papers
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


class EpochKeys:
    """A seat's sealing keys: of this epoch, and of the next one.

    Duties read them in a thread of their own, so both change in one step.
    """

    def __init__(self, living: Secret, following: Secret) -> None:
        """Take both secret halves."""
        self._pairs = ((_point(living), living), (_point(following), following))

    @property
    def points(self) -> tuple[bytes, bytes]:
        """Both public halves, 33 bytes each."""
        return self._pairs[0][0], self._pairs[1][0]

    @property
    def living(self) -> Secret:
        """Secret half of this epoch's; it opens the dealings that made the shares."""
        return self._pairs[0][1]

    @property
    def next(self) -> Secret:
        """Secret half of the next epoch's."""
        return self._pairs[1][1]

    def turn(self, fresh: Secret) -> None:
        """Go over to the next epoch's key; `fresh` follows it."""
        self._pairs = (self._pairs[1], (_point(fresh), fresh))

    def secret_of(self, point: bytes) -> Secret | None:
        """Give the secret half of a point; None if it is neither's."""
        return dict(self._pairs).get(point)


@dataclass(slots=True)
class Resharer:
    """One seat's mind for the end of epochs.

    Attributes:
        index: The seat.
        keys: Its sealing keys.
        papers: Its identity, which signs who keeps the keys next.
    """

    index: int
    keys: EpochKeys
    papers: Papers
    _held: dict[tuple[int, int, Hash32], Shares] = field(default_factory=dict)

    def enter(self, assembly: Assembly) -> Shares:
        """Give the shares of the epoch that has just begun, if they are known already."""
        epoch, origin = assembly.turning.epoch, assembly.turning.origin
        if epoch is None or origin is None:
            return {}
        for key in [one for one in list(self._held) if one[0] < epoch.number]:
            del self._held[key]
        return self._held.pop((epoch.number, origin.attempt, origin.generation), {})

    def due(self, assembly: Assembly, shares: Mapping[str, Share]) -> list[Duty]:
        """Give what is to be done now, by a member or by who is about to be one."""
        epoch, member = assembly.turning.epoch, assembly.hall.has_seat(self.index)
        if epoch is None:
            return []
        generation = assembly.hall.head.generation
        name = f"epoch/{epoch.number}/{epoch.attempt}/{generation.hex()}/{epoch.stage.name}"
        if self.index in epoch.said:
            return []
        if epoch.stage is Stage.LIVING:
            return self._key_duty(assembly, name, epoch.number) if member else []
        if epoch.stage is Stage.SUCCESSION:
            return self._sign_duty(assembly, name, epoch) if member else []
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

    def recovery(self, assembly: Assembly, shares: Mapping[str, Share]) -> list[Duty]:
        """Give the duty that computes the living shares anew; it is mute.

        They come from what is public and the epoch's key.
        """
        epoch, origin = assembly.turning.epoch, assembly.turning.origin
        if shares or epoch is None or origin is None or not assembly.hall.has_seat(self.index):
            return []
        generation = assembly.hall.head.generation.hex()
        turn, given = assembly.turning.living(), assembly.turning.dealings(epoch.number)
        key = (epoch.number, origin.attempt, origin.generation)

        def recover(_: Dice) -> list[Message]:
            found = self._compute(turn, given)
            if found is not None:
                self._held[key] = found
            return []

        return [Duty(f"epoch/{epoch.number}/{epoch.attempt}/{generation}/recover", recover)]

    def _sign_duty(self, assembly: Assembly, name: str, epoch: Epoch) -> list[Duty]:
        terms = assembly.turning.handover.terms(epoch)
        if terms is None or self.index in epoch.signatures:
            return []
        body = _said(epoch, self.papers.sign(terms.digest(assembly.network)))
        return [Duty(name, lambda _: [(Kind.SUCCESSION, body)])]

    def _key_duty(self, assembly: Assembly, name: str, number: int) -> list[Duty]:
        seat, (_, following) = assembly.hall.seat(self.index), self.keys.points
        if following in (seat.next, seat.sealing):
            return []
        body = write_numbered(number + 1, following)
        return [Duty(f"{name}/key", lambda _: [(Kind.EPOCH_KEY, body)])]

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


def _point(secret: Secret) -> bytes:
    return SECP256K1.encode(SECP256K1.base(secret))


def _said(epoch: Epoch, content: bytes) -> bytes:
    return write_turn(epoch.number + 1, epoch.attempt, content)
