"""A ledger of executed blocks in memory, each with its table, and a host that serves or lies.

The blocks are executed by `runtime` alone, on plain tables: what an enclave makes of them over
its host's answers is compared with that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, UnixSeconds, Wei
from keymoot.contracts import ConfidentialCell, Context, Contract, PublicMap, call, uint64
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.registry import Deployment, Registry
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.remote import Host, Remote
from keymoot.enclave.replica import Replica
from keymoot.engine.reads import answer
from keymoot.runtime.block import Block, Executed, NetworkConstants, Tip
from keymoot.runtime.query import Query
from keymoot.runtime.query import call as run_query
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.questions import LENGTH_BYTES, Question, read_question
from keymoot.store.state import State, StateChanges
from keymoot.store.table import Batch, MemoryTable, Table
from keymoot.store.trie import EMPTY_ROOT
from tests.enclave.test_remote import framed
from tests.runtime.people import AGENT, OWNER, STRANGER, Scenario, calldata, payment

NETWORK = NetworkId(keccak256(b"blocks in memory"))
CHAIN = NetworkConstants(NETWORK, LEDGER_CHAIN_ID, Wei(1_000_000_000))
START = UnixSeconds(1_800_000_000)


class Notes(Contract):
    """Keeps a hidden count, and open texts of any length."""

    ADDRESS = Address(b"notes".ljust(20, b"\0"))

    count = ConfidentialCell("count", uint64)
    texts = PublicMap("text", uint64, bytes)

    @call
    def write(self, ctx: Context, index: uint64, text: bytes) -> uint64:
        count = (self.count.get(ctx.confidential_store()) or 0) + 1
        self.count.set(ctx.confidential_store(), count)
        self.texts.set(ctx.public_store(), index, text or None)
        return count


class OpenNodes(Nodes):
    """Lets anyone write the committee's pages."""

    @call
    def put(self, ctx: Context, name: bytes, content: bytes) -> None:
        self.pages.set(ctx.public_store(), name, content or None)


CONTRACTS = Registry(
    (
        *(one for one in BUILT_IN if one.kind is not Nodes),
        Deployment("Nodes", OpenNodes),
        Deployment("Notes", Notes),
    )
)


def transition_with(keys: StateKeys) -> StateTransition:
    return StateTransition(CHAIN, CONTRACTS, keys)


def state_keys() -> StateKeys:
    return StateKeys(Secret(bytes(32)), NETWORK)


@dataclass
class Blocks:
    """Blocks from a genesis on; `Scenario` takes it for a chain."""

    keys: StateKeys = field(default_factory=state_keys)

    def __post_init__(self) -> None:
        journal = Journal(State(MemoryTable(), EMPTY_ROOT))
        for one in (OWNER, AGENT, STRANGER):
            journal.set_balance(one.address, Wei(10**24))
        self.tables: dict[Height, MemoryTable] = {}
        self.tips: dict[Height, Tip] = {}
        self.blocks: dict[Height, Block] = {}
        self.done: dict[Height, Executed] = {}
        root, batch = State(MemoryTable(), EMPTY_ROOT).updated(journal.changes())
        self.begin(MemoryTable(), root, batch)

    def begin(self, table: MemoryTable, root: Hash32, batch: Batch) -> None:
        table.apply(batch)
        self.tables[Height(0)] = table
        self.tips[Height(0)] = Tip.of_genesis(NETWORK, START, root)

    def alter(self, changes: StateChanges) -> None:
        """Put more into the genesis."""
        self.begin(self.tables[Height(0)], *self.state(Height(0)).updated(changes))

    @property
    def height(self) -> Height:
        return max(self.tips)

    @property
    def block(self) -> BlockEnvironment:
        tip = self.tips[self.height]
        return BlockEnvironment(
            NETWORK, LEDGER_CHAIN_ID, tip.height, tip.time, tip.hash, CHAIN.base_fee
        )

    def state(self, height: Height | None = None) -> State:
        at = self.height if height is None else height
        return State(self.tables[at], self.tips[at].state_root)

    def send(self, raw: bytes) -> Receipt:
        return self.send_together([raw])[0]

    def send_together(self, raws: list[bytes]) -> tuple[Receipt, ...]:
        tip = self.tips[self.height]
        block = Block(Height(tip.height + 1), UnixSeconds(tip.time + 1), tuple(raws))
        done = transition_with(self.keys).execute(self.state(), tip, block)
        table = MemoryTable(dict(self.tables[tip.height].items()))
        table.apply(done.writes)
        self.tables[block.height], self.tips[block.height] = table, done.tip
        self.blocks[block.height], self.done[block.height] = block, done
        return done.receipts

    def ask(self, to: Address, data: bytes, claimed: Address | None = None) -> bytes:
        query = Query(to, data, claimed=claimed)
        return run_query(self.state(), self.block, CONTRACTS, self.keys, query)

    def replica(self, host: Host, at: Height = Height(0)) -> Replica:
        """Give a replica that begins at a block."""
        return Replica(self.tips[at], CHAIN, state_keys(), host, CONTRACTS)


Lie = Callable[[Question, list[bytes]], bytes]
"""Gives the frame for a question, whose honest answer it is handed."""


def honest(_: Question, entries: list[bytes]) -> bytes:
    return framed(entries)


class Socket:
    """A channel whose other end answers at once; `lies` says which questions get which lie."""

    def __init__(self, blocks: Blocks, lies: dict[int, Lie] | None = None) -> None:
        self.blocks, self.lies = blocks, lies or {}
        self.asked: list[Question] = []
        self.disk = blocks.height
        self._waiting = b""

    def newest(self) -> Height:
        return self.disk

    def view(self, height: Height) -> Table:
        if height not in self.blocks.tables or height > self.disk:
            raise Refused("not on this disk")
        return self.blocks.tables[height]

    def sendall(self, raw: bytes) -> None:
        question = read_question(raw[LENGTH_BYTES:])
        lie = self.lies.get(len(self.asked), honest)
        self.asked.append(question)
        self._waiting += lie(question, answer(self, question))

    def recv(self, size: int) -> bytes:
        part, self._waiting = self._waiting[:size], self._waiting[size:]
        return part

    def remote(self) -> Remote:
        return Remote(self)


def busy(count: int = 12) -> Blocks:
    """Give blocks of all kinds: wallets, requests, hidden values, long texts that come and go."""
    blocks = Blocks()
    scenario = Scenario(blocks).ready()
    while blocks.height < count:
        at = blocks.height
        text = b"" if at % 4 == 3 else bytes((at,)) * (200 * (at % 3) + 5)
        note = scenario.raw(STRANGER, Notes.ADDRESS, calldata(Notes, "write", at // 2 % 3, text))
        wish, _ = scenario.request(payment(at).unsigned_bytes(), name=bytes((at,)) * 32)
        pay = scenario.raw(OWNER, Address(keccak256(bytes((at,)))[:20]), b"", value=7)
        bad = scenario.raw(AGENT, Notes.ADDRESS, b"none")
        blocks.send_together([note, wish, pay, bad][: 1 + at % 4] if at % 5 else [])
    return blocks


def dated(block: Block, by: int) -> Block:
    return replace(block, time=UnixSeconds(block.time + by))
