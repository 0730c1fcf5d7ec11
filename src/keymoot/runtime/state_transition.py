"""How a block changes the state, and the header that this gives.

Pure: whoever executes the same block on the same tip gets the same bytes.
"""

from dataclasses import dataclass, replace

from keymoot.base.errors import BrokenStorage
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Gas, Height, UnixSeconds
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
from keymoot.runtime.block import (
    NO_MIX,
    Block,
    CannotExecute,
    Executed,
    NetworkConstants,
    Tip,
    check_block,
)
from keymoot.runtime.execute import Execution, execute
from keymoot.runtime.history import ancestor_hash, remember_parent
from keymoot.runtime.receipt import Receipt, bloom, consensus_receipts
from keymoot.runtime.transactions import LedgerTransaction, open_transaction
from keymoot.store.header import Header
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys, VersionKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.ordered import ordered_root
from keymoot.store.public import PublicStore
from keymoot.store.state import State


@dataclass(frozen=True, slots=True)
class StateTransition:
    """What executing a network's blocks takes beside state and block: the same for all of them.

    Attributes:
        contracts: By the height from which they are active.
        keys: The state's secret may come late: until the ledger says that it exists, nothing asks
            for it.
    """

    chain: NetworkConstants
    contracts: Registry
    keys: StateKeys

    def open(self, raw: bytes) -> LedgerTransaction:
        """Read and authenticate a transaction of the network."""
        return open_transaction(raw, self.chain.chain_id, self.chain.network)

    def execute(self, state: State, tip: Tip, block: Block) -> Executed:
        """Execute a block on the state after `tip`.

        What its transactions do is in their receipts and never raises.

        Raises:
            BadBlock: it does not follow `tip`, see `check_block`.
            BrokenState: the table is not what `tip` commits to.
            Defect: we are; or the ledger says that the state key exists, and it is not here.
        """
        transactions = check_block(tip, block, self.open)
        chain, root = self.chain, ordered_root(block.transactions)
        seed = seed_of(tip.hash, root, block.height, block.time)
        environment = BlockEnvironment(
            chain.network, chain.chain_id, block.height, block.time, seed, chain.base_fee
        )
        journal = Journal(state)
        # One version serves a whole block: the one that the state before it names.
        sealing = self.keys.at(state_version(_pages(journal)))
        mix = _mix(journal, chain.network, sealing, seed)
        wrap_former(_pages(journal, writable=True), sealing)
        remember_parent(journal, block.height, tip.hash)
        for address in self.contracts.starting_at(block.height):
            journal.set_code_hash(address, CODE_HASH)
        active = self.contracts.at(block.height)

        def ancestor(height: Height) -> Hash32 | None:
            return ancestor_hash(journal, height, block.height)

        within = Execution(journal, environment, active, sealing, ancestor)
        receipts = tuple(
            _execute(within, transaction, position)
            for position, transaction in enumerate(transactions)
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
