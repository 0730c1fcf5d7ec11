"""Runs of hosts that do what a seed says, and schemes that are made of several deeds."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind, NodeMessage, NumberedBody
from keymoot.committee.seat import NewSession, SessionKeys
from keymoot.crypto import ed25519
from keymoot.enclave import messages
from keymoot.enclave.channel import EnclaveRefused
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Box
from tests.enclave.hostile.deeds import Deeds
from tests.enclave.hostile.notes import Notes, Violation
from tests.enclave.hostile.tree import Node

TAKEOVER = 0
"""How often a start goes over to another block: no enclave does, while its rules are whole."""

HOST = Secret(b"\x42" * 32)
HOST_POINT = SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(b"\x42" * 32)))


def kind_of(raw: bytes) -> Kind:
    return NodeMessage.decode(raw).kind


class Run(Deeds):
    """One run, from its seed."""

    def run(self, steps: int, only: str = "") -> Notes:
        """Do so many deeds, of all kinds or of one.

        Raises:
            Violation: what must never happen has happened; it says how.
        """
        weights: dict[Callable[[], None], int] = {
            self.sprint: 8,
            self.drive: 8,
            self.extend: 3,
            self.fork: 5,
            self.restart: 3,
            self.restart_many: 3,
            self.keep: 3,
            self.order: 4,
            self.post: 4,
            self.ask: 8,
            self.turn: 4,
            self.wait: 2,
            self.work: 6,
            self.pry: 4,
            self.forge: 4,
            self.heal: 2,
            self.hold: 6,
            self.scheme: 16,
            self.stop: 4,
            self.succeed: 4,
            self.epoch: 6,
            self.late: 4,
            self.take_over: TAKEOVER,
        }
        if only:
            weights = {getattr(self, only): 1}
        deeds = self.random.choices(list(weights), list(weights.values()), k=steps)
        try:
            for deed in deeds:
                with suppress(EnclaveRefused, Refused):
                    self.done += 1
                    deed()
                    self.hosts.notes.counts[f"did {deed.__name__}"] += 1
        except Violation as error:
            trace = "\n".join(self.trace)
            raise Violation(
                f"seed {self.seed}: {error}, after {len(self.trace)} steps\n{trace}"
            ) from error
        return self.hosts.notes

    def scheme(self) -> None:
        """Have some starts work on one chain, others on its sibling; with an order or without."""
        hosts, base = self.hosts, self.tip().certified
        if base not in hosts.tips:
            self.branch_at(base)
        plan = self.random.choice(("order", "split", "mixed"))
        there = [one for one in hosts.on(base) if hosts.at(one) is base]
        honest = [one for one in there if one.seat not in hosts.notes.broken]
        most = 1 if plan == "order" else 2
        some = self.random.sample(honest, min(len(honest), self.random.randint(1, most)))
        others = [one for one in hosts.on(base) if one not in some]
        for seat in self.random.sample((1, 2, 3, 4), self.random.randint(plan != "mixed", 3)):
            folder = self.random.choice([one for at, one in hosts.disks if at == seat])
            lower = base if self.random.random() < 0.8 else self.base()
            new = self.begin(seat, folder, lower if base.holds(lower) else base)
            if new is not None:
                group = {
                    "order": some,
                    "split": others,
                    "mixed": self.random.choice((some, others)),
                }
                group[plan].append(new)
        ordered = plan == "order" or self.random.random() < 0.4
        order = self.between(base, some, others) if ordered else b""
        top = self.scenario(base, others, order if self.random.random() < 0.2 else b"")
        if self.random.random() < 0.5:
            self.late(top)
        # The sibling begins at the same block, or a few blocks later.
        low = min(base.height + self.random.choice((0, 0, 0, 1, 2)), top.height)
        fork = top.path[low]
        assert fork is not None
        if fork not in hosts.tips:
            self.branch_at(fork)
        for box in others if TAKEOVER else ():
            if self.random.random() < 0.6:
                with suppress(EnclaveRefused):
                    self.over(box, fork.certified)
        self.scenario(fork, hosts.on(fork), order if self.random.random() < 0.8 else b"")

    def succeed(self) -> None:
        """Have a later start take a seat, and both starts work on, on two blocks above that one."""
        hosts, base = self.hosts, self.tip().certified
        if base not in hosts.tips:
            self.branch_at(base)
        seat = self.random.choice((1, 2, 3))
        self.begin(seat, self.random.choice([one for at, one in hosts.disks if at == seat]), base)
        first = self.grow(base, hosts.fresh(base), wishes=0)
        boxes = hosts.on(base)
        self.lead(first, boxes, 0.0)
        # Of each seat with two starts, one goes this way and one that way.
        some = {one.seat: one for one in self.random.sample(boxes, len(boxes))}.values()
        some = [one for one in some if one.seat == seat or self.random.random() < 0.5]
        self.lead(first, some, self.random.choice((1.0, 0.0)))
        others = [one for one in boxes if one not in some]
        self.scenario(first, some, care=self.random.choice((0.0, None)))
        if first not in hosts.tips:
            self.branch_at(first)
        self.scenario(first, others, care=self.random.choice((0.0, None)))

    def between(self, base: Node, some: list[Box], others: list[Box]) -> bytes:
        """Have an order endorsed, rather by starts of the first group than of the second."""
        mixed = self.random.sample(others, len(others)) + self.random.sample(some, len(some))
        named = {one.seat: one for one in mixed if not one.lost and self._knows(one, base)}
        with suppress(EnclaveRefused):
            self.endorse(base, base, named)
            return self.orders[-1][0]
        return b""

    def scenario(
        self, tip: Node, boxes: Sequence[Box], order: bytes = b"", care: float | None = None
    ) -> Node:
        """Decide some blocks with requests in them, and lead starts along; ask for answers."""
        if care is None:
            care = self.random.choice((1.0, 1.0, 0.6, 0.0))
        for _ in range(self.random.randint(2, 3)):
            # Where a new session is posted, the one before is over.
            sessions = self.random.random() < 0.3
            fresh = [
                one for one in self.hosts.fresh(tip) if sessions or kind_of(one) is not Kind.SESSION
            ]
            raws = [one for one in fresh if self.random.random() < 0.9]
            kind = self.random.choice(("ecdsa", "ecdsa", "frost"))
            raws.append(self.wishes.request(kind, self.hosts.clock.now))
            if order and order not in tip.known:
                raws, kind = [order], "alone"
            tip = self.grow(tip, raws, wishes=0)
            self.say(f"  in it: {kind}")
            now = [one for one in boxes if self.random.random() < 0.92]
            self.lead(tip, now, care)
            for box in now:
                with suppress(EnclaveRefused):
                    self.hosts.ask(box, self.wishes.keys[-6:])
        return tip

    def late(self, tip: Node | None = None) -> None:
        """Lead a start that is behind, with some certificates left out on the way."""
        hosts = self.hosts
        tip = tip or self.tip()
        behind = [one for one in hosts.on(tip) if tip.certified.height - one.certified > 1]
        for box in self.random.sample(behind, min(2, len(behind))):
            self.lead(tip, [box], 0.5)
            with suppress(EnclaveRefused):
                hosts.ask(box, self.wishes.keys[-12:])

    def epoch(self) -> None:
        """Have an epoch end, with some of what is said for it left out or late."""
        tip, hosts = self.tip(), self.hosts
        for box in self.awake(tip):
            with suppress(EnclaveRefused):
                hosts.act(box, lambda box=box: box.ask(messages.TURN, b""))
        for _ in range(self.random.randint(3, 7)):
            fresh = [one for one in hosts.fresh(tip) if kind_of(one) is not Kind.SESSION]
            tip = self.grow(tip, [one for one in fresh if self.random.random() < 0.93])
            self.lead(tip, self.awake(tip), self.random.choice((1.0, 0.9)))

    def stop(self) -> None:
        """Have requests bound, and stop what they may do: by the owner, or by the clock."""
        tip, hosts = self.tip(), self.hosts
        kind = self.random.choice(sorted(self.wishes.stage.wallets))
        tip = self.grow(tip, [self.wishes.request(kind, hosts.clock.now)])
        self.lead(tip, self.awake(tip))
        name = self.random.choice(("pause", "revoke", "time"))
        if name == "time":
            hosts.clock.now += 320
        else:
            tip = self.grow(tip, [self.wishes.stop(tip, name, kind)])
        tip = self.grow(tip, [])
        self.lead(tip, self.awake(tip), self.random.choice((1.0, 0.7)))
        self.ask()
        if name != "time":
            self.grow(tip, [self.wishes.stop(tip, "resume" if name == "pause" else "grant", kind)])

    def forge(self) -> None:
        """Have the broken seat say what it likes, in its own name and in others'."""
        hosts, tip = self.hosts, self.tip()
        mine = [one for one in hosts.starts if one.seat in hosts.notes.broken]
        if not mine:
            return
        box = self.random.choice(mine)
        start = box.enclave.start
        assert start is not None
        kind = self.random.choice(list(Kind))
        bodies = [NodeMessage.decode(one.raw) for one in hosts.said if one.kind is kind]
        body = self.random.choice(bodies).body if bodies else self.random.randbytes(33)
        seat = self.random.choice((1, 2, 3, 4, 4, 4))
        if self.random.random() < 0.5:
            kind, body = self._foreign(tip, seat)
        key = self.random.choice(
            (start.participant.session.signing, box.enclave.sealed.now.identity)
        )
        made = NodeMessage(hosts.tree.genesis.network, hosts.generation(tip), seat, kind, body)
        self.say(f"{self.name(box)} forges {kind.name} of seat {seat}")
        node = self.grow(tip, [made.signed(key).encode()])
        if self.random.random() < 0.7:
            self.lead(node, self.awake(node))
            self.scenario(node, self.awake(node))

    def _foreign(self, tip: Node, seat: int) -> tuple[Kind, bytes]:
        """Name a key of the hosts' as a seat's."""
        machine = self.hosts.tree.machine(tip.certified)
        if self.random.random() < 0.5:
            session = SessionKeys(Bytes32(ed25519.public_key(HOST)), HOST_POINT)
            return Kind.SESSION, NewSession(
                machine.state.seat(seat).session and machine.state.seat(seat).session.signing,
                session,
            ).encode()
        epoch = machine.epochs.current
        assert epoch is not None
        return Kind.EPOCH_KEY, NumberedBody(epoch.number + 1, HOST_POINT).encode()
