"""One block: what it may hold, and what executing it gives.

A block is a height, a time and transactions, in the order that was decided. Executing it gives a
header as Ethereum writes it, with the root of the state after the block. Pure: whoever executes
the same block on the same tip gets the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from keymoot.base.errors import BrokenStorage, Defect, Malformed, Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.record import Record
from keymoot.base.units import ChainId, Gas, Height, UnixSeconds, Wei
from keymoot.committee.machine import NO_GENERATION
from keymoot.contracts.builtin.nodes import (
    Nodes,
    committee_on,
    has_state_key,
    state_version,
    wrap_former,
)
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.registry import CODE_HASH, Registry
from keymoot.crypto.keccak import keccak256
from keymoot.runtime import gas
from keymoot.runtime.execute import Execution, execute
from keymoot.runtime.history import ancestor_hash, remember_parent
from keymoot.runtime.receipt import Receipt, bloom, consensus_receipts
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_TIME
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.header import Header
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys, VersionKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.ordered import ordered_root
from keymoot.store.public import PublicStore
from keymoot.store.state import State, StateChanges
from keymoot.store.table import Batch

MAX_ENCODED_BYTES = MAX_BLOCK_BYTES + 8 * MAX_BLOCK_TRANSACTIONS + 64
"""Longest RLP of a block: its transactions, and a prefix for each."""

NO_MIX = Hash32(bytes(32))
"""What a header carries before the state's secret exists."""

Open = Callable[[bytes], LedgerTransaction]


class BadBlock(Refused, code="BAD_BLOCK"):
    """A block breaks a rule that everyone checks, or does not follow this one."""


class CannotExecute(Defect, code="CANNOT_EXECUTE"):
    """A block cannot be executed here, whatever its transactions are refused for."""

    def __init__(self, height: Height, position: int, name: Hash32) -> None:
        super().__init__(
            f"block {height} cannot be executed: transaction {name.hex0x}, number {position} in "
            "it, met a defect of ours. Nothing of the block counts. Start again with a version "
            "that can execute it, or on a machine with more memory"
        )
        self.height = height
        self.position = position
        self.name = name


@dataclass(frozen=True, slots=True)
class Block(Record):
    """What the engine decides; the time is in whole seconds."""

    MAX_BYTES = MAX_ENCODED_BYTES
    MAX_DEPTH = 2
    MAX_ITEMS = MAX_BLOCK_TRANSACTIONS + 3

    height: Height
    time: UnixSeconds
    transactions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Tip:
    """What a block builds on.

    Attributes:
        hash: Of the newest block; the network's id before the first.
        state_root: Root of the state after it.
        generation: In which that state lives.
    """

    height: Height
    hash: Hash32
    time: UnixSeconds
    state_root: Hash32
    generation: Hash32

    @staticmethod
    def of(header: Header) -> "Tip":
        return Tip(header.height, header.hash, header.time, header.state_root, header.generation)

    @staticmethod
    def of_genesis(network: NetworkId, time: UnixSeconds, state_root: Hash32) -> "Tip":
        return Tip(Height(0), Hash32(network), time, state_root, NO_GENERATION)


@dataclass(frozen=True, slots=True)
class NetworkConstants:
    """What never changes in a network."""

    network: NetworkId
    chain_id: ChainId
    base_fee: Wei


@dataclass(frozen=True, slots=True)
class Executed:
    """What executing a block gave; nothing of it counts until the block is certified.

    Attributes:
        changes: What the block wrote, by account and slot.
        writes: The same as entries of the state's table.
        faults: Transactions that were refused over a fault of ours, and what arose: for a log.
    """

    header: Header
    receipts: tuple[Receipt, ...]
    changes: StateChanges
    writes: Batch
    faults: tuple[tuple[Hash32, BaseException], ...] = ()

    @property
    def tip(self) -> Tip:
        return Tip.of(self.header)


def check_block(tip: Tip, block: Block, opening: Open) -> tuple[LedgerTransaction, ...]:
    """Give a block's transactions, opened; BadBlock unless it may follow `tip`."""
    raws = block.transactions
    # 1. It is the next one, and time does not go back.
    if block.height != tip.height + 1:
        raise BadBlock(f"block {block.height} cannot follow block {tip.height}")
    if block.time < tip.time:
        raise BadBlock(f"block {block.height} is dated {block.time}, its parent {tip.time}")
    if block.time > MAX_TIME:
        raise BadBlock(f"block {block.height} is dated {block.time}, at most {MAX_TIME} is a date")
    # 2. It keeps the bounds.
    size = sum(map(len, raws))
    if len(raws) > MAX_BLOCK_TRANSACTIONS or size > MAX_BLOCK_BYTES:
        raise BadBlock(
            f"block {block.height} has {len(raws)} transactions of {size} bytes, at most "
            f"{MAX_BLOCK_TRANSACTIONS} of {MAX_BLOCK_BYTES} fit"
        )
    if len(set(raws)) != len(raws):
        raise BadBlock(f"a transaction stands twice in block {block.height}")
    # 3. All of it are transactions of this network, within the gas of a block.
    try:
        opened = tuple(opening(raw) for raw in raws)
    except (Malformed, Refused) as error:
        raise BadBlock(f"block {block.height} holds something else: {error}") from error
    wanted = sum(map(gas_wanted, opened))
    if wanted > gas.BLOCK_LIMIT:
        raise BadBlock(f"block {block.height} wants {wanted} gas, at most {gas.BLOCK_LIMIT} fit")
    return opened


