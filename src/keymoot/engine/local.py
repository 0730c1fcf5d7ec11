"""The local engine: one replica, blocks on demand, CometBFT's bytes.

A block is written down and synced before anybody signs it, and after a crash the same
block is signed again. One LMDB write commits block H, its state, its receipts and the
proposal of H+1. A block with transactions is always followed by one more, for only
the next header carries what a block did: at once when somebody waits for the proof or more
has come, and else after `PROOF_PATIENCE_SECONDS`, so that the next request may carry it.
While requests of earlier blocks are being answered, the next block waits a little for company.
A block that is final and that the disk does not take is held in memory and tried again, for as
long as it takes: nothing goes on before, so readers see the block before it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from keymoot.attest.ballot import Ballot
from keymoot.attest.block import NO_EVIDENCE_HASH, Block, data_hash, results_hash
from keymoot.attest.commit import NO_COMMIT, Commit, CommitSig, Flag, SignedHeader
from keymoot.attest.header import BlockId, Header
from keymoot.attest.quorum import verify_commit
from keymoot.attest.wire import NO_TIME
from keymoot.base.errors import Defect, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixNanos, seconds_of
from keymoot.engine import archive
from keymoot.engine.application import Application, Committed, Finalized
from keymoot.engine.archive import Proposal
from keymoot.engine.company import Company
from keymoot.engine.lmdb_table import LmdbSnapshot, LmdbStore
from keymoot.engine.mempool import Mempool
from keymoot.engine.rules import APP_VERSION, CONSENSUS_HASH
from keymoot.engine.schedule import ValidatorSchedule
from keymoot.engine.signer import ConsensusSigner, gather_votes
from keymoot.runtime.rules import MAX_BLOCK_TRANSACTIONS
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.state import State
from keymoot.store.table import Batch, OverlayTable

Clock = Callable[[], UnixNanos]

WRITE_AGAIN_SECONDS = 1.0
"""Pause before what the disk did not take is tried again."""

PROOF_PATIENCE_SECONDS = 0.03
"""How long the proof of a block waits for company, when nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Provable:
    """A final header, and the table as of the state that its app hash commits to."""

    signed: SignedHeader
    table: LmdbSnapshot


