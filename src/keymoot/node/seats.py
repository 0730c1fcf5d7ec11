"""The enclaves of an embedded network: n processes, each fed by the ledger, each of its own.

A `SeatHolder` is one enclave as the node sees it: it is started, joins, is shown every final
block, votes, answers, and is started anew when its process ends. What it says goes to the
ledger; enclaves never speak to each other.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.commit import SignedHeader
from keymoot.attest.validators import Ed25519Key
from keymoot.base.errors import KeymootError, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.enclave.client import EnclaveClient, EnclaveGone
from keymoot.enclave.messages import Identity, follow_item
from keymoot.engine import archive
from keymoot.engine.local import LocalEngine
from keymoot.node.config import Config
from keymoot.node.health import Health
from keymoot.runtime.assembly import assembly_in, gather_pages
from keymoot.runtime.members import chain_of
from keymoot.store.state import State

RESTART_SECONDS = 0.2
"""Pause before an enclave that ended is started again."""

ANSWER_SECONDS = 2.0
"""How long others wait for an enclave that has been asked for shares."""

Fed = Callable[[int, Height, bytes], None]
"""Takes a seat's share of the beacon of a height; empty where it gave none."""

Take = Callable[[Secret], None]
"""Takes the network's state secret over from a seat that has it."""

log = structlog.get_logger("keymoot.seats")


class EnclaveSilent(Refused):
    """The enclave has not answered what it was asked."""

    code = "ENCLAVE_SILENT"

    def __init__(self, seat: int) -> None:
        """Name the seat."""
        super().__init__(f"the enclave of seat {seat} does not answer")


