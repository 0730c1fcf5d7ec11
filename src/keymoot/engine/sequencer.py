"""The local engine: decides blocks on demand, has replicas execute and certify them.

    mempool → block → every replica executes it → shares → certificate
            → outcome, from one, and the digest from f others → one synced write → listeners

Nobody hears of a block before it is certified and on disk. While it is being written, replicas
execute the next one, which is certified only after the write. What is decided and not yet on
disk lives in memory: nobody was told of it, so a crash loses nothing that was acknowledged.

With too few shares replicas are asked again, and blocks above carry nodes' messages only: of
new starts, and the recovery order that they may need. One certificate then covers all of them.
Where too many blocks wait, none but that order gets one.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Generic, TypeVar

from keymoot.base.fixed import Address, Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixNanos, UnixSeconds, seconds_of
from keymoot.committee.messages import Kind
from keymoot.engine.block_delay import BlockDelay
from keymoot.engine.certifier import Certification, Certifier
from keymoot.engine.certifiers import Certifiers
from keymoot.engine.chain_store import CertifiedRun, ChainStore
from keymoot.engine.checks import Checks
from keymoot.engine.feed import RETRY_SECONDS
from keymoot.engine.followers import Followers, Listener
from keymoot.engine.founders import Founders
from keymoot.engine.mempool import Mempool
from keymoot.engine.outcomes import Outcomes
from keymoot.engine.replicas import BlockExecutor
from keymoot.engine.tail import BlockTail, UncertifiedBlock
from keymoot.engine.writer import Writer
from keymoot.runtime.block import Block
from keymoot.runtime.rules import MAX_BLOCK_TRANSACTIONS
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.runtime.vote import Vote
from keymoot.store.state import State
from keymoot.store.table import Batch

A = TypeVar("A")
Clock = Callable[[], UnixNanos]
Beside = Callable[[CertifiedRun, Sequence[tuple[int, Sequence[A]]]], Batch]
"""Gives entries to write with blocks, for answers that have come to the last one, by seat."""

EXTEND_SECONDS = 1.0
"""How long a block waits for shares of replicas that hang before another is put above it."""

WHOLE_OUTCOMES = 8
"""A certificate that covers more blocks has their outcomes fetched one by one."""


class Sequencer(Generic[A]):
    """Decides blocks for the replicas of one machine; one asyncio task owns it."""

    def __init__(
        self,
        chain: ChainStore,
        mempool: Mempool,
        clock: Clock,
        idle_seconds: int | None = None,
    ) -> None:
        """Continue where the disk stands; replicas are seated by `seat`.

        An empty block follows `idle_seconds` after another when nothing waits; None for never.
        """
        self.chain, self.mempool = chain, mempool
        self.checks, self.company = Checks(chain.genesis), BlockDelay()
        self.tail = BlockTail(chain)
        self.followers: Followers[A] = Followers(self.tail)
        self._clock, self._idle_seconds = clock, idle_seconds
        self._decided_at = 0.0
        self._certifier = Certifier(chain, self.tail, self.followers)
        self._writer = Writer(chain, self.tail)
        self._wake = asyncio.Event()
        self._writer.listeners += [self._certifier.settle, self._clear]
        self._outcomes: Outcomes[A] = Outcomes(self.followers)
        self._founders = None if chain.record is not None else Founders(chain)
        self._applying: asyncio.Task[None] | None = None
        self._answers: list[tuple[int, Height, Sequence[A]]] = []
        self._on_answers: list[Listener[A]] = []
        self._beside: list[Beside[A]] = []
        self.followers.on_answers.append(self._answered)

    # -- what others say and hear

    def wake(self) -> None:
        self._wake.set()

    def on_written(self, listener: Callable[[CertifiedRun], None]) -> None:
        """Call `listener` with blocks that are certified and on disk, in their order."""
        self._writer.listeners.append(listener)

    def on_answers(self, listener: Listener[A]) -> None:
        """Call `listener` with seat, height and answers, once the block is on disk."""
        self._on_answers.append(listener)

    def write_beside(self, entries: Beside[A]) -> None:
        """Ask `entries`, before a block is written, what goes into the same write."""
        self._beside.append(entries)

    def on_lost(self, listener: Callable[[BlockExecutor[A], Exception], None]) -> None:
        """Call `listener` with a replica that is over, and why; it is fed no more."""
        self.followers.on_lost.append(listener)

    def on_blamed(self, listener: Callable[[int, Height, str], None]) -> None:
        """Call `listener` with seat, height and words for what a replica gave that is not good."""
        self.followers.on_blamed.append(listener)

    def seat(self, replica: BlockExecutor[A]) -> None:
        """Feed a replica, from the block at which it began; in the place of its seat's old one."""
        self.followers.seat(replica)

    def unseat(self, replica: BlockExecutor[A]) -> None:
        self.followers.unseat(replica)

    @property
    def shortage(self) -> CannotWrite | None:
        """Why nothing can be written now: no transaction is taken; None where it can."""
        return self.chain.store.shortage

    @property
    def founding(self) -> bool:
        return self._founders is not None

    @property
    def waits_for_shares(self) -> bool:
        return bool(self.tail.uncertified())

    def working_state(self) -> State:
        """Give the state after the newest block of a founding; the newest certified one later."""
        return self.chain.state() if self._founders is None else self._founders.state()

    # -- the work

    async def run(self) -> None:
        """Make blocks until cancelled."""
        async with asyncio.TaskGroup() as group:
            self.followers.start(group)
            while True:
                if await self._advance(group):
                    await self._decide()
                else:
                    await self._listen()

    async def _advance(self, group: asyncio.TaskGroup) -> bool:
        """Certify what can be; tell whether there may be another block now."""
        self.followers.heard.clear()
        if self._founders is not None:
            return await self._found(self._founders)
        if not self.tail.uncertified():
            return True
        # What is certified is on disk before more is: that state says who certifies.
        await self._applied()
        certified = self._certifier.find()
        if certified is not None:
            standing = self._certifier.standing
            self._show(certified, standing)
            self._applying = group.create_task(self._apply(certified, standing.faults))
        return not self.tail.uncertified() or self._may_extend()

    def _show(self, certification: Certification, standing: Certifiers) -> None:
        """Show a certificate to all; from now on blocks may follow it."""
        newest = certification.covered[-1]
        newest.certificate = certification.signature
        self.tail.certified = newest.height
        whole = len(certification.covered) <= WHOLE_OUTCOMES
        self.followers.expect(certification.covered, certification.name, standing, whole=whole)
        self.followers.wake()

    async def _apply(self, certification: Certification, faults: int) -> None:
        blocks = await self._outcomes.gather(certification.covered, certification.name, faults)
        await self._write(CertifiedRun(tuple(blocks), certification.signature))

    async def _write(self, covered: CertifiedRun) -> None:
        newest, beside = covered.newest.height, Batch()
        told = [(seat, said) for seat, height, said in self._answers if height == newest]
        for entries in self._beside:
            beside.update(entries(covered, told))
        await self._writer.write(covered, beside)
        self._pass_on()

    async def _applied(self) -> None:
        if self._applying is not None:
            await self._applying
            self._applying = None

    async def _found(self, founders: Founders) -> bool:
        """Go on with the founding; tell whether it wants another block."""
        waiting = self.tail.newest
        if waiting is None:
            return True
        faults = founders.committee.faults
        name, ballots = self._agreed(waiting, faults)
        if name is None:
            return False
        if founders.tip.height < waiting.height:
            founders.add(*await self._outcomes.gather([waiting], name, faults, asks=True))
        signatures = {seat: ballot.founding for seat, ballot in ballots.items() if ballot.founding}
        if not founders.due(signatures):
            return not self.tail.full
        record = founders.unsigned()
        for seat in founders.wrong(record, signatures):
            self.followers.blame(waiting, seat, "its signature under the founding record is bad")
            waiting.ballots[seat] = replace(waiting.ballots[seat], founding=b"")
            del signatures[seat]
        complete = founders.complete(record, signatures)
        if complete is None:
            return False
        # The record is shown from the disk: who has seen it never founds anew.
        await self._write(CertifiedRun(tuple(founders.done), b"", complete))
        self._founders = None
        self.followers.wake()
        return True

    def _agreed(
        self, waiting: UncertifiedBlock, faults: int
    ) -> tuple[Hash32 | None, dict[int, Vote]]:
        """Give the hash on which enough replicas agree, once all have executed the block."""
        feeds, by_hash = self.followers.feeds, waiting.by_hash()
        if not feeds or any(seat not in waiting.ballots for seat in feeds):
            return None, {}
        name, ballots = by_hash[0]
        return (name if len(ballots) >= self.followers.needed(faults) else None), ballots

    async def _listen(self) -> None:
        """Wait for what replicas give; ask again who gave nothing."""
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self.followers.heard.wait()
        except TimeoutError:
            self.followers.ask_again()

    def _may_extend(self) -> bool:
        """Tell whether a block without a certificate gets another one above it."""
        newest = self.tail.newest
        if newest is None or self.tail.over or not self._candidates():
            return False
        passed = asyncio.get_running_loop().time() - self._decided_at
        return passed >= EXTEND_SECONDS or all(
            seat in newest.ballots for seat in self.followers.feeds
        )

    async def _decide(self) -> None:
        """Put the next block above the others, once there is a reason."""
        if self.shortage is not None or self.company.answered:
            await self._applied()
        await self._rest()
        await self.company.gather()
        chosen = self.checks.choose(self._candidates())
        if not chosen and self._idle_left() != 0:
            return
        newest = self.tail.newest
        before = self.chain.tip.time if newest is None else newest.block.time
        time = UnixSeconds(max(self._now(), before))
        block = Block(Height(self.tail.top + 1), time, chosen)
        opened = tuple(self.checks.open(raw) for raw in chosen)
        self.tail.add(UncertifiedBlock(block, block.encode(), opened))
        self._decided_at = asyncio.get_running_loop().time()
        self.followers.wake()

    async def _rest(self) -> None:
        """Wait until something can go into a block, or an empty one is due."""
        while True:
            self._wake.clear()
            left = self._idle_left()
            if left == 0 or self._candidates():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()

    def _idle_left(self) -> float | None:
        """Give the seconds until an empty block is due; None where none ever is."""
        if self._idle_seconds is None:
            return None
        passed = asyncio.get_running_loop().time() - self._decided_at
        return max(0.0, self._idle_seconds - passed)

    def _candidates(self) -> list[LedgerTransaction]:
        """Give what can go into the next block, in order, after forgetting what never can."""
        self.mempool.forget_stale(self._now())
        decided, senders = self.tail.names(), self.tail.senders()
        if self._founders is not None or self.tail.uncertified():
            ready = [tx for tx in self.mempool.ready(len(self.mempool)) if self._enters(tx)]
        else:
            ready = self.mempool.ready(MAX_BLOCK_TRANSACTIONS + len(decided))
        return [
            tx
            for tx in ready
            if tx.hash not in decided and (tx.ethereum is None or tx.sender not in senders)
        ]

    def _enters(self, tx: LedgerTransaction) -> bool:
        """Tell whether a transaction goes above blocks that are not certified."""
        if tx.message is None:
            return False
        return tx.message.kind is Kind.RECOVER or not self.tail.full

    def _clear(self, covered: CertifiedRun) -> None:
        """Let the mempool forget what is on disk."""
        now, state = self._now(), self.chain.state()
        senders: dict[Address, None] = {}
        for done in covered.blocks:
            for receipt in done.outcome.receipts:
                self.mempool.remove(receipt.transaction_hash, now)
                senders[receipt.sender] = None
        self.mempool.advance(senders, lambda sender: state.account(sender).nonce, now)
        self.wake()

    def _now(self) -> UnixSeconds:
        return seconds_of(self._clock())

    def _answered(self, seat: int, height: Height, answers: Sequence[A]) -> None:
        self._answers.append((seat, height, answers))
        self._pass_on()

    def _pass_on(self) -> None:
        """Give out answers whose block is on disk."""
        waiting, self._answers = self._answers, []
        for transaction in waiting:
            if transaction[1] > self.chain.tip.height:
                self._answers.append(transaction)
                continue
            for listener in self._on_answers:
                listener(*transaction)
