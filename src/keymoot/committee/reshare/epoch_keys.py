"""A seat's sealing keys: root dealings of one epoch are encrypted to each.

The key of the epoch to which a recovery may go back stays until a certified state shows that all
members hold the living shares.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from keymoot.base.secret import Secret
from keymoot.committee.machine import CommitteeMachine
from keymoot.threshold.secp256k1 import SECP256K1


class Role(IntEnum):
    """What a sealed key is for."""

    LIVING = 0
    """It opens the dealings that made the living shares."""
    NEXT = 1
    """It is posted for the next epoch."""
    PREVIOUS = 2
    """It opens the dealings of the epoch to which a recovery may go back."""


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """How a seat's sealed keys turn.

    Attributes:
        living: Which of them is the living epoch's now; None: none is, for the seat has left.
        previous: Which of them is the epoch's before; None if it is needed no more.
        recoveries: How many recoveries there were in the state that shows it.
    """

    living: Role | None
    previous: Role | None
    recoveries: int


GONE = KeyRotation(None, None, 0)
"""The seat has left, and nothing goes back to it: no key opens what was dealt to it."""


class EpochKeys:
    """A seat's sealing keys: of this epoch, of the next one, and maybe of the one before.

    Duties read them in a thread of their own, so all change in one step.
    """

    def __init__(
        self, living: Secret, following: Secret, previous: Secret | None = None, recoveries: int = 0
    ) -> None:
        self.take(living, following, previous, recoveries)

    def take(
        self, living: Secret, following: Secret, previous: Secret | None, recoveries: int
    ) -> None:
        kept = [living, following] if previous is None else [living, following, previous]
        self._pairs = tuple((_point(secret), secret) for secret in kept)
        self._recoveries = recoveries

    @property
    def points(self) -> tuple[bytes, bytes]:
        return self._pairs[0][0], self._pairs[1][0]

    @property
    def previous(self) -> Secret | None:
        """Secret half of the epoch's before; None once it is erased."""
        return self._pairs[2][1] if len(self._pairs) > 2 else None

    @property
    def living(self) -> Secret:
        """Secret half of this epoch's; it opens the dealings that made the shares."""
        return self._pairs[0][1]

    @property
    def next(self) -> Secret:
        return self._pairs[1][1]

    def secret_of(self, point: bytes) -> Secret | None:
        return dict(self._pairs).get(point)

    def due(self, machine: CommitteeMachine, index: int) -> KeyRotation | None:
        """Give how the keys of seat `index`, which is ours, turn in a certified state.

        A state older than our keys turns nothing: whoever shows it would have us erase keys
        that the newest one needs.
        """
        state = machine.state
        if not state.has_seat(index):
            return None
        # 1. The living key is the one that the seat has; back it goes by a recovery only.
        living = self._role(state.seat(index).sealing)
        if living is None:
            return None
        if living is Role.PREVIOUS and state.record.recoveries <= self._recoveries:
            return None
        # 2. The key before is the one that the kept seat has.
        before = machine.epochs.previous.seat(index)
        previous = None if before is None else self._role(before.sealing)
        if previous is living:
            previous = None
        held = None if self.previous is None else Role.PREVIOUS
        if (living, previous) == (Role.LIVING, held):
            return None
        return KeyRotation(living, previous, state.record.recoveries)

    def sparing(self, turn: KeyRotation) -> KeyRotation | None:
        """Give as much of a turn as erases no key; None: all of it has to wait.

        A key that waits to be the living one opens its dealings all the same.
        """
        if turn.living is Role.NEXT and self.previous is None:
            return replace(turn, previous=Role.LIVING)
        return None

    def _role(self, point: bytes) -> Role | None:
        points = [public for public, _ in self._pairs]
        return Role(points.index(point)) if point in points else None


def _point(secret: Secret) -> bytes:
    return SECP256K1.encode(SECP256K1.base(secret))
