"""How many there are, how many may be broken, and how many it takes.

DESIGN section 2. For n parties, f = ⌊(n−1)/3⌋ may be Byzantine. Sharings that are never
multiplied have degree ⌊(n+f)/2⌋, so that any two sufficient sets have an honest party in
common; ECDSA multiplies two sharings, and 2·degree+1 honest dealers must exist, so its
degree is ⌊(n−f−1)/2⌋. Whoever holds degree+1 shares of a root holds the root.
"""

from dataclasses import dataclass

from keymoot.threshold.errors import BadCommittee

MAX_SIZE = 64
"""Largest committee; commitments, boxes and complaints are bounded by it."""

MIN_SIZE = 4
"""Smallest committee that tolerates one Byzantine party."""


@dataclass(frozen=True, slots=True)
class Committee:
    """A committee of `size` parties with indices 1..size."""

    size: int

    def __post_init__(self) -> None:
        """Refuse a size that tolerates nobody, or that is above the bound."""
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise BadCommittee(
                f"a committee has {MIN_SIZE} to {MAX_SIZE} members, so that at least one may "
                f"fail, got {self.size}"
            )

    @property
    def faults(self) -> int:
        """Count the parties that may be Byzantine: f."""
        return (self.size - 1) // 3

    @property
    def present(self) -> int:
        """Count the parties that are always there: n − f."""
        return self.size - self.faults

    @property
    def ecdsa_degree(self) -> int:
        """Give the degree of the ECDSA root and of presignatures."""
        return (self.size - self.faults - 1) // 2

    @property
    def degree(self) -> int:
        """Give the degree of the other roots."""
        return (self.size + self.faults) // 2

    @property
    def indices(self) -> range:
        """Give all indices, 1..n; 0 is where the secret is."""
        return range(1, self.size + 1)

    def check(self, index: int) -> int:
        """Take an index from outside.

        Raises:
            BadCommittee: nobody has it.
        """
        if index not in self.indices:
            raise BadCommittee(f"this committee has members 1 to {self.size}, none is {index}")
        return index
