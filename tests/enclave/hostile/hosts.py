"""What hosts can do with blocks, certificates, disks and starts; what comes of it is in `Notes`."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.roots import CERTIFICATE
from keymoot.committee.task import SeatTask
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.worker import Report, Worker
from keymoot.engine.certifiers import orders_in, standing_in
from keymoot.engine.combining import SigningContext, combine
from keymoot.node.membership.recovery import generation_after
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.rng import SEED_BYTES, SeededRng
from keymoot.threshold.root import Share
from tests.enclave.box import Box
from tests.enclave.hostile.notes import Notes
from tests.enclave.hostile.stage import Stage
from tests.enclave.hostile.tree import Node, Tree, View

T = TypeVar("T")

LATE = 0.1
"""How often an enclave's worker takes its time over a task."""


class Bench(Worker):
    """A worker that does some tasks at once, and others when its host lets it."""

    def __init__(self, random: Random, report: Report) -> None:
        self._random, self._report = random, report
        self.waiting: list[SeatTask] = []

    def do(self, tasks: list[SeatTask]) -> None:
        for task in tasks:
            if self._random.random() < LATE:
                self.waiting.append(task)
            else:
                self.run(task)

    def run(self, task: SeatTask) -> None:
        rng = SeededRng(Secret(self._random.randbytes(SEED_BYTES)))
        try:
            said = task.run(rng)
        except AssertionError:
            raise
        except Exception:
            said = []
        self._report(task, said)


@dataclass(frozen=True, slots=True)
class Said:
    """What an enclave has said, wherever it stood."""

    raw: bytes
    kind: Kind
    generation: Hash32