class SeatHolder:
    """One enclave at one seat; also a `ConsensusSigner`."""

    def __init__(self, index: int, config: Config, client: EnclaveClient) -> None:
        """Take over a started enclave."""
        self.index = index
        self.client = client
        self.public_key: Ed25519Key = client.public_key
        self.restarts = 0
        self._config = config
        self._genesis = b""
        self._engine: LocalEngine | None = None
        self._say: Callable[[bytes], None] = lambda _: None
        self._take: Take = lambda _: None
        self._fed: Fed = lambda *_: None
        self._next: Height | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._voting: asyncio.Future[Votes] | None = None
        self._owed: asyncio.Future[list[Answer]] | None = None
        self._pulsing = False
        self.alive = True
        """Whether its process runs and has joined."""
        self.health = Health(index)

    @classmethod
    async def start(cls, index: int, config: Config) -> "SeatHolder":
        """Start the enclave of a seat.

        Raises:
            EnclaveRefused: it cannot start.
        """
        return cls(index, config, await _start(index, config))

    @property
    def identity(self) -> Identity:
        """Who the enclave is, with the keys of its present start."""
        if self.client.identity is None:
            raise RuntimeError("the enclave was not greeted")
        return self.client.identity

    def attach(
        self, engine: LocalEngine, say: Callable[[bytes], None], fed: Fed, take: Take
    ) -> None:
        """Connect the enclave to the ledger: what it says goes to `say`.

        On a new network it follows from the first block on; else `sync` says from where.
        """
        self._engine, self._say, self._fed, self._take = engine, say, fed, take
        self.client.listen(say, take)
        self._next = None if engine.app.committed.height else Height(1)

    # -- what the engine asks

    async def sign(self, ballot: Ballot) -> Votes:
        """Propose and vote; one ballot at a time.

        Raises:
            EnclaveSilent: the vote before is still to come, so nobody waits for this one.
        """
        if self._voting is not None and not self._voting.done():
            raise EnclaveSilent(self.index)
        self._voting = asyncio.ensure_future(self.client.sign(ballot))
        self._voting.add_done_callback(_look_away)
        # Whoever has enough votes waits no longer; the enclave votes all the same.
        try:
            votes = await asyncio.shield(self._voting)
        except Refused as error:
            self.health.refused(error)
            raise
        return votes

    async def cosign(self, asked: Sequence[tuple[Hash32, bytes]]) -> list[Answer]:
        """Have bound requests answered; one question at a time.

        Raises:
            EnclaveSilent: no answer in time; it is asked no more until that one comes.
        """
        if self._owed is not None and not self._owed.done():
            raise EnclaveSilent(self.index)
        self._owed = asyncio.ensure_future(self.client.cosign(asked))
        self._owed.add_done_callback(_look_away)
        done, _ = await asyncio.wait({self._owed}, timeout=ANSWER_SECONDS)
        if not done:
            log.warning("enclave.silent", seat=self.index)
            raise EnclaveSilent(self.index)
        return self._owed.result()

    # -- following

    async def sync(self) -> None:
        """Show the pages that the newest final header proves, and every block since."""
        engine = self._engine
        provable = None if engine is None else engine.provable
        if engine is None or provable is None:
            raise Refused("no state can be proved yet")
        header = provable.signed.header
        network = engine.app.genesis.network
        witness = gather_pages(provable.table, Hash32(header.app_hash), network, engine.app.cache)
        state = State(provable.table, Hash32(header.app_hash), engine.app.cache)
        chain = chain_of(assembly_in(state, network))
        showing = asyncio.ensure_future(self.client.sync(provable.signed, witness, chain))
        # What was sent is read in order, so blocks may follow at once.
        await asyncio.sleep(0)
        self._next = Height(header.height)
        self._catch_up(engine)
        await showing

    def _catch_up(self, engine: LocalEngine) -> None:
        while self._next is not None and self._next <= engine.app.committed.height:
            height = self._next
            block = archive.block_at(engine.snapshot, height)
            commit = archive.commit_at(engine.snapshot, height)
            if block is None or commit is None:
                return
            receipts = archive.receipts_at(engine.snapshot, height, len(block.transactions))
            signed = SignedHeader(block.header, commit)
            self.show(height, follow_item(signed, block.transactions, receipts))

    def show(self, height: Height, block: bytes) -> None:
        """Show a final block (`follow_item`), if it is the next one."""
        # An enclave that has not begun is shown nothing; `sync` says from where.
        if self._next is None or height != self._next:
            return
        self._next = Height(height + 1)
        self._spawn(self._follow(height, block))

    async def _follow(self, height: Height, block: bytes) -> None:
        try:
            share = await self.client.follow(block)
        except EnclaveGone:
            return
        except Refused as error:
            # It stays behind, and does not vote, until it begins anew.
            if self._next is not None:
                self._next = None
                log.warning("enclave.stays_behind", seat=self.index, reason=str(error))
            return
        self._fed(self.index, height, share)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- life

    async def join(self, genesis: bytes) -> tuple[Secret | None, int]:
        """Join the network; give the state secret, if it is sealed, and its generation."""
        self._genesis = genesis
        return await self.client.join(genesis, self.index)

    async def watch(self) -> None:
        """Start the enclave again whenever its process ends."""
        while True:
            status = await self.client.ended()
            self._next = None
            self.alive = False
            self.health.ended(status)
            await asyncio.sleep(RESTART_SECONDS)
            try:
                await self._begin_anew()
                self.restarts += 1
                self.health.started()
            except (KeymootError, OSError) as error:
                # Strangers can use up what a process needs to start: for a time, not for good.
                self.health.starts_not(error)

    async def pulse(self) -> None:
        """Let the enclave see that time has passed, unless the last time is still to come."""
        self.health.look(self.client.asked_at if self.alive else None)
        if self._pulsing:
            return
        self._pulsing = True
        try:
            await self.client.pulse()
            self.health.well()
        except Refused as error:
            self.health.refused(error)
        finally:
            self._pulsing = False

    async def close(self) -> None:
        """End the enclave; it is shown nothing more."""
        self._next, self.alive = None, False
        for task in list(self._tasks):
            task.cancel()
        await self.client.close()

    async def _begin_anew(self) -> None:
        with suppress(ConnectionError, OSError):
            await self.client.close()
        self.client = await _start(self.index, self._config)
        self.client.listen(self._say, self._take)
        secret, _ = await self.client.join(self._genesis, self.index)
        if secret is not None:
            self._take(secret)
        self.alive = True
        await self.sync()


def _look_away(owed: asyncio.Future[Any]) -> None:
    """Take what came too late, so that nobody complains that it was never looked at."""
    if not owed.cancelled():
        owed.exception()


async def _start(index: int, config: Config) -> EnclaveClient:
    return await EnclaveClient.start(
        config.enclave_folder(index), config.data, config.fuse_of(index)
    )
