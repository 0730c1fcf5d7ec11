"""A committee of replicas in memory: it executes, deals itself a real root, and signs.

Honest unless told otherwise: each replica has its lies. The founding is short: the state after
the first block has the roots in it, as if they had been made, and all founders sign that block.
"""

import asyncio
from dataclasses import dataclass, field, replace

from keymoot.base.errors import Fault, Refused
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, UnixNanos, Wei
from keymoot.committee.certified import CertifiedHeader, certificate_message, verify
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import BASE_FEE_WEI, Founder, Genesis, Member
from keymoot.committee.keygen.record import Phase
from keymoot.committee.machine import NO_GENERATION
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.roots import CERTIFICATE, ROOTS
from keymoot.committee.seat import SessionKeys
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.replicas import ReleasedOutcomes
from keymoot.runtime.block import Block, Executed, NetworkConstants, Tip
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.outcome import Outcome, outcome_digest
from keymoot.runtime.state_transition import StateTransition
from keymoot.runtime.vote import Vote
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import STATE_PREFIXES, State
from keymoot.store.table import MemoryTable
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee as Seats
from keymoot.threshold.polynomial import commit, evaluate
from keymoot.threshold.root import Root, Share, root_of
from keymoot.threshold.secp256k1 import SECP256K1
from tests.runtime.people import AGENT, OWNER, STRANGER

SIZE = 4
START = UnixNanos(1_800_000_000 * 10**9)
_CONTRACTS = built_in_registry()


def secret(*parts: object) -> Secret:
    return Secret(keccak256("/".join(map(str, parts)).encode()))


def session_key(seat: int, start: int = 0) -> Secret:
    return secret("session", seat, start)


def point(*parts: object) -> bytes:
    return SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(secret(*parts).expose() * 2)))


def session(seat: int, start: int = 0) -> SessionKeys:
    signing = Bytes32(ed25519.public_key(session_key(seat, start)))
    return SessionKeys(signing, point("sealing", seat, start))


def genesis_of(size: int = SIZE) -> Genesis:
    members = []
    for seat in range(1, size + 1):
        identity = Bytes32(ed25519.public_key(secret("identity", seat)))
        founder = Founder(identity, point("epoch", seat), session(seat))
        members.append(Member(identity, founder))
    people = (OWNER, AGENT, STRANGER)
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=START,
        members=tuple(members),
        allocations=tuple((one.address, Wei(10**24)) for one in people),
    )


def deal(size: int = SIZE) -> tuple[tuple[Root, ...], dict[int, Share]]:
    """Give all roots, and the shares of the certificate's."""
    seats, roots = Seats.of(size), []
    shares: dict[int, Share] = {}
    for kind in ROOTS:
        degree = kind.degree(seats)
        polynomial = [
            kind.group.scalar(secret(kind.name, place).expose() * 2) for place in range(degree + 1)
        ]
        root = root_of(kind.group, commit(kind.group, polynomial), size)
        roots.append(root)
        if kind.name == CERTIFICATE:
            for seat in seats.indices:
                shares[seat] = Share(seat, evaluate(kind.group, polynomial, seat), root)
    return tuple(roots), shares


DEALT = deal()


@dataclass
class Lies:
    """What a replica does wrong; nothing as it is.

    Attributes:
        hash: It computes another hash, and signs that.
        share: Its shares are of something else.
        silent: It hangs, until it is thawed.
        thawed: Set when it hangs no more.
        mute: It gives no shares.
        unnamed: It gives no shares but under an order: the state names another start.
        digest: Its digests of outcomes are of something else.
        outcome: Its outcomes are something else, and so their digests.
        beside: Its outcomes write where no state is.
        founding: It signs the record with another key.
        busy: So many calls are refused.
        over: What all calls raise: a fault, or the end of a test's process.
        at: In which calls only it is over or silent; all if empty.
    """

    hash: bool = False
    share: bool = False
    silent: bool = False
    mute: bool = False
    unnamed: bool = False
    digest: bool = False
    outcome: bool = False
    beside: bool = False
    founding: bool = False
    busy: int = 0
    over: Exception | None = None
    at: str = ""
    thawed: asyncio.Event = field(default_factory=asyncio.Event)