class LocalEngine:
    """Drives one application on one machine; one asyncio task owns it."""

    def __init__(
        self,
        app: Application,
        store: LmdbStore,
        mempool: Mempool,
        signers: Sequence[ConsensusSigner],
        clock: Clock,
        idle_seconds: int | None = None,
    ) -> None:
        """Continue where `store` stands; `app` must stand there too.

        Args:
            app: The application.
            store: Its disk.
            mempool: What waits.
            signers: Who signs blocks.
            clock: The time, in nanoseconds.
            idle_seconds: How long after a block an empty one follows when nothing waits; None
                for never.
        """
        self.app = app
        self.mempool = mempool
        self.snapshot: LmdbSnapshot = store.snapshot()
        self.provable: Provable | None = None
        """The newest final header, with the state that it proves."""
        self._store = store
        self._signers = {bytes(signer.public_key): signer for signer in signers}
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._last_block_at = 0.0
        self._schedule = ValidatorSchedule(app, self.snapshot)
        self._commit = self._last_commit()
        self._proposal = archive.proposal_of(self.snapshot)
        self._wake = asyncio.Event()
        self.company = Company()
        """Who is being answered, and who waits for a proof."""
        self.held: dict[Hash32, LedgerTransaction] | None = None
        """What a final block decided that is not on disk yet: nobody sees its effects."""
        self._final_waiters: list[asyncio.Future[Header]] = []
        self._unproved: list[Finalized] = []
        self._settled: list[Callable[[list[Finalized]], None]] = []
        self._committed: list[Callable[[Finalized, Commit], None]] = []
        if app.committed.height:
            block = archive.block_at(self.snapshot, app.committed.height)
            if block is None:
                raise Defect("the newest block is missing from the archive")
            # The header proves the state before its block; only an empty block left it as it is.
            if block.header.app_hash == app.committed.root:
                signed = SignedHeader(block.header, self._commit)
                self.provable = Provable(signed, store.snapshot())

    def wake(self) -> None:
        """Say that something waits."""
        self._wake.set()

    def once_final(self, future: asyncio.Future[Header]) -> None:
        """Give `future` the next final header."""
        self._final_waiters.append(future)
        self.company.go()
        self.wake()

    @property
    def waits_for_votes(self) -> bool:
        """Whether a block is proposed and not yet final."""
        return self._proposal is not None and self.held is None

    @property
    def shortage(self) -> CannotWrite | None:
        """Why nothing can be written now: no transaction is taken; None where it can."""
        return self._store.shortage

    @property
    def owes_proof(self) -> bool:
        """Whether the newest state is in no final header yet."""
        committed = self.app.committed
        if not committed.height:
            return False
        return self.provable is None or self.provable.signed.header.app_hash != committed.root

    def on_settled(self, listener: Callable[[list[Finalized]], None]) -> None:
        """Call `listener` with blocks whose effects a final header proves."""
        self._settled.append(listener)

    def on_committed(self, listener: Callable[[Finalized, Commit], None]) -> None:
        """Call `listener` with every final block, once what it did is on disk."""
        self._committed.append(listener)

    async def run(self) -> None:
        """Make blocks until cancelled.

        Raises:
            Fault: the state on disk is broken.
            Defect: we are.
        """
        if self.app.committed.height == 0 and self._proposal is None:
            await self._begin()
        while True:
            while self._proposal is not None:
                await self.step()
                await asyncio.sleep(0)
            self._wake.clear()
            if not self._waiting():
                await self._rest()
            if not self._hurry:
                await self.company.gather()
            if self._waiting() or self.owes_proof or self._idle_left() == 0:
                await self._begin()

    async def _rest(self) -> None:
        """Wait until there is something to do; not long, where a proof or a block is due."""
        if not self.owes_proof:
            patience = self._idle_left()
        elif self._hurry:
            return
        else:
            patience = PROOF_PATIENCE_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._wake.wait()

    def _idle_left(self) -> float | None:
        """Give the seconds until an empty block is due; None where none ever is."""
        if self._idle_seconds is None:
            return None
        passed = asyncio.get_running_loop().time() - self._last_block_at
        return max(0.0, self._idle_seconds - passed)

    @property
    def _hurry(self) -> bool:
        """Whether somebody waits for a final block and what it proves."""
        return self.company.hurried or bool(self._final_waiters)

    async def step(self) -> None:
        """Sign, execute and commit the proposal at hand, and write down the next."""
        proposal = self._proposal
        if proposal is None:
            raise Defect("a step without a proposal")
        block = proposal.block
        # 1. The proposal is on disk; only now is it signed.
        block_id = block.block_id()
        commit = await self._collect(block, block_id, proposal.vote_time)
        # 2. What the block before did is proved now.
        self._prove(SignedHeader(block.header, commit))
        self._settle()
        self._announce(block.header)
        # 3. Execute; one write holds effects, block, commit, receipts and the next proposal.
        done = self.app.finalize(self.snapshot, block)
        hashes = [self.app.open(raw).hash for raw in block.transactions]
        outcome = results_hash(done.results)
        before = self.app.committed
        self.app.commit(outcome)
        batch: Batch = dict(done.batch)
        table = OverlayTable(self.snapshot, batch)
        self._clear(done, self.app.state(table))
        self._schedule.pass_on(block, table)
        archive.put_block(batch, done, commit, hashes)
        archive.put_committed(batch, self.app.committed)
        self._commit = commit
        self._proposal = self._next(done)
        archive.put_proposal(batch, self._proposal)
        await self._put(batch, block, before)
        self._renew()
        self._last_block_at = asyncio.get_running_loop().time()
        if done.receipts:
            self._unproved.append(done)
        for listener in self._committed:
            listener(done, commit)

    async def _put(self, batch: Batch, block: Block, before: Committed) -> None:
        """Write what a final block did; where the disk takes nothing, wait until it does."""
        try:
            self._store.write(batch)
        except CannotWrite:
            after, self.app.committed = self.app.committed, before
            opened = map(self.app.open, block.transactions)
            self.held = {transaction.hash: transaction for transaction in opened}
        else:
            return
        while True:
            await asyncio.sleep(WRITE_AGAIN_SECONDS)
            with suppress(CannotWrite):
                self._store.write(batch)
                break
        self.app.committed, self.held = after, None

    def close(self) -> None:
        """End the snapshots."""
        self.snapshot.close()
        if self.provable is not None:
            self.provable.table.close()

    async def _collect(self, block: Block, block_id: BlockId, time: UnixNanos) -> Commit:
        """Gather votes, in the validators' order, and check them as anybody would.

        Up to a third of the power may be silent: their places stay empty. Voters whose disk
        does not take their vote are waited for.
        """
        header = block.header
        ballot = Ballot(header.chain_id, header.height, 0, block_id, time)
        while True:
            try:
                cast = await gather_votes(self._schedule.next, self._signers, ballot)
                break
            except Refused as error:
                if error.code != CannotWrite.code:
                    raise
        places = [
            CommitSig(Flag.COMMIT, validator.address, time, votes.precommit)
            if votes is not None
            else CommitSig(Flag.ABSENT, b"", NO_TIME, b"")
            for validator, votes in zip(self._schedule.next.validators, cast, strict=True)
        ]
        commit = Commit(header.height, 0, block_id, tuple(places))
        verify_commit(SignedHeader(header, commit), self._schedule.next, header.chain_id)
        return commit

    def seat_signer(self, signer: ConsensusSigner) -> None:
        """Ask this signer too, when it is its turn."""
        self._signers[bytes(signer.public_key)] = signer

    def unseat_signer(self, signer: ConsensusSigner) -> None:
        """Ask this signer no more."""
        self._signers.pop(bytes(signer.public_key), None)

    def _next(self, done: Finalized) -> Proposal | None:
        """Make the next proposal at once where one is due: proof, or more work."""
        hurry = bool(done.receipts) and self._hurry
        if not hurry and (self.company.answered or not len(self.mempool)):
            return None
        waiting = self._waiting()
        return self._make(waiting) if hurry or waiting else None

    async def _begin(self) -> None:
        """Propose the next block; where the disk takes nothing, another one once it does."""
        while True:
            try:
                return self._propose()
            except CannotWrite:
                await asyncio.sleep(WRITE_AGAIN_SECONDS)

    def _propose(self) -> None:
        """Write down a proposal on its own.

        Raises:
            CannotWrite: the disk does not take it; nothing has changed.
        """
        proposal = self._make(self._waiting())
        batch: Batch = {}
        archive.put_proposal(batch, proposal)
        self._store.write(batch)
        self._renew()
        self._proposal = proposal

    def _make(self, waiting: list[bytes]) -> Proposal:
        committed, genesis = self.app.committed, self.app.genesis
        first = committed.height == 0
        time = genesis.time if first else voted_at(self._commit)
        now = max(self._clock(), UnixNanos(time + 1))
        chosen = tuple(self.app.prepare(waiting, time, UnixNanos(now)))
        header = Header(
            version_app=APP_VERSION,
            chain_id=genesis.chain_text,
            height=Height(committed.height + 1),
            time=time,
            last_block_id=self._commit.block_id,
            last_commit_hash=self._commit.hash(),
            data_hash=data_hash(chosen),
            validators_hash=self._schedule.next.hash(),
            next_validators_hash=self._schedule.following.hash(),
            consensus_hash=CONSENSUS_HASH,
            app_hash=committed.root,
            last_results_hash=committed.results_hash,
            evidence_hash=NO_EVIDENCE_HASH,
            proposer_address=self._schedule.next.validators[0].address,
        )
        block = Block(header, chosen, self._commit)
        self.app.process(block, UnixNanos(now))
        return Proposal(block, UnixNanos(now))

    def _waiting(self) -> list[bytes]:
        """Give what can go into a block now, after forgetting what never can."""
        self.mempool.forget_stale(seconds_of(self._clock()))
        return [tx.raw for tx in self.mempool.ready(MAX_BLOCK_TRANSACTIONS)]

    def _clear(self, done: Finalized, state: State) -> None:
        """Let the mempool forget what a block has decided."""
        now = seconds_of(self._clock())
        for receipt in done.receipts:
            self.mempool.remove(receipt.transaction_hash, now)
        senders = dict.fromkeys(receipt.sender for receipt in done.receipts)
        self.mempool.advance(senders, lambda sender: state.account(sender).nonce, now)

    def _settle(self) -> None:
        if self._unproved:
            proved, self._unproved = self._unproved, []
            for listener in self._settled:
                listener(proved)

    def _announce(self, header: Header) -> None:
        waiters, self._final_waiters = self._final_waiters, []
        for future in waiters:
            if not future.done():
                future.set_result(header)

    def _prove(self, signed: SignedHeader) -> None:
        """Keep the state that a new final header carries, for custody and proofs."""
        old, self.provable = self.provable, Provable(signed, self._store.snapshot())
        if old is not None:
            old.table.close()

    def _renew(self) -> None:
        old, self.snapshot = self.snapshot, self._store.snapshot()
        old.close()

    def _last_commit(self) -> Commit:
        height = self.app.committed.height
        if not height:
            return NO_COMMIT
        commit = archive.commit_at(self.snapshot, height)
        if commit is None:
            raise Defect("the newest commit is missing from the archive")
        return commit


def voted_at(commit: Commit) -> UnixNanos:
    """Give when a commit's votes were cast: the engine asks for all of them at one time."""
    return next(each.timestamp for each in commit.signatures if each.flag is Flag.COMMIT)
