"""A node's own part between its operator and enclaves, over a real ledger in this process."""

import asyncio
import time
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from keymoot.enclave import messages
from keymoot.node.changes import Changes
from keymoot.node.config import Config
from keymoot.node.moot import Moot
from keymoot.node.wanted import Wanted
from tests.enclave.delegate import Delegate
from tests.enclave.parliament import Parliament


class Client:
    """An enclave of the parliament, as the node asks it about changes."""

    def __init__(self, delegate: Delegate) -> None:
        self.delegate = delegate
        self.asked: list[str] = []

    async def _ask(self, word: str, body: bytes) -> None:
        self.asked.append(word)
        self.delegate.ask(word, body)

    async def turn(self) -> None:
        await self._ask(messages.TURN, b"")

    async def admit(self, identity: bytes) -> None:
        await self._ask(messages.ADMIT, identity)

    async def part(self, seat: int) -> None:
        await self._ask(messages.PART, bytes((seat,)))


class Frozen(Client):
    """An enclave that reads nothing any more."""

    async def _ask(self, word: str, body: bytes) -> None:
        self.asked.append(word)
        await asyncio.sleep(1_000)


class Holder(SimpleNamespace):
    """A seat as the node holds it."""

    async def close(self) -> None:
        pass


def holder(one: Delegate) -> Holder:
    return Holder(index=one.seat, identity=one.identity, client=Client(one), alive=True)


def node_of(parliament: Parliament) -> Moot:
    """Give a node that runs the parliament's enclaves."""
    moot = Moot(Config(parliament.folder / "node", parliament.folder / "fuse"), [])
    moot._holders = {at: holder(one) for at, one in parliament.delegates.items()}  # type: ignore[misc]
    moot.ledger = parliament.ledger
    wanted = Wanted(parliament.folder / "changes.json")
    moot._changes = Changes(moot, parliament.ledger, wanted)
    return moot


def until_turned(parliament: Parliament, before: int) -> None:
    """Let time pass for the enclaves, as the node does, until the next epoch has begun."""
    for _ in range(40):
        if parliament.assembly.turning.epoch.number > before:
            return
        time.sleep(0.2)
        for one in list(parliament.delegates.values()):
            one.ask(messages.PULSE, b"")
        parliament.settle()
    raise AssertionError(parliament.assembly.turning.epoch)


def do(parliament: Parliament, work: Coroutine[Any, Any, Any]) -> Any:
    """Have the node do something, and the ledger take what its enclaves say."""
    done = asyncio.run(work)
    parliament.settle()
    return done
