"""One block: what it may hold, and what executing it gives.

A block is a height, a time and transactions, in the order that was decided. Executing it gives a
header as Ethereum writes it, with the root of the state after the block: `state_transition`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.errors import Defect, Malformed, Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.record import Record
from keymoot.base.units import ChainId, Height, UnixSeconds, Wei
from keymoot.committee.machine import NO_GENERATION
from keymoot.runtime import gas
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_TIME
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.header import Header
from keymoot.store.state import StateChanges
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
