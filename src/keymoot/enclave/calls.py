"""What an enclave is asked: each question as a frame out, and its answer read.

How frames come there, and what ends, is the business of whoever runs the enclave.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, list_of, uint
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.enclave import frames, messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.frames import Ballot, Place, Released, Want
from keymoot.runtime.asked import Asked, Found


class EnclaveCalls(ABC):
    """The questions to one enclave."""

    @abstractmethod
    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        """Send a question; give its answer.

        Raises:
            EnclaveRefused: the enclave says no.
            EnclaveGone: its process has ended.
        """

    async def join(self, genesis: bytes, seat: int = 0) -> None:
        """Let it join the network of a genesis.

        Args:
            genesis: The genesis.
            seat: The seat that it has or wants; 0 for the one that the genesis lists.

        Raises:
            EnclaveRefused: it belongs to another network, or is not listed.
        """
        await self._ask(messages.JOIN, messages.join_item(genesis, seat))

    async def begin(self, place: Place | None) -> None:
        """Let it begin at a certified block, once; None: at the genesis of a new network.

        Raises:
            EnclaveRefused: it does not believe the block, or has no state secret: let it watch.
        """
        await self._ask(frames.BEGIN, frames.begin_item(place))

    async def watch(self, place: Place, witness: dict[bytes, bytes]) -> bool:
        """Show the assembly at a certified block; tell whether it can begin now.

        Args:
            place: The block; newer than those before.
            witness: What leads from its state root to the assembly's pages.

        Raises:
            EnclaveRefused: it does not believe the block or the pages.
        """
        (ready,) = list_of(
            await self._ask(frames.WATCH, frames.watch_item(place, witness)), 1, "watched"
        )
        return bool(bytes_of(ready, "ready"))

    async def execute(self, block: bytes) -> Ballot:
        """Have the next block executed.

        Raises:
            EnclaveRefused: not now, or this start is over.
        """
        return Ballot.decode(await self._ask(frames.EXECUTE, block))

    async def certify(
        self, height: Height, proof: bytes, want: Want, *, rests: bool = False
    ) -> Released:
        """Show the certificate of an executed block; give what leaves under it.

        Args:
            height: The block's.
            proof: 48 bytes, or the founding record.
            want: What is wanted of the blocks that it covers.
            rests: Whether what enough others answer is answered only when asked for.

        Raises:
            EnclaveRefused: it does not vouch for what was executed.
        """
        item = frames.certify_item(height, proof, want, rests=rests)
        return Released.decode(await self._ask(frames.CERTIFY, item))

    async def outcome(self, height: Height, want: Want) -> bytes:
        """Give what a certified block did, or the digest of that.

        Raises:
            EnclaveRefused: no certificate covers it, or it is not known any more.
        """
        item = frames.outcome_item(height, want)
        return bytes_of(await self._ask(frames.OUTCOME, item), "outcome")

    async def answer(self, requests: Sequence[Hash32]) -> list[Answer]:
        """Have bound requests answered (again)."""
        item = frames.requests_item(requests)
        return messages.read_answers(await self._ask(frames.ANSWER, item))

    async def query(self, asked: Asked) -> Found:
        """Have a call run without effect on its newest certified state.

        Raises:
            EnclaveRefused: it runs no query here, or not now, or not to its end.
        """
        return Found.decode(await self._ask(frames.QUERY, asked.encode()))

    async def endorse(self, order: bytes) -> bytes:
        """Have the terms of a recovery order signed.

        Raises:
            EnclaveRefused: they do not name this start, or build on no block that it knows.
        """
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
        """Say that a certified block is on our disk: only now may it erase what that lets go of.

        Gives whether it has no seat any more, and has erased what it had for it.
        """
        (left,) = list_of(await self._ask(messages.STORED, uint(height)), 1, "left")
        return bool(bytes_of(left, "left"))
