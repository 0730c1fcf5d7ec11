"""The ledger as everyone above the engine sees it: submit, wait, look up."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TypeVar

from keymoot.attest.block import Block
from keymoot.attest.commit import Commit, SignedHeader
from keymoot.attest.header import Header
from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import Height, Nonce, UnixNanos, UnixSeconds, seconds_of
from keymoot.contracts.context import BlockEnvironment
from keymoot.engine import archive
from keymoot.engine.application import Finalized
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import AHEAD_SECONDS, MAX_PER_SENDER, AlreadyKnown
from keymoot.runtime.admit import Inadmissible, quota_of, request_price
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.state import State

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in a final block.

    Attributes:
        index: Its place in the block.
        first_log: Logs of the block that come before its own.
        gas_before: Gas that the block used before it.
    """

    block: Block
    block_hash: Hash32
    index: int
    transaction: LedgerTransaction
    receipt: Receipt
    first_log: int
    gas_before: int


class NotIncluded(Refused):
    """The transaction could not enter its block; it cost nothing, and may be sent again."""

    def __init__(self, receipt: Receipt) -> None:
        """Repeat the receipt's words."""
        super().__init__(receipt.error)
        self.code = receipt.error_code  # type: ignore[misc]


class Ledger:
    """Reads the newest committed state, and lets transactions in."""

    def __init__(self, engine: LocalEngine, clock: Callable[[], UnixNanos]) -> None:
        """Speak for `engine`."""
        self.engine = engine
        self.genesis = engine.app.genesis
        self.network = self.genesis.network
        self._clock = clock
        self._waiters: dict[Hash32, list[asyncio.Future[Included]]] = {}
        self._final_waiters: dict[Hash32, list[asyncio.Future[None]]] = {}
        engine.on_settled(self._settle)
        engine.on_committed(self._committed)

    # -- state

    def state(self) -> State:
        """Give the newest committed state."""
        return self.engine.app.state(self.engine.snapshot)

    def block_environment(self) -> BlockEnvironment:
        """Give the newest committed block, as queries see it."""
        return self.engine.app.committed.block

    def height(self) -> Height:
        """Give the height of the newest committed block."""
        return self.engine.app.committed.height

    def now(self) -> UnixSeconds:
        """Give the later of ledger time and the node's clock."""
        return UnixSeconds(max(seconds_of(self._clock()), self.block_environment().time))

    def pending_nonce(self, address: Address) -> Nonce:
        """Give an account's next nonce, counting what waits."""
        self.engine.mempool.expire(self._seconds())
        committed = self.state().account(address).nonce
        return self.engine.mempool.next_nonce(address, committed)

    # -- transactions

    def open(self, raw: bytes) -> LedgerTransaction:
        """Read and authenticate a transaction.

        Raises:
            Malformed: not a transaction.
            WrongNetwork: signed for another ledger.
        """
        return self.engine.app.open(raw)

    async def submit(self, raw: bytes) -> Hash32:
        """Let a transaction wait for a block; give its hash.

        The same bytes again are no error, whether they wait or stand in a block.

        Raises:
            Malformed: not a transaction.
            Refused: it cannot enter a block; the message says why.
            CannotWrite: the disk takes nothing now; what enclaves say waits all the same.
        """
        app, mempool = self.engine.app, self.engine.mempool
        tx = self.open(raw)
        known = self.waiting(tx.hash) or archive.place_of(self.engine.snapshot, tx.hash)
        if known is not None:
            return tx.hash
        # What enclaves say is not said again: it waits, in memory.
        if self.engine.shortage is not None and tx.message is None:
            raise self.engine.shortage
        state, now = self.state(), self._seconds()
        committed = Nonce(0) if tx.ethereum is None else state.account(tx.sender).nonce
        app.check(state, tx, now, _acceptable_nonce(tx, committed))
        self._check_means(tx)
        try:
            mempool.add(tx, committed, now)
        except AlreadyKnown:
            return tx.hash
        self.engine.wake()
        return tx.hash

    async def wait(self, name: Hash32, timeout_seconds: float) -> Included | None:
        """Wait until a transaction is in a final block; None when time is up.

        Raises:
            NotIncluded: it could not enter its block after all.
        """
        found = self.transaction(name)
        if found is not None and found.block.header.height < self.provable_height():
            return found
        future: asyncio.Future[Included] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(name, []).append(future)
        try:
            with self.engine.company.hurry():
                self.engine.wake()
                async with asyncio.timeout(timeout_seconds):
                    return await future
        except TimeoutError:
            return None
        finally:
            _let_go(self._waiters, name, future)

    async def wait_proved(self, name: Hash32, timeout_seconds: float) -> None:
        """Wait until the header after a transaction's block proves it, or time is up.

        Unlike `wait` this hurries no block: whoever looks on makes others wait for nothing.
        """
        future: asyncio.Future[Included] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(name, []).append(future)
        try:
            with suppress(TimeoutError, NotIncluded):
                async with asyncio.timeout(timeout_seconds):
                    await future
        finally:
            _let_go(self._waiters, name, future)

    async def wait_final(self, name: Hash32, timeout_seconds: float) -> bool:
        """Wait until a transaction was executed in a final block; tell whether it was in time.

        Its effects are committed, and the next header will prove them.

        Raises:
            NotIncluded: it could not enter its block after all.
        """
        if archive.place_of(self.engine.snapshot, name) is not None:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._final_waiters.setdefault(name, []).append(future)
        try:
            async with asyncio.timeout(timeout_seconds):
                await future
        except TimeoutError:
            _let_go(self._final_waiters, name, future)
            return False
        return True

    def waiting(self, name: Hash32) -> LedgerTransaction | None:
        """Give a transaction that waits for a block, or for the disk to take it, or None."""
        self.engine.mempool.expire(self._seconds())
        return self.engine.mempool.get(name) or (self.engine.held or {}).get(name)

    def transaction(self, name: Hash32) -> Included | None:
        """Give a transaction that stands in a committed block, or None."""
        place = archive.place_of(self.engine.snapshot, name)
        if place is None:
            return None
        block = self.block(place[0])
        if block is None:
            return None
        return self.included(block, self.receipts(block), place[1])

    def included(self, block: Block, receipts: list[Receipt], index: int) -> Included:
        """Give one transaction of a block with its receipt."""
        return Included(
            block=block,
            block_hash=block.header.hash(),
            index=index,
            transaction=self.engine.app.open(block.transactions[index]),
            receipt=receipts[index],
            first_log=sum(len(one.logs) for one in receipts[:index]),
            gas_before=sum(one.gas_used for one in receipts[:index]),
        )

    # -- blocks

    def answering(self, height: Height) -> AbstractContextManager[None]:
        """Let the next block wait a little for company: a request that one has bound is answered."""
        return self.engine.company.answering(self.height() - height)

    def block(self, height: Height) -> Block | None:
        """Give a committed block by its height, or None."""
        return archive.block_at(self.engine.snapshot, height)

    def height_of(self, block_hash: Hash32) -> Height | None:
        """Give the height of a committed block by its hash, or None; 0 by the network's id."""
        if block_hash == Hash32(self.network):
            return Height(0)
        return archive.height_of(self.engine.snapshot, block_hash)

    def receipts(self, block: Block) -> list[Receipt]:
        """Give the receipts of a committed block."""
        return archive.receipts_at(
            self.engine.snapshot, block.header.height, len(block.transactions)
        )

    def signed_header(self, height: Height) -> SignedHeader | None:
        """Give a header with the commit that makes it final, or None."""
        block = self.block(height)
        commit = archive.commit_at(self.engine.snapshot, height)
        if block is None or commit is None:
            return None
        return SignedHeader(block.header, commit)

    def provable_height(self) -> Height:
        """Give the height of the newest header with a commit; it proves the state before it."""
        provable = self.engine.provable
        return Height(0) if provable is None else provable.signed.header.height

    async def new_block(self) -> Header:
        """Wait for the next final header."""
        future: asyncio.Future[Header] = asyncio.get_running_loop().create_future()
        self.engine.once_final(future)
        return await future

    def _seconds(self) -> UnixSeconds:
        return seconds_of(self._clock())

    def _check_means(self, tx: LedgerTransaction) -> None:
        """Refuse what its sender could not pay for beside all that waits already.

        Otherwise a poor account could fill blocks with transactions that pay nothing.
        """
        mempool, state = self.engine.mempool, self.state()
        if tx.ethereum is not None:
            waiting = mempool.cost_before(tx.sender, tx.ethereum.nonce)
            has = state.account(tx.sender).balance
            if waiting and has < waiting + tx.ethereum.max_cost:
                raise Inadmissible(
                    "INSUFFICIENT_FUNDS",
                    f"insufficient funds for gas * price + value: have {has} wei, transactions "
                    f"that wait take up to {waiting}, this one {tx.ethereum.max_cost}",
                )
        elif tx.request is not None:
            waiting = mempool.requests_of(tx.request.wallet)
            block = self.block_environment()
            if quota_of(state, tx.request.wallet) < (waiting + 1) * request_price(block):
                raise Inadmissible(
                    "QUOTA_EMPTY",
                    f"{waiting} requests of this wallet wait, and its quota pays for no more: "
                    "wait for their answers, or fund the wallet: `keymoot wallet fund`, or Wallets.fund",
                )

    def _committed(self, done: Finalized, _: Commit) -> None:
        if not self._final_waiters:
            return
        for receipt in done.receipts:
            for future in self._final_waiters.pop(receipt.transaction_hash, []):
                if future.done():
                    continue
                if receipt.gas_used:
                    future.set_result(None)
                else:
                    future.set_exception(NotIncluded(receipt))

    def _settle(self, blocks: list[Finalized]) -> None:
        for done in blocks:
            receipts = list(done.receipts)
            for index, receipt in enumerate(receipts):
                futures = self._waiters.get(receipt.transaction_hash, [])
                if not futures:
                    continue
                included = self.included(done.block, receipts, index)
                for future in futures:
                    if future.done():
                        continue
                    if receipt.gas_used:
                        future.set_result(included)
                    else:
                        future.set_exception(NotIncluded(receipt))


def _acceptable_nonce(tx: LedgerTransaction, committed: Nonce) -> Nonce | None:
    """Give the nonce against which `check` holds a transaction: its own, if it may wait.

    Raises:
        Inadmissible: it is further ahead of its turn than may wait.
    """
    if tx.ethereum is None:
        return None
    nonce = tx.ethereum.nonce
    if nonce >= committed + MAX_PER_SENDER:
        raise Inadmissible(
            "NONCE_TOO_HIGH",
            f"nonce too high: next nonce {committed}, tx nonce {nonce}; a nonce less than "
            f"{MAX_PER_SENDER} ahead waits for those before it, up to {AHEAD_SECONDS} s",
        )
    return max(nonce, committed)


def _let_go(
    waiters: dict[Hash32, list[asyncio.Future[W]]], name: Hash32, future: asyncio.Future[W]
) -> None:
    """Take one waiter away, and nobody else who waits for the same."""
    left = [one for one in waiters.pop(name, []) if one is not future]
    if left:
        waiters[name] = left