def gas_wanted(tx: LedgerTransaction) -> int:
    """Give the gas that a transaction takes up in a block's bound."""
    if tx.message is not None:
        return gas.of_message(tx.message)
    if tx.ethereum is None:
        return gas.REQUEST_LIMIT // gas.REQUESTS_SHARE
    return min(tx.ethereum.gas, gas.TRANSACTION_LIMIT)


def execute_block(
    state: State,
    tip: Tip,
    block: Block,
    chain: NetworkConstants,
    contracts: Registry,
    keys: StateKeys,
    opening: Open,
) -> Executed:
    """Execute a block on the state after `tip`.

    What its transactions do is in their receipts and never raises. The state's secret may come
    late into `keys`: until the ledger says that it exists, nothing asks for it.

    Raises:
        BadBlock: it does not follow `tip`, see `check_block`.
        BrokenState: the table is not what `tip` commits to.
        Defect: we are; or the ledger says that the state key exists, and it is not here.
    """
    transactions = check_block(tip, block, opening)
    root = ordered_root(block.transactions)
    seed = seed_of(tip.hash, root, block.height, block.time)
    environment = BlockEnvironment(
        chain.network, chain.chain_id, block.height, block.time, seed, chain.base_fee
    )
    journal = Journal(state)
    # One version serves a whole block: the one that the state before it names.
    sealing = keys.at(state_version(_pages(journal)))
    mix = _mix(journal, chain.network, sealing, seed)
    wrap_former(_pages(journal, writable=True), sealing)
    remember_parent(journal, block.height, tip.hash)
    for address in contracts.starting_at(block.height):
        journal.set_code_hash(address, CODE_HASH)
    active = contracts.at(block.height)

    def ancestor(height: Height) -> Hash32 | None:
        return ancestor_hash(journal, height, block.height)

    within = Execution(journal, environment, active, sealing, ancestor)
    receipts = tuple(
        _execute(within, transaction, position) for position, transaction in enumerate(transactions)
    )
    faults = tuple(
        (receipt.transaction_hash, receipt.fault)
        for receipt in receipts
        if receipt.fault is not None
    )
    receipts = tuple(
        replace(receipt, fault=None) if receipt.fault else receipt for receipt in receipts
    )
    generation = _generation(journal, chain.network)
    changes = journal.changes()
    state_root, writes = state.updated(changes)
    header = Header(
        parent_hash=tip.hash,
        state_root=state_root,
        transactions_root=root,
        receipts_root=ordered_root(consensus_receipts(block.transactions, receipts)),
        logs_bloom=bloom(tuple(log for receipt in receipts for log in receipt.logs)),
        height=block.height,
        gas_limit=Gas(gas.USED_LIMIT),
        gas_used=Gas(sum(receipt.gas_used for receipt in receipts)),
        time=block.time,
        generation=generation,
        mix_hash=mix,
        base_fee=chain.base_fee,
    )
    return Executed(header, receipts, changes, writes, faults)


def seed_of(parent: Hash32, transactions_root: Hash32, height: Height, time: UnixSeconds) -> Hash32:
    """Give what randomness, sealing nonces and the mix hash of a block are drawn from.

    It is known before the block is executed, and another one on every fork. Alone it tells
    nothing: all is drawn under the state's keys.
    """
    place = height.to_bytes(8, "big") + time.to_bytes(8, "big")
    return keccak256(b"keymoot/v1/seed" + parent + transactions_root + place)


def _execute(within: Execution, transaction: LedgerTransaction, position: int) -> Receipt:
    try:
        return execute(within, transaction, position)
    except BrokenStorage:
        raise
    except Exception as error:
        raise CannotExecute(within.block.height, position, transaction.hash) from error


def _mix(journal: Journal, network: NetworkId, keys: VersionKeys, seed: Hash32) -> Hash32:
    """Give the mix hash: a secret number as soon as the state before says that it exists."""
    if not has_state_key(_pages(journal), network):
        return NO_MIX
    return keys.mix(seed)


def _generation(journal: Journal, network: NetworkId) -> Hash32:
    state = committee_on(_pages(journal), network).state
    return state.record.generation if state.founded else NO_GENERATION


def _pages(journal: Journal, *, writable: bool = False) -> PublicStore:
    return PublicStore(journal, Nodes.ADDRESS, FreeMeter(), writable=writable)
