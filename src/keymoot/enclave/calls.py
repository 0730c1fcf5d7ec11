"""What an enclave is asked: each question as a frame out, and its answer read.

How frames come there, and what ends, is the business of whoever runs the enclave.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, uint
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.enclave import frames, messages
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.frames import CertifiedPlace, ReleasedFrame
from keymoot.enclave.messages import AnswersFrame, ToldFrame
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote


class EnclaveCalls(ABC):
    """What a started and greeted enclave can be asked.

    Each question raises `EnclaveRefused` with the enclave's own word where that says no,
    `EnclaveGone` where the process has ended, and `Malformed` where the answer is none.
    """

    @abstractmethod
    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        """Give the answer to a question."""

    async def join(self, genesis: bytes, seat: int = 0) -> None:
        """Let it join at the seat that it has or wants; 0: the one that the genesis lists."""
        await self._ask(messages.JOIN, messages.JoinFrame(genesis, seat).item())

    async def begin(self, place: CertifiedPlace | None) -> None:
        """Let it begin at a certified block, once; None: at the genesis of a new network."""
        await self._ask(frames.BEGIN, frames.BeginFrame(place).item())

    async def watch(self, place: CertifiedPlace, witness: dict[bytes, bytes]) -> bool:
        """Show the committee at a newer certified block; tell whether it can begin now."""
        shown = frames.WatchFrame(place, witness)
        return ToldFrame.of_item(await self._ask(frames.WATCH, shown.item())).yes

    async def execute(self, block: bytes) -> Vote:
        return Vote.of_item(await self._ask(frames.EXECUTE, block))

    async def certify(
        self, height: Height, proof: bytes, want: Disclosure, *, rests: bool = False
    ) -> ReleasedFrame:
        """Show the certificate (48 bytes) or founding record of a block; give what leaves under it.

        With `rests`, what enough others answer is answered only when asked for.
        """
        shown = frames.CertifyFrame(height, proof, want, rests)
        return ReleasedFrame.of_item(await self._ask(frames.CERTIFY, shown.item()))

    async def outcome(self, height: Height, want: Disclosure) -> bytes:
        """Give what a certified block did, or the digest of that."""
        asked = frames.OutcomeFrame(height, want)
        return bytes_of(await self._ask(frames.OUTCOME, asked.item()), "outcome")

    async def answer(self, requests: Sequence[Hash32]) -> list[RequestAnswer]:
        asked = frames.RequestsFrame(tuple(requests))
        told = AnswersFrame.of_item(await self._ask(frames.ANSWER, asked.item()))
        return list(told.answers)

    async def query(self, asked: ExecutedQuery) -> QueryResult:
        """Have a call run without effect on its newest certified state."""
        return QueryResult.of_item(await self._ask(frames.QUERY, asked.item()))

    async def endorse(self, order: bytes) -> bytes:
        """Have the terms of a recovery order signed."""
        return bytes_of(await self._ask(messages.ENDORSE, order), "signature", 64)

    async def pulse(self) -> None:
        """Let it see that time has passed."""
        await self._ask(messages.PULSE, b"")

    async def turn(self) -> None:
        """Have it vote for the end of the epoch."""
        await self._ask(messages.TURN, b"")

    async def admit(self, identity: Bytes32) -> None:
        """Have it invite another enclave to join with the next epoch."""
        await self._ask(messages.ADMIT, identity)

    async def part(self, seat: int) -> None:
        """Have it say that a member is to leave with the next epoch."""
        await self._ask(messages.PART, bytes((seat,)))

    async def stored(self, height: Height) -> bool:
        """Send that a certified block is on our disk: only now may it erase what that lets go of.

        Gives whether it has no seat any more, and has erased what it had for it.
        """
        return ToldFrame.of_item(await self._ask(messages.STORED, uint(height))).yes
