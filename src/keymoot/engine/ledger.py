"""The ledger as everyone above the engine sees it: submit, wait, look up.

"Latest" is the newest certified block that is on disk. Whatever stands in a block is proved.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from keymoot.base.errors import Relayed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import Height, Nonce, UnixNanos, UnixSeconds, seconds_of
from keymoot.committee.founding_record import FoundingRecord
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.crypto.signed_query import SignedQuery
from keymoot.engine.chain_store import CertifiedBlock, CertifiedRun
from keymoot.engine.mempool import AHEAD_SECONDS, MAX_PER_SENDER, AlreadyKnown
from keymoot.engine.sequencer import Sequencer
from keymoot.engine.stored_block import Erased, StoredBlock
from keymoot.runtime.admit import quota_of, request_price
from keymoot.runtime.inadmissible import InsufficientFunds, NonceTooHigh, QuotaEmpty
from keymoot.runtime.leash import check_leash
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.header import Header
from keymoot.store.state import State


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in a certified block.

    Attributes:
        index: Its place in the block.
        transaction: Opened; or what is left of an old dealing.
        first_log: Logs of the block that come before its own.
        gas_before: Gas that the block used before it.
    """

    block: StoredBlock
    index: int
    transaction: LedgerTransaction | Erased
    receipt: Receipt
    first_log: int
    gas_before: int


