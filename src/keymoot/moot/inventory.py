"""The list of all batches: what is being dealt, what is ready, what demand there was."""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.fields import list_of, uint, uint_of


@dataclass(frozen=True, slots=True)
class Inventory:
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

    next: int = 0
    open: tuple[int, ...] = ()
    ready: tuple[int, ...] = ()
    used_up: tuple[int, ...] = ()
    bound: int = 0
    late: tuple[int, ...] = ()
    cursor: int = 0

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.next),
                [uint(one) for one in self.open],
                [uint(one) for one in self.ready],
                [uint(one) for one in self.used_up],
                uint(self.bound),
                [uint(seat) for seat in self.late],
                uint(self.cursor),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Inventory":
        """Read the page.

        Raises:
            Malformed: not a stock.
        """
        fields = list_of(rlp.decode(raw), 7, "stock")
        number, opened, ready, used_up, bound, late, cursor = fields
        return Inventory(
            uint_of(number, "next", 8),
            _numbers(opened),
            _numbers(ready),
            _numbers(used_up),
            uint_of(bound, "bound", 8),
            _numbers(late),
            uint_of(cursor, "cursor", 2),
        )


def _numbers(item: rlp.Decoded) -> tuple[int, ...]:
    return tuple(uint_of(one, "number", 8) for one in list_of(item, None, "numbers"))
