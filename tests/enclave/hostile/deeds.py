"""What hosts do in a run, one deed at a time."""

from contextlib import suppress

from keymoot.enclave import messages
from keymoot.enclave.channel import EnclaveRefused
from tests.enclave.box import Box
from tests.enclave.hostile.hosts import Bench
from tests.enclave.hostile.leading import MOST_DISKS, Leader
from tests.enclave.hostile.tree import Node


class Deeds(Leader):
    """Deeds that stand for themselves."""

    def fork(self) -> None:
        """Go on from an earlier block with other blocks."""
        hosts = self.hosts
        tip = self.tip()
        low = max(hosts.tree.base.height, tip.height - 5)
        node = tip.path[self.random.randint(low, tip.height)]
        if self.random.random() < 0.5:
            node = hosts.at(self.random.choice(hosts.starts))
        assert node is not None
        if node in hosts.tips or node.height < low:
            return
        self.branch_at(node)

    def extend(self) -> None:
        """Decide a block of some of what there is."""
        tip = self.tip()
        fresh = self.hosts.fresh(tip)
        self.grow(tip, self.random.sample(fresh, self.random.randint(0, len(fresh))))

    def sprint(self) -> None:
        """Work as honest hosts would, for some blocks."""
        tip = self.tip()
        for _ in range(self.random.randint(1, 5)):
            raws = [one for one in self.hosts.fresh(tip) if self.random.random() < 0.95]
            tip = self.grow(tip, raws)
            self.lead(tip, self.awake(tip), self.random.choice((1.0, 1.0, 0.8)))

    def drive(self) -> None:
        """Lead some starts along a chain, with gaps here and there."""
        tip = self.tip()
        boxes = self.awake(tip)
        some = self.random.sample(boxes, min(len(boxes), self.random.randint(1, 4)))
        self.lead(tip, some, self.random.choice((0.9, 0.5)), 0.9)

    def keep(self) -> None:
        """Keep a copy of a disk."""
        box = self.random.choice(self.hosts.starts)
        self.hosts.disks.append((box.seat, self.hosts.copy(box.folder)))
        while len(self.hosts.disks) > MOST_DISKS:
            self.hosts.disks.remove(self.random.choice(self.hosts.disks))
        self.say(f"the disk of {self.name(box)} is kept")

    def restart(self) -> None:
        """Start an enclave on a disk of any time, at any certified block."""
        self.begin(*self.random.choice(self.hosts.disks), self.base())

    def restart_many(self) -> None:
        """Start several at once, at one block."""
        base = self.base()
        for seat in self.random.sample((1, 2, 3, 4), self.random.randint(2, 4)):
            mine = [one for one in self.hosts.disks if one[0] == seat]
            if mine:
                self.begin(*self.random.choice(mine), base)

    def heal(self) -> None:
        """Start all seats anew on a chain's newest certified block, and have them go on."""
        hosts, base = self.hosts, self.tip().certified
        named = {}
        for seat in self.random.sample((1, 2, 3, 4), self.random.randint(3, 4)):
            folder = self.random.choice([one for at, one in hosts.disks if at == seat])
            box = self.begin(seat, folder, base)
            if box is not None:
                named[seat] = box
        if base not in hosts.tips:
            self.branch_at(base)
        self.endorse(base, base, named)
        self.grow_with(base, len(self.orders) - 1)

    def hold(self) -> None:
        """Hold a start back for a while, or let go of all."""
        if self.random.random() < 0.3:
            self.held.clear()
        for box in self.random.sample(self.hosts.starts, min(2, len(self.hosts.starts))):
            self.held[id(box)] = self.done + self.random.randint(5, 40)
            self.say(f"{self.name(box)} is held back")

    def take_over(self) -> None:
        """Have a start begin once more, somewhere else."""
        self.over(self.random.choice(self.hosts.starts), self.base())

    def work(self) -> None:
        """Let an enclave's worker do what it has put off."""
        for box in self.random.sample(self.hosts.starts, min(3, len(self.hosts.starts))):
            start = box.enclave.start
            if start is None:
                continue
            bench = start.speaker._worker
            assert isinstance(bench, Bench)
            some, bench.waiting[:] = list(bench.waiting), []
            for task in some:
                self.say(f"{self.name(box)} does {task.name[-20:]}")
                self.hosts.act(box, lambda task=task, bench=bench: bench.run(task))
            while box.woken:
                box.woken = False
                self.hosts.act(box, box.enclave.poll)

    def order(self) -> None:
        """Have a recovery endorsed by starts that stand on one chain; post it, or keep it."""
        hosts, tip, base = self.hosts, self.tip(), self.base()
        if not tip.holds(base):
            base = tip.certified
        by_seat: dict[int, Box] = {}
        knowing = [one for one in hosts.starts if self._knows(one, base)]
        for box in self.random.sample(knowing, len(knowing)):
            by_seat.setdefault(box.seat, box)
        if len(by_seat) > 3 and self.random.random() < 0.5:
            del by_seat[self.random.choice(sorted(by_seat))]
        self.endorse(tip, base, by_seat)
        if self.random.random() < 0.7:
            self.grow_with(tip, len(self.orders) - 1)

    def _knows(self, box: Box, base: Node) -> bool:
        at = self.hosts.at(box)
        return not box.lost and at.holds(base) and base.height <= box.certified

    def post(self) -> None:
        """Post an order that was kept."""
        if self.orders:
            low = max(0, len(self.orders) - 6)
            self.grow_with(self.tip(), self.random.randrange(low, len(self.orders)))

    def ask(self) -> None:
        """Ask starts for answers."""
        for box in self.random.sample(self.hosts.starts, min(4, len(self.hosts.starts))):
            with suppress(EnclaveRefused):
                self.hosts.ask(box, self.wishes.keys[-24:])

    def turn(self) -> None:
        """Have members vote for the epoch's end; some of them, or all."""
        tip = self.tip()
        self.say(f"starts on {tip.number} vote for the epoch's end")
        for box in self.awake(tip):
            with suppress(EnclaveRefused):
                self.hosts.act(box, lambda box=box: box.ask(messages.TURN, b""))

    def wait(self) -> None:
        """Let time pass, and have enclaves say so."""
        self.hosts.clock.now += self.random.choice((2, 15, 40, 120))
        self.say(f"it is {self.hosts.clock.now}")
        for box in self.hosts.starts:
            with suppress(EnclaveRefused):
                self.hosts.act(box, lambda box=box: box.ask(messages.PULSE, b""))

    def pry(self) -> None:
        """Ask a start for what it must not give."""
        hosts = self.hosts
        box = self.random.choice(hosts.starts)
        at = hosts.at(box)
        for node in at.path[box.certified + 1 :]:
            assert node is not None
            with suppress(EnclaveRefused):
                hosts.outcome(box, node, hosts.act(box, lambda node=node: box.outcome(node.height)))
            proof = self.random.choice(hosts.bases).proof
            with suppress(EnclaveRefused):
                hosts.act(box, lambda node=node, proof=proof: box.certify(node.height, proof))
                hosts.notes.check(proof == node.proof, "a foreign certificate is believed")
                box.certified = max(box.certified, node.height)
