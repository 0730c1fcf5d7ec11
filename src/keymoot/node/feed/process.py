"""One enclave's process, as the node sees it: what it can be asked, and how it ends.

The node knows no other way to an enclave. The real one is a process of this machine behind a
socket; whoever runs enclaves in its own process gives another, and the same node runs on it.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable

from keymoot.enclave.calls import EnclaveCalls
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.engine.reads import StateViews


class Process(EnclaveCalls):
    """A started and greeted enclave."""

    identity: EnclaveGreeting
    """Who the enclave is, with the keys of this start."""

    @property
    @abstractmethod
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, on the loop's clock; None: none.

        Queries do not count: they take as long as they may.
        """

    @abstractmethod
    async def serve(self, views: StateViews) -> None:
        """Answer its reads of the ledger's state until the process ends; asked for once.

        A read that comes before that waits.

        Raises:
            Malformed: it asked for what is no state, or the disk has no node where one must be.
            BrokenStorage: the disk cannot be read.
        """

    @abstractmethod
    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Give `hear` what the enclave wants to be posted, and has wanted so far."""

    @abstractmethod
    def kill(self) -> None:
        """End the process at once, as a crash does; nothing where it has ended."""

    @abstractmethod
    async def ended(self) -> int:
        """Wait until the process ends; give its exit status."""

    @abstractmethod
    async def close(self) -> None:
        """End the enclave, and wait until it has."""


Launch = Callable[[int], Awaitable[Process]]
"""Starts and greets the enclave of a seat.

Raises `Refused` where it cannot start, `OSError` where this machine lacks what it takes.
"""
