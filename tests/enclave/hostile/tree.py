"""All blocks that hosts have ever decided, as a tree: each with what is known of it by now."""

from dataclasses import dataclass, field

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.machine import CommitteeMachine
from keymoot.enclave.frames import CertifiedPlace
from keymoot.runtime.block import Block
from keymoot.runtime.committee_pages import committee_in
from keymoot.runtime.outcome import Outcome
from keymoot.store.header import Header
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.enclave.box import Branch


@dataclass(eq=False, slots=True)
class Node:
    """One block.

    Attributes:
        number: Names it in traces.
        chain: All nodes up to this one, by height; the genesis has none.
        known: Transactions in blocks above the base.
        hash: What enclaves gave; None before one has executed it.
        shares: Of its certificate, by seat.
        proof: Its certificate; empty without one.
        table: The state after it, once a certificate has let it out.
    """

    number: int
    raw: bytes
    chain: "tuple[Node | None, ...]"
    known: frozenset[bytes] = frozenset()
    hash: Hash32 | None = None
    shares: dict[int, bytes] = field(default_factory=dict)
    proof: bytes = b""
    header: Header | None = None
    table: MemoryTable | None = None

    @property
    def height(self) -> Height:
        return Height(len(self.chain))

    @property
    def path(self) -> "tuple[Node | None, ...]":
        """This node and all below it, by height."""
        return (*self.chain, self)

    @property
    def parent(self) -> "Node":
        found = self.chain[-1]
        assert found is not None
        return found

    def holds(self, other: "Node") -> bool:
        """Tell whether another node is this one, or below it on its chain."""
        return other is self or (other.height < self.height and self.chain[other.height] is other)

    @property
    def readable(self) -> "Node":
        """The highest node up to this one whose state hosts have."""
        return next(one for one in reversed(self.path) if one is not None and one.table is not None)

    @property
    def certified(self) -> "Node":
        """The highest node up to this one that has a certificate, and a state that hosts have."""
        return next(
            one
            for one in reversed(self.path)
            if one is not None and one.proof and one.table is not None
        )

    @property
    def state(self) -> State:
        assert self.table is not None
        assert self.header is not None
        return State(self.table, self.header.state_root)

    @property
    def transactions(self) -> tuple[bytes, ...]:
        return Block.decode(self.raw).transactions


@dataclass(eq=False, slots=True)
class View:
    """A host that serves one chain of blocks."""

    tip: Node

    def newest(self) -> Height:
        return self.tip.readable.height

    def view(self, height: Height) -> MemoryTable:
        path = self.tip.path
        node = path[height] if height < len(path) else None
        if node is None or node.table is None:
            raise Refused("not on this disk")
        return node.table


class Tree:
    """All blocks; what stands when hosts begin is the base."""

    def __init__(self, branch: Branch) -> None:
        """Take over a network's blocks; they are shared by all that comes."""
        self.genesis: Genesis = branch.genesis
        assert branch.record is not None
        self.record: FoundingRecord = branch.record
        path: tuple[Node | None, ...] = (None,)
        self.count = 0
        for height in range(1, branch.top + 1):
            at = Height(height)
            node = Node(0, branch.blocks[at], path, frozenset(), branch.headers[at].hash)
            node.header, node.table = branch.headers[at], branch.tables.get(at)
            node.proof = branch.proofs.get(at, b"")
            path = (*path, node)
        assert isinstance(node, Node)
        self.base = node

    def decide(self, parent: Node, time: int, transactions: list[bytes]) -> Node:
        """Put another block on top of one."""
        self.count += 1
        raw = Block(Height(parent.height + 1), UnixSeconds(time), tuple(transactions)).encode()
        return Node(self.count, raw, parent.path, parent.known | frozenset(transactions))

    def place(self, node: Node) -> CertifiedPlace:
        """Give a certified block as enclaves are shown it."""
        assert node.header is not None
        proof = b"" if node.height == self.record.height else node.proof
        return CertifiedPlace(self.record.encode(), node.header.encode(), proof)

    def machine(self, node: Node) -> CommitteeMachine:
        return committee_in(node.state, self.genesis.network)

    def take(self, node: Node, raw: bytes) -> None:
        """Write what a block did, where the state before it is there."""
        before = node.parent.table
        if node.table is not None or before is None:
            return
        outcome = Outcome.decode(raw)
        node.header = outcome.header
        node.table = MemoryTable()
        node.table._entries = dict(before._entries)
        node.table.apply(outcome.writes)
