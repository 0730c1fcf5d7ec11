"""The replicas that a sequencer drives: what executes blocks, and what it gives for them.

On a node each is an enclave at the other end of a socket. Calls to one may overlap; they are
answered in order. Two kinds of error: `Refused` says not now, so the same is asked again;
`Fault` says that this replica is over, for whatever reason: it is let go of and named.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from keymoot.base.units import Height
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote

A_co = TypeVar("A_co", covariant=True)
"""What answers are; the engine only passes them on."""


@dataclass(frozen=True, slots=True)
class ReleasedOutcomes(Generic[A_co]):
    """What a replica gives under a certificate.

    Attributes:
        first: The lowest block that this certificate was the first to cover, there.
        outcomes: Of each block from there to the certificate's own: the outcome or its digest, as
            was asked; nothing where it did not fit, or is kept no more.
        answers: To the requests that the certificate's own block bound.
    """

    first: Height
    outcomes: tuple[bytes, ...]
    answers: tuple[A_co, ...]


class BlockExecutor(Protocol[A_co]):
    """One that executes every block; Refused says not now, Fault that it is over."""

    @property
    def seat(self) -> int: ...

    @property
    def begun(self) -> Height:
        """The certified block at which it began; 0 for the genesis."""
        ...

    async def execute(self, block: bytes) -> Vote:
        """Execute the next block; one that was executed again gives what can be given by now."""
        ...

    async def certify(
        self, height: Height, proof: bytes, telling: Disclosure, *, rests: bool
    ) -> ReleasedOutcomes[A_co]:
        """Show the certificate (48 bytes) or the founding record of a block that it has executed.

        With `rests` others answer what needs not everybody; it does when asked later.
        """
        ...

    async def outcome(self, height: Height, *, digest: bool) -> bytes:
        """Give the outcome of a block that is certified (or before the founding), or its digest."""
        ...
