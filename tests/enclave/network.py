"""A network of enclaves in a test's own process: whole, deterministic, and slow to nobody.

The enclaves are those that a node runs, each behind its real door: frames in, frames out. What
lies between them is the host, and that is written here as simply as can be: it orders what it
is given and what enclaves say, has it executed, gathers shares and shows the certificates. A
test may hold back, lie, start enclaves again, and run several hosts on copies of one disk.
"""

import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from keymoot.base import rlp
from keymoot.base.fixed import Hash32, RequestId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.roots import ROOTS
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.crypto import hpke
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, request_key
from keymoot.enclave.answer import SHARE_INFO, RequestAnswer
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.start import NoStateSecret
from keymoot.engine.certifiers import orders_in, standing_in
from keymoot.engine.combining import combine
from keymoot.runtime.block import Block
from keymoot.runtime.committee_pages import committee_in, gather_pages
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.release import find_record
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.enclave.box import Box, Branch, Clock
from tests.enclave.genesis import genesis_of
from tests.enclave.recovery_order import endorsed
from tests.runtime.people import AGENT, Person, Scenario, payment

REPLY = Secret(b"r" * 32)
MOST = 48
"""Transactions that the host puts into one block."""


class Network:
    """`size` enclaves and one host; also the chain that `Scenario` plays on."""

    def __init__(self, folder: Path, size: int = 4, clock: Clock | None = None) -> None:
        self.folder = folder
        self.clock = clock or Clock()
        self.said: list[bytes] = []
        self.answers: dict[Hash32, dict[int, RequestAnswer]] = {}
        self.withheld: set[int] = set()
        self.mute = self.behind = False
        self.keeps: Callable[[bytes], bool] = lambda _: False
        self.kept: list[bytes] = []
        self.boxes: dict[int, Box] = {}
        for seat in range(1, size + 1):
            self.add(seat)

    def add(self, seat: int) -> Box:
        """Put an enclave up at a number; it joins nothing yet."""
        folder = self.folder / f"enclave-{seat}"
        box = self.boxes[seat] = Box(seat, folder, self.receive, self.clock)
        return box

    def receive(self, raw: bytes) -> None:
        """Take what an enclave says; some of it may be kept back."""
        (self.kept if self.keeps(raw) else self.said).append(raw)

    def found(self, change: Callable[[Genesis], Genesis] = lambda one: one) -> "Network":
        """Found a network of the enclaves that stand here."""
        self.begin(change)
        assert self.branch.record is not None, "the founding stands still"
        return self

    def begin(self, change: Callable[[Genesis], Genesis] = lambda one: one) -> None:
        """Begin to found a network, and come as far as one comes."""
        self.prepare(change)
        self.settle()

    def prepare(self, change: Callable[[Genesis], Genesis] = lambda one: one) -> None:
        """Have all enclaves stand at one genesis; no block is made."""
        self.branch = Branch(change(genesis_of([one.identity for one in self.boxes.values()])))
        for box in self.boxes.values():
            box.join(self.genesis)
            box.begin(None, self.branch)

    def fork(self, folder: Path, height: Height | None = None) -> "Network":
        """Give another host: copies of all disks, enclaves on them, blocks up to a height."""
        shutil.copytree(self.folder, folder)
        made = Network(folder, len(self.boxes), Clock(self.clock.now))
        made.branch = self.branch.copy(height)
        for seat in made.boxes:
            made.restart(seat, settle=False)
        return made

    @property
    def genesis(self) -> Genesis:
        return self.branch.genesis

    @property
    def machine(self) -> CommitteeMachine:
        return committee_in(self.state(), self.genesis.network)

    @property
    def awake(self) -> list[Box]:
        """The enclaves that this host shows blocks to."""
        return [
            one
            for one in self.boxes.values()
            if one.began and not one.lost and one.seat not in self.withheld
        ]

    # -- blocks

    def settle(self) -> None:
        """Make blocks of what enclaves say until nobody has anything to say."""
        self.vote()
        while True:
            self.observe()
            if not self.said or self.mute or self.stands_still:
                return
            fresh = dict.fromkeys(self.said)
            self.said[:] = list(fresh)[MOST:]
            self.order(list(fresh)[:MOST])

    def observe(self) -> None:
        """Show the newest certified block to those who have not begun."""
        for box in self.boxes.values():
            if box.joined and not box.began and self.branch.record and not box.lost:
                self.enter(box)
                self.feed(box) if box.began else None

    @property
    def stands_still(self) -> bool:
        """Whether the newest block waits for shares."""
        return self.branch.record is not None and self.branch.top > self.branch.certified

    def order(self, raws: Iterable[bytes], time: int | None = None) -> Height:
        """Decide a block, and show it to all who are awake."""
        branch = self.branch
        height = Height(branch.top + 1)
        at = self.clock.now if time is None else time
        block = Block(height, UnixSeconds(at), tuple(raws))
        branch.blocks[height] = block.encode()
        self.clock.now += 1
        self.vote()
        return height

    def vote(self) -> None:
        """Have all blocks executed, and certify what can be certified."""
        while True:
            for box in self.awake:
                self.feed(box)
            if not (self._founding() if self.branch.record is None else self._certify()):
                return

    def feed(self, box: Box) -> None:
        """Show an enclave what it has not seen: blocks, and certificates where there are any."""
        branch = self.branch
        try:
            while box.next <= branch.top:
                height = box.next
                box.ballots[height] = box.execute(branch.blocks[height])
                box.next = Height(height + 1)
                self.show(box, height)
            for height in range(box.certified + 1, branch.top + 1):
                if height in branch.proofs:
                    self.show(box, Height(height))
                else:
                    box.ballots[Height(height)] = box.execute(branch.blocks[Height(height)])
        except EnclaveRefused:
            if not box.lost:
                raise

    def show(self, box: Box, height: Height) -> None:
        """Show a certificate, if there is one; take what leaves under it."""
        branch = self.branch
        if height not in branch.proofs:
            return
        released = box.certify(height, branch.proofs[height])
        box.certified = height
        for at, raw in enumerate(released.outcomes, released.first):
            if at not in branch.tables:
                self.take(raw)
            else:
                assert Outcome.decode(raw).header == branch.headers[Height(at)]
        box.stored(Height(height - self.behind))
        for one in released.answers:
            self.answers.setdefault(one.request, {})[box.seat] = one

    def take(self, raw: bytes) -> None:
        """Write what a block did."""
        branch, outcome = self.branch, Outcome.decode(raw)
        height = outcome.header.height
        table = MemoryTable()
        table._entries = dict(branch.tables[Height(height - 1)]._entries)
        table.apply(outcome.writes)
        branch.tables[height], branch.headers[height] = table, outcome.header
        branch.receipts[height] = outcome.receipts

    def _founding(self) -> bool:
        branch = self.branch
        height = branch.newest()
        while height < branch.top:
            height = Height(height + 1)
            self.take(self.awake[0].outcome(height))
            assert {one.ballots[height].hash for one in self.awake} == {branch.headers[height].hash}
        votes = {one.seat: one.ballots[height].founding for one in self.awake if height}
        if not votes or not all(votes.values()) or len(votes) < len(self.genesis.members):
            return False
        state = committee_in(branch.state(), self.genesis.network).state
        roots = {kind.name: kind.group.encode(state.root(kind.name).public) for kind in ROOTS}
        name = branch.headers[height].hash
        branch.record = FoundingRecord(self.genesis.network, height, name, roots, votes)
        branch.proofs[height] = branch.record.encode()
        return True

    def _certify(self) -> bool:
        """Combine what shares there are; tell whether a certificate came of it."""
        branch = self.branch
        for height in range(branch.certified + 1, branch.top + 1):
            proof = self.combined(Height(height))
            if proof:
                branch.proofs[Height(height)] = proof
                return True
        return False

    def combined(self, height: Height) -> bytes:
        """Give the certificate of a block, or nothing."""
        branch = self.branch
        ballots = {
            one.seat: one.ballots[height]
            for one in self.boxes.values()
            if height in one.ballots and one.ballots[height].share
        }
        if not ballots:
            return b""
        name, _ = Counter(one.hash for one in ballots.values()).most_common(1)[0]
        shares = {at: one.share for at, one in ballots.items() if one.hash == name}
        standing = standing_in(branch.state(branch.certified), self.genesis.network)
        orders = orders_in(Block.decode(branch.blocks[height]).transactions)
        candidates = [*standing.under_orders(height, name, orders), standing.under(height, name)]
        return combine(candidates, shares).signature

    # -- starting anew

    def restart(self, seat: int, height: Height | None = None, *, settle: bool = True) -> Box:
        """Start an enclave on its disk; it begins at the newest certified block, or watches."""
        box = self.boxes[seat]
        box.start()
        box.join(self.genesis, seat)
        self.enter(box, height)
        if settle:
            self.settle()
        return box

    def enter(self, box: Box, height: Height | None = None) -> bool:
        """Have a start that has joined begin, or watch while it has no state secret."""
        branch = self.branch
        place = branch.place(height)
        try:
            box.begin(place, branch)
        except EnclaveRefused as error:
            if error.code != NoStateSecret.code:
                raise
            if not box.watch(place, self.witness(height)):
                return False
            box.begin(place, branch)
        return True

    def witness(self, height: Height | None = None) -> dict[bytes, bytes]:
        at = self.branch.certified if height is None else height
        root = self.branch.headers[at].state_root
        return gather_pages(self.branch.tables[at], root, self.genesis.network)

    def recover(self, waking: frozenset[int] = frozenset()) -> None:
        """Start all but those `waking` anew, and begin a generation."""
        self.said.clear()
        for seat in self.machine.state.record.members:
            if seat not in waking:
                self.restart(seat, settle=False)
        self.vote()
        self.order([self.recovery(self.machine.state.record.members)])
        self.settle()
        assert not self.stands_still

    def recovery(
        self,
        seats: Iterable[int],
        base: Height | None = None,
        previous: Hash32 | None = None,
    ) -> bytes:
        """Have an order endorsed by seats; give its message."""
        return endorsed(self.branch, self.boxes, seats, base, previous)

    # -- as `Scenario` wants a chain

    @property
    def block(self) -> BlockEnvironment:
        tip, genesis = self.branch.tip(), self.genesis
        time = UnixSeconds(max(tip.time, self.clock.now))
        return BlockEnvironment(
            genesis.network, genesis.chain_id, tip.height, time, tip.hash, genesis.base_fee
        )

    def state(self) -> State:
        return self.branch.state()

    def send(self, raw: bytes) -> Receipt:
        """Have a transaction decided; settle; give its receipt."""
        if self.mute:
            self.order([raw])
        else:
            self.said.append(raw)
            self.settle()
        found = self.receipt(raw)
        assert found is not None, "its block is not certified"
        return found

    def receipt(self, raw: bytes) -> Receipt | None:
        for height in sorted(self.branch.receipts, reverse=True):
            transactions = Block.decode(self.branch.blocks[height]).transactions
            if raw in transactions:
                return self.branch.receipts[height][transactions.index(raw)]
        return None

    def ask(self, to: Any, data: bytes) -> bytes:
        return call(self.state(), self.block, built_in_registry(), self.keys, Query(to, data))

    @property
    def keys(self) -> StateKeys:
        """The state keys, as only a test can have them."""
        keys = StateKeys(None, self.genesis.network)
        for one in self.boxes.values():
            for name, state in one.enclave.sealed.now.states:
                keys.take(state, name)
        return keys

    def scenario(self, limit: int = 10**6) -> Scenario:
        """Give an owner with a wallet, and an agent that may pay."""
        return Scenario(self).ready(limit)  # type: ignore[arg-type]

    def request(
        self,
        scenario: Scenario,
        payload: bytes,
        method: str = SIGN_TRANSACTION,
        who: Person = AGENT,
        seconds: int = 300,
    ) -> tuple[bytes, Hash32]:
        """Sign a request; give its bytes and its name on the ledger."""
        request = Request(
            network=self.genesis.network,
            wallet=scenario.wallet,
            request_id=RequestId(secrets.token_bytes(32)),
            expires_at=UnixSeconds(self.block.time + seconds),
            method=method,
            payload=payload,
            reply_key=hpke.public_key(REPLY),
        )
        raw = request.signed_bytes(sign(who.key, request_digest(request)))
        return raw, request_key(who.address, request.request_id)

    def bind(self, scenario: Scenario, value: int = 5) -> Hash32:
        """Have a payment bound in a certified block."""
        raw, key = self.request(scenario, payment(value).unsigned_bytes())
        receipt = self.send(raw)
        assert receipt.status == 1, receipt
        return key

    def height_of(self, key: Hash32) -> Height:
        """Give the height that bound a request."""
        record = find_record(self.state(), key)
        assert record is not None
        assert record.bound_to
        return record.bound_at

    def opened(self, answer: RequestAnswer) -> list[bytes]:
        """Open an answer as the requester does."""
        assert not answer.code, f"{answer.code}: {answer.message}"
        info = SHARE_INFO + self.genesis.network
        found = rlp.decode(hpke.open_with(REPLY, answer.sealed, info, answer.request))
        assert isinstance(found, list)
        return [one for one in found if isinstance(one, bytes)]
