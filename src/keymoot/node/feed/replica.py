"""One start of an enclave, as the engine drives it.

What an enclave says no with is one of two things: that its disk or its memory takes nothing
now, so it is asked again; or anything else, and then this start is over. A new one begins at
a certified block, and does what this one could not.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from keymoot.base.errors import Fault, KeymootError, Malformed
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.replica import TailTooLong
from keymoot.engine.replicas import ReleasedOutcomes
from keymoot.node.feed.process import Process
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote

T = TypeVar("T")

_NOT_NOW = frozenset({CannotWrite.code, TailTooLong.code})


class StartOver(Fault, code="START_OVER"):
    """A start of an enclave has ended, or left the order of the engine."""

    def __init__(self, seat: int, why: str) -> None:
        super().__init__(f"the enclave of seat {seat} has to start anew: {why}")


class EnclaveReplica:
    """An enclave that has begun: a `Replica` of the engine."""

    def __init__(
        self,
        seat: int,
        begun: Height,
        process: Process,
        refused: Callable[[KeymootError], None],
    ) -> None:
        """Drive an enclave that has begun at a certified block; 0 for the genesis.

        What it says no with for now `refused` hears.
        """
        self.seat = seat
        self.begun = begun
        self._process = process
        self._refused = refused

    async def execute(self, block: bytes) -> Vote:
        return await self._done(self._process.execute(block))

    async def certify(
        self, height: Height, proof: bytes, telling: Disclosure, *, rests: bool
    ) -> ReleasedOutcomes[RequestAnswer]:
        said = await self._done(self._process.certify(height, proof, telling, rests=rests))
        return ReleasedOutcomes(said.first, said.outcomes, said.answers)

    async def outcome(self, height: Height, *, digest: bool) -> bytes:
        want = Disclosure.DIGESTS if digest else Disclosure.OUTCOMES
        return await self._done(self._process.outcome(height, want))

    async def _done(self, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except EnclaveRefused as error:
            if error.code in _NOT_NOW:
                self._refused(error)
                raise
            raise StartOver(self.seat, str(error)) from error
        except Malformed as error:
            raise StartOver(self.seat, f"it speaks nonsense: {error}") from error
        except KeymootError as error:
            raise StartOver(self.seat, str(error)) from error
