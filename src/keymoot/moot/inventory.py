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
    """

    next: int = 0
    open: tuple[int, ...] = ()
    ready: tuple[int, ...] = ()
    used_up: tuple[int, ...] = ()
    bound: int = 0

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.next),
                [uint(one) for one in self.open],
                [uint(one) for one in self.ready],
                [uint(one) for one in self.used_up],
                uint(self.bound),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Inventory":
        """Read the page.

        Raises:
            Malformed: not a stock.
        """
        number, opened, ready, used_up, bound = list_of(rlp.decode(raw), 5, "stock")
        return Inventory(
            uint_of(number, "next", 8),
            _numbers(opened),
            _numbers(ready),
            _numbers(used_up),
            uint_of(bound, "bound", 8),
        )


def _numbers(item: rlp.Decoded) -> tuple[int, ...]:
    return tuple(uint_of(one, "number", 8) for one in list_of(item, None, "numbers"))
