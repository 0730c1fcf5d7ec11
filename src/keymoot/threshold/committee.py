"""Who sits in a committee, how many may be broken, and how many it takes.

For n members, f = ⌊(n−1)/3⌋ may be Byzantine. Sharings that are never multiplied have degree
n−f−1: all who are always there suffice, and any two sufficient sets have n−2f parties in common.
One of these is honest, even if as many are broken as ECDSA's degree, which is f+1 where n is a
multiple of three. ECDSA multiplies two sharings, and 2·degree+1 honest dealers must exist, so its
degree is ⌊(n−f−1)/2⌋. Whoever holds degree+1 shares of a root holds the root.

A member's index is where the polynomials are evaluated for it. Members leave, and nobody
else's index moves: so there may be gaps, and all counts are of members, never of indices.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from keymoot.threshold.errors import BadCommittee

MAX_SIZE = 64
"""Largest committee, and highest index; commitments, boxes and complaints are bounded by it."""

MIN_SIZE = 4
"""Smallest committee that tolerates one Byzantine party."""


@dataclass(frozen=True, slots=True)
class Committee:
    """A committee of members with indices from 1 to 64, in rising order."""

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise BadCommittee(
                f"a committee has {MIN_SIZE} to {MAX_SIZE} members, so that at least one may "
                f"fail, got {self.size}"
            )
        if tuple(sorted(set(self.indices))) != self.indices:
            raise BadCommittee("the indices of a committee rise, and none comes twice")
        # 0 is where the secret is.
        if self.indices[0] < 1 or self.indices[-1] > MAX_SIZE:
            raise BadCommittee(f"a member has an index from 1 to {MAX_SIZE}")

    @classmethod
    def of(cls, size: int) -> Self:
        return cls(tuple(range(1, min(size, MAX_SIZE + 1) + 1)))

    @classmethod
    def among(cls, indices: Iterable[int]) -> Self:
        """The indices come in whatever order."""
        return cls(tuple(sorted(indices)))

    @property
    def size(self) -> int:
        return len(self.indices)

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
        return (self.size - self.faults - 1) // 2

    @property
    def random_dealers(self) -> int:
        """Count who deals a presignature's random numbers: one of them is honest."""
        return self.ecdsa_degree + 1

    @property
    def product_dealers(self) -> int:
        """Count who deals a presignature's products, which have twice the degree."""
        return 2 * self.ecdsa_degree + 1

    @property
    def degree(self) -> int:
        return self.present - 1

    def __contains__(self, index: object) -> bool:
        return index in self.indices

    def check(self, index: int) -> int:
        if index not in self.indices:
            members = ", ".join(str(member) for member in self.indices)
            raise BadCommittee(f"this committee has the members {members}, none is {index}")
        return index
