"""The list of all batches: what is being dealt, what is ready, what demand there was."""

from dataclasses import dataclass

from keymoot.base.forms import U16, U64
from keymoot.base.record import Record


@dataclass(frozen=True, slots=True)
class Inventory(Record):
    """The list of batches.

    Attributes:
        next: Number of the next batch.
        open: Batches that are being dealt.
        ready: Batches in stock, the oldest first.
        used_up: Block times at which batches were used up lately.
        bound: Presignatures bound in all, in this generation.
        late: Seats that let others wait when it was last their turn to deal.
        cursor: The next presignature to bind, of the oldest batch in stock.
    """

    REMEMBERED = 64

    next: U64 = 0
    open: tuple[U64, ...] = ()
    ready: tuple[U64, ...] = ()
    used_up: tuple[U64, ...] = ()
    bound: U64 = 0
    late: tuple[U64, ...] = ()
    cursor: U16 = 0
