"""One enclave's process, as the node sees it: what it can be asked, and how it ends.

The node knows no other way to an enclave. The real one is a process of this machine behind a
socket; whoever runs enclaves in its own process gives another, and the same node runs on it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.enclave.frames import Ballot, Place, Released, Want
from keymoot.enclave.messages import Identity
from keymoot.engine.reads import Views
from keymoot.runtime.asked import Asked, Found


class Process(Protocol):
    """A started and greeted enclave.

    Whatever it is asked raises `EnclaveRefused` with the enclave's own word where that says no,
    `EnclaveGone` where the process has ended, and `Malformed` where the answer is none.
    """

    @property
    def identity(self) -> Identity:
        """Who the enclave is, with the keys of this start."""
        ...

    @property
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, on the loop's clock; None: none.

        Queries do not count: they take as long as they may.
        """
        ...

    # -- beginning

    async def join(self, genesis: bytes, seat: int) -> None:
        """Let it join the network of a genesis, at the seat that it has or wants."""
        ...

    async def serve(self, views: Views) -> None:
        """Answer its reads of the ledger's state until the process ends; asked for once.

        A read that comes before that waits.

        Raises:
            Malformed: it asked for what is no state, or the disk has no node where one must be.
            BrokenStorage: the disk cannot be read.
        """
        ...

    async def begin(self, place: Place | None) -> None:
        """Let it begin at a certified block, once; None: at the genesis of a new network."""
        ...

    async def watch(self, place: Place, witness: dict[bytes, bytes]) -> bool:
        """Show the assembly at a certified block; tell whether it can begin now."""
        ...

    # -- blocks

    async def execute(self, block: bytes) -> Ballot:
        """Have the next block executed."""
        ...

    async def certify(
        self, height: Height, proof: bytes, want: Want, *, rests: bool = False
    ) -> Released:
        """Show the certificate of an executed block; give what leaves under it."""
        ...

    async def outcome(self, height: Height, want: Want) -> bytes:
        """Give what a certified block did, or the digest of that."""
        ...

    async def stored(self, height: Height) -> bool:
        """Say that a certified block is on disk; tell whether it has left, with nothing kept."""
        ...

    # -- questions

    async def answer(self, requests: Sequence[Hash32]) -> list[Answer]:
        """Have bound requests answered (again)."""
        ...

    async def query(self, asked: Asked) -> Found:
        """Have a call run without effect on its newest certified state."""
        ...

    async def endorse(self, order: bytes) -> bytes:
        """Have the terms of a recovery order signed: 64 bytes."""
        ...

    async def pulse(self) -> None:
        """Let it see that time has passed."""
        ...

    async def turn(self) -> None:
        """Have it vote for the end of the epoch."""
        ...

    async def admit(self, identity: Bytes32) -> None:
        """Have it invite another enclave to join with the next epoch."""
        ...

    async def part(self, seat: int) -> None:
        """Have it say that a member is to leave with the next epoch."""
        ...

    # -- what it says, and how it ends

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Give `hear` what the enclave wants to be posted, and has wanted so far."""
        ...

    def kill(self) -> None:
        """End the process at once, as a crash does; nothing where it has ended."""
        ...

    async def ended(self) -> int:
        """Wait until the process ends; give its exit status."""
        ...

    async def close(self) -> None:
        """End the enclave, and wait until it has."""
        ...


Launch = Callable[[int], Awaitable[Process]]
"""Starts and greets the enclave of a seat.

Raises `Refused` where it cannot start, `OSError` where this machine lacks what it takes.
"""