class NotIncluded(Relayed):
    """The transaction could not enter its block; it cost nothing, and may be sent again."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.error_code, receipt.error)


class Ledger:
    def __init__(self, sequencer: Sequencer[Any], clock: Callable[[], UnixNanos]) -> None:
        self.sequencer = sequencer
        self.chain = sequencer.chain
        self.genesis = self.chain.genesis
        self.network = self.genesis.network
        self.first_root = self.chain.first_root
        self.contracts = built_in_registry()
        self._clock = clock
        self._waiters: dict[Hash32, list[asyncio.Future[Included]]] = {}
        self._block_waiters: list[asyncio.Future[Header]] = []
        sequencer.on_written(self._settle)

    # -- state

    def state(self) -> State:
        return self.chain.state()

    def state_at(self, height: Height) -> State:
        return self.chain.state_at(height)

    def oldest_state(self) -> Height:
        return self.chain.oldest_state

    def block_environment(self) -> BlockEnvironment:
        return self.environment_at(self.height())

    def environment_at(self, height: Height) -> BlockEnvironment:
        tip = self.chain.tip_at(height)
        genesis = self.genesis
        return BlockEnvironment(
            genesis.network, genesis.chain_id, tip.height, tip.time, tip.hash, genesis.base_fee
        )

    def query(self, query: Query, height: Height) -> bytes:
        """Call a contract on the state after a block, without effect and without keys.

        AsksSecrets: it asks for confidential state, which is for an enclave to open.
        """
        block = self.environment_at(height)
        return call(self.state_at(height), block, self.contracts, None, query)

    def check_signed(self, query: Query, height: Height) -> SignedQuery:
        """Give the signed query in a call's data, if it counts on the state after a block."""
        signed = SignedQuery.decode(query.data)
        signed.check_signature(self.network, self.genesis.chain_id, query.to)
        block, name = self.environment_at(height), self.chain.tip_at(height).hash
        check_leash(signed, self.state_at(height), block, name)
        return signed

    def height(self) -> Height:
        return self.chain.tip.height

    def now(self) -> UnixSeconds:
        """Give the later of ledger time and the node's clock."""
        return UnixSeconds(max(self._seconds(), self.chain.tip.time))

    def pending_nonce(self, address: Address) -> Nonce:
        """Give an account's next nonce, counting what waits."""
        mempool = self.sequencer.mempool
        mempool.expire(self._seconds())
        return mempool.next_nonce(address, self.state().account(address).nonce)

    # -- transactions

    def open(self, raw: bytes) -> LedgerTransaction:
        return self.sequencer.checks.open(raw)

    async def submit(self, raw: bytes) -> Hash32:
        """Let a transaction wait for a block; give its hash.

        The same bytes again are no error, whether they wait or stand in a block. CannotWrite: the
        disk takes nothing now; what enclaves say waits all the same.
        """
        sequencer = self.sequencer
        tx = self.open(raw)
        known = self.waiting(tx.hash) or self.chain.place_of(tx.hash)
        if known is not None:
            return tx.hash
        # What enclaves say is not said again: it waits, in memory.
        if sequencer.shortage is not None and tx.message is None:
            raise sequencer.shortage
        state, now = self.state(), self._seconds()
        committed = Nonce(0) if tx.ethereum is None else state.account(tx.sender).nonce
        nonce = _acceptable_nonce(tx, committed)
        sequencer.checks.check(state, self.block_environment(), tx, now, nonce)
        self._check_material(tx)
        try:
            sequencer.mempool.add(tx, committed, now)
        except AlreadyKnown:
            return tx.hash
        sequencer.wake()
        return tx.hash

    async def wait(self, name: Hash32, timeout_seconds: float) -> Included | None:
        """Wait until a transaction is in a certified block; None when time is up."""
        included = self.transaction(name)
        if included is not None:
            return included
        future: asyncio.Future[Included] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(name, []).append(future)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            left = [waiter for waiter in self._waiters.pop(name, []) if waiter is not future]
            if left:
                self._waiters[name] = left

    def waiting(self, name: Hash32) -> LedgerTransaction | None:
        """Give a transaction that waits for a block, its certificate, or the disk; or None."""
        self.sequencer.mempool.expire(self._seconds())
        return self.sequencer.mempool.get(name)

    def waiting_count(self) -> int:
        return len(self.sequencer.mempool)

    def transaction(self, name: Hash32) -> Included | None:
        place = self.chain.place_of(name)
        block = None if place is None else self.block(place[0])
        if place is None or block is None:
            return None
        return self.included(block, self.receipts(block), place[1])

    def included(self, block: StoredBlock, receipts: tuple[Receipt, ...], index: int) -> Included:
        raw = block.transactions[index]
        return Included(
            block=block,
            index=index,
            transaction=raw if isinstance(raw, Erased) else self.open(raw),
            receipt=receipts[index],
            first_log=sum(len(receipt.logs) for receipt in receipts[:index]),
            gas_before=sum(receipt.gas_used for receipt in receipts[:index]),
        )

    # -- blocks

    def answering(self, height: Height) -> AbstractContextManager[None]:
        """Let the next block wait a little for company.

        A request that one has bound is answered.
        """
        return self.sequencer.company.answering(self.height() - height)

    def block(self, height: Height) -> StoredBlock | None:
        """Give a certified block by its height, or None; there is none of height 0."""
        return self.chain.block(height)

    def header(self, height: Height) -> Header | None:
        return self.chain.header(height)

    def height_of(self, block_hash: Hash32) -> Height | None:
        """Give the height of a certified block by its hash, or None; 0 by the network's id."""
        return self.chain.height_of(block_hash)

    def receipts(self, block: StoredBlock) -> tuple[Receipt, ...]:
        return self.chain.receipts(block.height)

    def certified(self, height: Height) -> tuple[Header, bytes | None] | None:
        """Give the next header at or above a height that has a certificate, and that.

        It covers the block. None in the certificate's place: the founding record counts as the
        one of that block. None at all: there is no such block.
        """
        return self.chain.certified(height)

    def founding_record(self) -> FoundingRecord | None:
        """Give what all founders signed; None while the network is being founded."""
        return self.chain.record

    async def new_block(self) -> Header:
        future: asyncio.Future[Header] = asyncio.get_running_loop().create_future()
        self._block_waiters.append(future)
        try:
            return await future
        finally:
            self._block_waiters = [waiter for waiter in self._block_waiters if waiter is not future]

    def _seconds(self) -> UnixSeconds:
        return seconds_of(self._clock())

    def _check_material(self, tx: LedgerTransaction) -> None:
        """Refuse what its sender could not pay for beside all that waits already.

        Otherwise a poor account could fill blocks with transactions that pay nothing.
        """
        mempool, state = self.sequencer.mempool, self.state()
        if tx.ethereum is not None:
            waiting = mempool.cost_before(tx.sender, tx.ethereum.nonce)
            has = state.account(tx.sender).balance
            if waiting and has < waiting + tx.ethereum.max_cost:
                raise InsufficientFunds(
                    f"insufficient funds for gas * price + value: have {has} wei, transactions "
                    f"that wait take up to {waiting}, this one {tx.ethereum.max_cost}",
                )
        elif tx.request is not None:
            waiting = mempool.requests_of(tx.request.wallet)
            block = self.block_environment()
            if quota_of(state, tx.request.wallet) < (waiting + 1) * request_price(block):
                raise QuotaEmpty(
                    f"{waiting} requests of this wallet wait, and its quota pays for no more: "
                    "wait for their answers, or fund the wallet: `keymoot wallet fund`, or Wallets.fund",
                )

    def _settle(self, covered: CertifiedRun) -> None:
        for done in covered.blocks if self._waiters else ():
            self._settle_block(done)
        waiters, self._block_waiters = self._block_waiters, []
        for future in waiters:
            if not future.done():
                future.set_result(covered.newest)

    def _settle_block(self, done: CertifiedBlock) -> None:
        receipts = done.outcome.receipts
        for index, receipt in enumerate(receipts):
            for future in self._waiters.get(receipt.transaction_hash, []):
                if future.done():
                    continue
                if receipt.gas_used:
                    future.set_result(self.included(done.block, receipts, index))
                else:
                    future.set_exception(NotIncluded(receipt))


def _acceptable_nonce(tx: LedgerTransaction, committed: Nonce) -> Nonce | None:
    """Give the nonce against which `check` holds a transaction: its own, if it may wait."""
    if tx.ethereum is None:
        return None
    nonce = tx.ethereum.nonce
    if nonce >= committed + MAX_PER_SENDER:
        raise NonceTooHigh(
            f"nonce too high: next nonce {committed}, tx nonce {nonce}; a nonce less than "
            f"{MAX_PER_SENDER} ahead waits for those before it, up to {AHEAD_SECONDS} s",
        )
    return max(nonce, committed)