class Hosts:
    """All hosts of a network, as one.

    Attributes:
        tips: The newest blocks of the chains that they work on.
        starts: Enclaves that run.
        disks: Copies of disks, with their seats.
        bases: Certified blocks whose states are known.
    """

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        random: Random,
        patch: pytest.MonkeyPatch,
        broken: frozenset[int] = frozenset({4}),
    ) -> None:
        self.stage, self.folder, self.random = stage, folder, random
        self.clock = stage.network.clock
        self.notes = Notes(broken)
        self.notes.watch(patch)
        self.tree = Tree(stage.network.branch)
        self.tips = [self.tree.base]
        self.bases = [one for one in self.tree.base.path[-6:] if one is not None and one.proof]
        self.said: list[Said] = []
        self.starts: list[Box] = []
        self.disks: list[tuple[int, Path]] = []
        self.given: dict[tuple[int, int, Hash32], RequestAnswer] = {}
        self._fake: dict[bytes, Share] = {}
        self._executing = False
        self._tried: dict[int, int] = {}
        for box in stage.network.boxes.values():
            self._adopt(box)
            start = box.enclave.start
            assert start is not None
            start.speaker._worker = Bench(random, start.speaker._report)
            self.notes.at[id(box)] = self.tree.base

    def copy(self, folder: Path) -> Path:
        to = self.folder / f"disk-{self.random.getrandbits(64):x}"
        shutil.copytree(folder, to)
        return to

    def at(self, box: Box) -> Node:
        return self.notes.at[id(box)]

    def on(self, tip: Node, boxes: Iterable[Box] | None = None) -> list[Box]:
        """Give the starts that can go on to a block."""
        some = self.starts if boxes is None else boxes
        return [one for one in some if not one.lost and tip.holds(self.at(one))]

    # -- blocks

    def decide(self, parent: Node, raws: Iterable[bytes]) -> Node:
        """Put a block on top of another; where that was a tip, this is it now."""
        assert parent.readable.header is not None
        self.clock.now += 1
        node = self.tree.decide(parent, self.clock.now, list(dict.fromkeys(raws)))
        if parent in self.tips:
            self.tips.remove(parent)
        self.tips.append(node)
        return node

    def generation(self, node: Node) -> Hash32:
        """Give the generation that a node's blocks lead to, as far as hosts know."""
        certified = node.certified
        assert certified.header is not None
        tail = [one for one in node.path[certified.height + 1 :] if one is not None]
        raws = [raw for one in tail for raw in one.transactions]
        return generation_after(certified.header.generation, raws)

    def fresh(self, node: Node) -> list[bytes]:
        """Give what enclaves have said that blocks on top of a node may hold."""
        now = self.generation(node)
        found = [one.raw for one in self.said if one.generation == now]
        return [raw for raw in dict.fromkeys(found) if raw not in node.known][-40:]

    def execute(self, box: Box, node: Node) -> None:
        """Have a start execute a block."""
        box.branch = View(node.parent)  # type: ignore[assignment]
        self._executing = True
        try:
            ballot = self.act(box, lambda: box.execute(node.raw))
        finally:
            self._executing = False
        self.notes.check(node.hash in (None, ballot.hash), "one block has two hashes")
        node.hash = ballot.hash
        if ballot.share:
            node.shares[box.seat] = ballot.share
        if node.parent is self.at(box):
            self.notes.at[id(box)] = node

    def show(self, box: Box, node: Node) -> None:
        """Show a start the certificate of a block that it has executed."""
        box.branch = View(self.at(box))  # type: ignore[assignment]
        released = self.act(box, lambda: box.certify(node.height, node.proof))
        box.certified = max(box.certified, node.height)
        path = self.at(box).path
        for height, raw in enumerate(released.outcomes, released.first):
            one = path[height]
            assert one is not None
            if raw:
                self.outcome(box, one, raw)
        self.answers(box, list(released.answers))

    def outcome(self, box: Box, node: Node, raw: bytes) -> None:
        """Take what a block did."""
        self.notes.outcome(box, node)
        known = node.table is not None
        self.tree.take(node, raw)
        if node.table is None or known:
            return
        if node.proof:
            self.bases.append(node)
        cheats = self.tree.machine(node).state.record.cheats
        named = {one.seat for one in cheats} - self.notes.broken
        self.notes.check(not named, f"honest seats are named cheats: {cheats}")

    def ask(self, box: Box, keys: list[Hash32]) -> None:
        """Ask a start for answers."""
        box.branch = View(self.at(box))  # type: ignore[assignment]
        self.answers(box, self.act(box, lambda: box.answer(*keys)))

    def answers(self, box: Box, found: list[RequestAnswer]) -> None:
        node = self.at(box).path[box.certified]
        assert node is not None
        for one in found:
            if one.code or box.seat in self.notes.broken:
                continue
            assert box.enclave.start is not None
            course = id(box.enclave.start._course)
            known = self.given.setdefault((id(box), course, one.request), one)
            self.notes.check(known == one, "one start answers in two ways")
            self.notes.answered(box, node, one.request, known is one)

    # -- certificates

    def combine(self, node: Node) -> bool:
        """Make a certificate of shares and the broken seats', and take what leaves under it."""
        if node.proof or node.hash is None or self._tried.get(id(node)) == len(node.shares):
            return False
        self._tried[id(node)] = len(node.shares)
        state = node.certified.state
        standing = standing_in(state, self.tree.genesis.network)
        under = standing.under_orders(node.height, node.hash, orders_in(node.transactions))
        for one in (*under, standing.under(node.height, node.hash)):
            shares = node.shares | self._broken_shares(one)
            node.proof = combine([one], shares).signature if shares else b""
            if node.proof:
                self.notes.certificate(one.generation, node)
                return True
        return False

    def _broken_shares(self, under: SigningContext) -> dict[int, bytes]:
        found = {}
        for seat in sorted(self.notes.broken):
            if seat <= len(under.root.shares):
                share = self._fake.get(G2.encode(under.root.share_of(seat)))
                if share is not None:
                    found[seat] = G1.encode(bls.sign(share, under.message))
        return found

    # -- starts

    def start(self, seat: int, folder: Path, base: Node) -> Box:
        """Start an enclave on a copy of a disk, at a certified block."""
        at = self.copy(folder)
        network = self.stage.network
        box = Box(
            seat, at, network.receive, network.clock, lambda report: Bench(self.random, report)
        )
        self._adopt(box)
        box.join(self.tree.genesis, seat)
        self.notes.at[id(box)] = base
        view: object = View(base)
        self.act(box, lambda: box.begin(self.tree.place(base), view))  # type: ignore[arg-type]
        return box

    def _adopt(self, box: Box) -> None:
        box.send = lambda raw: self._hear(box, raw)
        self.starts.append(box)
        self.disks.append((box.seat, box.folder))
        self.notes.keys[box.seat].add(box.identity.session.sealing)
        self._look(box)

    def act(self, box: Box, do: Callable[[], T]) -> T:
        """Have a start do something; remember what it can do now."""
        before, self.notes.acting = self.notes.acting, box
        try:
            return do()
        except EnclaveRefused as error:
            self.notes.counts[f"refused {error.code}"] += 1
            raise
        finally:
            self.notes.acting = before
            self._look(box)
            if box.lost and box in self.starts:
                self.starts.remove(box)
                self.notes.counts["ended"] += 1

    def _look(self, box: Box) -> None:
        start = box.enclave.start
        if start is None:
            return
        self.notes.keys[box.seat] |= {point for point, _ in start.participant.keys._pairs}
        if box.seat in self.notes.broken and CERTIFICATE in start.participant.shares:
            share = start.participant.shares[CERTIFICATE]
            self._fake[G2.encode(share.root.share_of(box.seat))] = share

    def _hear(self, box: Box, raw: bytes) -> None:
        message = NodeMessage.decode(raw)
        self.notes.check(not self._executing, "something is said before a certificate")
        self.notes.counts[f"said {message.kind.name}"] += 1
        self.said.append(Said(raw, message.kind, message.generation))
        del self.said[:-600]