class Chained:
    """What executing the blocks of one chain gives, for all replicas on it."""

    def __init__(self, chain: ChainStore) -> None:
        self.genesis, self.record = chain.genesis, chain.record
        self.tip = chain.tip
        self.done: dict[Height, tuple[bytes, Executed]] = {}
        self.tips: dict[Height, Tip] = {chain.tip.height: chain.tip}
        self._table = MemoryTable(
            {key: value for prefix in STATE_PREFIXES for key, value in scan(chain, prefix)}
        )
        genesis = self.genesis
        self._chain = NetworkConstants(genesis.network, genesis.chain_id, genesis.base_fee)

    def execute(self, raw: bytes) -> Executed:
        block = Block.decode(raw)
        known = self.done.get(block.height)
        if known is not None:
            if known[0] != raw:
                raise Fault("this chain has another block of that height")
            return known[1]
        state, keys = State(self._table, self.tip.state_root), StateKeys(None, self.genesis.network)
        executed = StateTransition(self._chain, _CONTRACTS, keys).execute(state, self.tip, block)
        self._table.apply(executed.writes)
        if block.height == 1:
            executed = self._found(executed)
        self.done[block.height] = raw, executed
        self.tip = self.tips[block.height] = executed.tip
        return executed

    def outcome(self, height: Height) -> bytes:
        return Outcome.of(self.done[height][1]).encode()

    def _found(self, executed: Executed) -> Executed:
        """Put the roots into the state, as if they had been made."""
        before = State(self._table, executed.header.state_root)
        journal = Journal(before)
        store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
        state = committee_on(store, self.genesis.network).state
        founding = committee_on(store, self.genesis.network).keygen
        state.put_roots(DEALT[0])
        state.pages.set("roots/voted", b"v" * 32)
        state.pages.set("keygen/session", state.record.generation)
        founding._put(replace(founding.record, phase=Phase.DONE, said=frozenset()))
        changes = journal.changes()
        root, writes = before.updated(changes)
        self._table.apply(writes)
        header = replace(executed.header, state_root=root)
        return replace(executed, header=header, writes=executed.writes | writes)


def scan(chain: ChainStore, prefix: bytes):
    return chain.snapshot.scan(prefix, prefix)


