"""A seat's sealing keys: root dealings of one epoch are encrypted to each.

The key of the epoch before stays until a certified state shows that all members hold the living
shares: a recovery may go back before that.
"""

from enum import Enum

from keymoot.base.secret import Secret
from keymoot.moot.assembly import Assembly
from keymoot.moot.signers import settled
from keymoot.threshold.secp256k1 import SECP256K1


class KeyTurn(Enum):
    """What a seat does with its sealed keys, once a certified state shows why."""

    FORWARD = "forward"
    """An epoch began: its key is the living one, and the one before is kept."""
    BACK = "back"
    """A recovery went back to the epoch before: the failed one's key goes."""
    SETTLED = "settled"
    """All members hold the living shares: the key of the epoch before goes."""
    GONE = "gone"
    """The seat has left, and nothing goes back to it: no key opens what was dealt to it."""


class EpochKeys:
    """A seat's sealing keys: of this epoch, of the next one, and maybe of the one before.

    Duties read them in a thread of their own, so all change in one step.
    """

    def __init__(self, living: Secret, following: Secret, previous: Secret | None = None) -> None:
        """Take the secret halves."""
        self.take(living, following, previous)

    def take(self, living: Secret, following: Secret, previous: Secret | None) -> None:
        """Go over to these keys: what the enclave has sealed."""
        kept = [living, following] if previous is None else [living, following, previous]
        self._pairs = tuple((_point(secret), secret) for secret in kept)

    @property
    def points(self) -> tuple[bytes, bytes]:
        """Public halves of this epoch's and the next one's, 33 bytes each."""
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
        """Secret half of the next epoch's."""
        return self._pairs[1][1]

    def secret_of(self, point: bytes) -> Secret | None:
        """Give the secret half of a point; None if it is nobody's of these."""
        return dict(self._pairs).get(point)

    def due(self, assembly: Assembly, index: int) -> KeyTurn | None:
        """Give how the keys of seat `index`, which is ours, turn in a certified state."""
        if not assembly.hall.has_seat(index):
            return None
        sealing = assembly.hall.seat(index).sealing
        living, following, *before = (point for point, _ in self._pairs)
        if sealing == following:
            return KeyTurn.FORWARD
        if sealing in before:
            return KeyTurn.BACK
        if before and sealing == living and settled(assembly):
            return KeyTurn.SETTLED
        return None


def _point(secret: Secret) -> bytes:
    return SECP256K1.encode(SECP256K1.base(secret))
