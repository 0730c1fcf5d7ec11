"""How long to wait before something that failed is tried again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """A wait that doubles with each failure, up to a most.

    Attributes:
        first: Seconds before the first new try.
        most: Seconds before any.
        failures: How often it has failed in a row.
    """

    first: float
    most: float
    failures: int = 0

    def failed(self) -> "Backoff":
        return Backoff(self.first, self.most, self.failures + 1)

    def succeeded(self) -> "Backoff":
        return Backoff(self.first, self.most)

    @property
    def seconds(self) -> float:
        """How long to wait now; 0 after a success."""
        if not self.failures:
            return 0.0
        # 2**62 would do, too: what is over the most is cut.
        return min(self.most, self.first * 2.0 ** min(self.failures - 1, 62))