@dataclass
class MemoryReplica:
    """One replica; answers are texts that name request and seat."""

    seat: int
    chained: Chained
    begun: Height
    lies: Lies = field(default_factory=Lies)
    calls: list[str] = field(default_factory=list)
    certificates: dict[Height, bytes] = field(default_factory=dict)
    signed: dict[Height, Hash32] = field(default_factory=dict)
    told: dict[Height, Disclosure] = field(default_factory=dict)
    rested: dict[Height, bool] = field(default_factory=dict)
    executed: Height = Height(-1)
    first: Height = Height(0)

    def __post_init__(self) -> None:
        self.executed = self.certified = self.begun

    async def execute(self, block: bytes) -> Vote:
        await self._behave("execute")
        height = Block.decode(block).height
        self.calls.append(f"execute {height}")
        if not self.begun < height <= self.executed + 1:
            raise Fault(f"block {height} does not follow {self.executed}")
        header = self.chained.execute(block).header
        self.executed = max(self.executed, height)
        name = keccak256(b"lie" + header.hash) if self.lies.hash else header.hash
        share = b"" if self.lies.mute else self._share(height, name)
        return Vote(name, share, self._founding(height, name))

    async def certify(
        self, height: Height, proof: bytes, telling: Disclosure, *, rests: bool
    ) -> ReleasedOutcomes[str]:
        self.told[height], self.rested[height] = telling, rests
        await self._behave("certify")
        self.calls.append(f"certify {height}")
        header = self.chained.done[height][1].header
        if len(proof) == 48:
            record = self.chained.record
            assert record is not None
            verify(record.verifying_key, record.network, CertifiedHeader(header, proof))
        else:
            self.chained.record = FoundingRecord.decode(proof)
            self.chained.record.check(self.chained.genesis)
            assert self.chained.record.block == header.hash
        if not self.certified < height <= self.executed:
            raise Fault("a certificate out of place")
        self.certificates[height] = proof
        first, self.certified = Height(self.certified + 1), height
        answers = tuple(f"{seat}" for seat in [self.seat] if self.chained.done[height][1].receipts)
        given = tuple(
            self._outcome(Height(one), digest=telling is Disclosure.DIGESTS) if telling else b""
            for one in range(first, height + 1)
        )
        return ReleasedOutcomes(first, given, answers)

    async def outcome(self, height: Height, *, digest: bool) -> bytes:
        await self._behave("outcome")
        self.calls.append(f"{'digest' if digest else 'outcome'} {height}")
        if height > self.certified and self.chained.record is not None:
            raise Fault("nothing leaves for a block that is not certified")
        return self._outcome(height, digest=digest)

    async def _behave(self, what: str) -> None:
        await asyncio.sleep(0)
        if self.lies.silent and self.lies.at in ("", what):
            await self.lies.thawed.wait()
        if self.lies.over is not None and self.lies.at in ("", what):
            raise self.lies.over
        if self.lies.busy:
            self.lies.busy -= 1
            raise Refused(f"no {what} now")

    def _outcome(self, height: Height, *, digest: bool) -> bytes:
        raw = self.chained.outcome(height)
        if self.lies.outcome or self.lies.beside or (digest and self.lies.digest):
            outcome = Outcome.decode(raw)
            key = (b"B" if self.lies.beside else b"a") + b"\xff" * 9
            raw = replace(outcome, writes={**outcome.writes, key: b"x"}).encode()
        return outcome_digest(raw) if digest else raw

    def _share(self, height: Height, name: Hash32) -> bytes:
        header = self.chained.done[height][1].header
        before = self.chained.tips[Height(height - 1)]
        by_order = header.generation != before.generation
        named = not self.lies.unnamed and self.chained.record is not None
        if not by_order and not (named and self.certified == height - 1):
            return b""
        if by_order:
            self.lies.unnamed = False
        assert self.signed.setdefault(height, name) == name, "signed twice"
        message = certificate_message(self.chained.genesis.network, header.generation, height, name)
        share = bls.sign(DEALT[1][self.seat], message)
        return G1.encode(G1.negate(share) if self.lies.share else share)

    def _founding(self, height: Height, name: Hash32) -> bytes:
        if height != 1:
            return b""
        key = session_key(9 if self.lies.founding else self.seat)
        return record_of(self.chained.genesis, height, name).sign(key)


def record_of(genesis: Genesis, height: Height, name: Hash32) -> FoundingRecord:
    roots = {
        kind.name: kind.group.encode(root.public)
        for kind, root in zip(ROOTS, DEALT[0], strict=True)
    }
    return FoundingRecord(genesis.network, height, name, roots)


def message(
    genesis: Genesis,
    seat: int,
    kind: Kind = Kind.TICK,
    body: bytes = b"",
    generation: Hash32 = NO_GENERATION,
) -> bytes:
    said = NodeMessage(genesis.network, generation, seat, kind, body)
    return said.signed(session_key(seat)).encode()


def order(chain: ChainStore, seats: tuple[int, ...] = (1, 2, 3)) -> bytes:
    """Give a recovery order on the newest certified block, signed by seats' identities."""
    tip, genesis = chain.tip, chain.genesis
    terms = RecoveryOrder(
        genesis.network,
        tip.generation,
        tip.height,
        tip.hash,
        {seat: session(seat, 1) for seat in seats},
    )
    signatures = {seat: ed25519.sign(secret("identity", seat), terms.digest()) for seat in seats}
    body = SignedRecoveryOrder(terms, signatures).encode()
    return NodeMessage(genesis.network, tip.generation, seats[0], Kind.RECOVER, body).encode()
