"""When a phase of a protocol is at its end: all have spoken, or those who have not had their time.

Key generation, an epoch's end and batches of presignatures wait for the same thing: enough of
those whose word counts. What a phase waits in vain is measured in heights and in seconds of block
time, both, so that neither a flood of blocks nor a stopped clock cuts anybody off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from keymoot.base.units import Height, UnixSeconds


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a phase waits for silent seats: heights and seconds of block time, both."""

    blocks: int
    seconds: int


KEYGEN_PATIENCE = Patience(4, 20)
"""Of each phase of a key generation."""

EPOCH_PATIENCE = Patience(4, 10)
"""Of each stage of an epoch's end."""

BATCH_PATIENCE = Patience(4, 10)
"""Of a round of a batch, for those whose turn it is; then others deal."""

BATCH_LIFETIME = Patience(8, 30)
"""Of a round of a batch for anybody at all; then it is dropped."""


@dataclass(frozen=True, slots=True)
class Since:
    """The block that began a phase, and its time."""

    height: Height
    time: UnixSeconds

    def overdue(self, patience: Patience, height: Height, time: UnixSeconds) -> bool:
        return height - self.height >= patience.blocks and self.stale(patience, time)

    def stale(self, patience: Patience, time: UnixSeconds) -> bool:
        """Tell whether the phase has lasted long enough, if blocks have come meanwhile."""
        return time - self.time >= patience.seconds


class Move(Enum):
    """What a phase does after a block."""

    WAIT = auto()
    GO_ON = auto()
    GIVE_UP = auto()


def move(
    *,
    awaited: bool,
    overdue: bool,
    enough: Callable[[], bool],
    early: Callable[[], bool] | None = None,
) -> Move:
    """Say what a phase does now.

    Args:
        awaited: Somebody whose word counts is silent.
        overdue: The phase has had its time.
        enough: Asked at the end, when all have spoken or time is over.
        early: Asked before it: what was said is enough, whoever is silent.
    """
    if early is not None and early():
        return Move.GO_ON
    if awaited and not overdue:
        return Move.WAIT
    return Move.GO_ON if enough() else Move.GIVE_UP
