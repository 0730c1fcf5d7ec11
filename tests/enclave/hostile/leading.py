"""A run of hosts from its seed: chains, starts led along them, and the trace of all that."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.enclave.channel import EnclaveRefused
from tests.enclave.box import Box
from tests.enclave.hostile.hosts import Hosts
from tests.enclave.hostile.quick import quick
from tests.enclave.hostile.stage import Stage
from tests.enclave.hostile.tree import Node, View
from tests.enclave.hostile.wishes import Wishes

MOST_TIPS, MOST_STARTS, MOST_TAIL, MOST_DISKS = 4, 12, 3, 40


class Leader:
    """What runs are made of; every choice is drawn from the seed, and written down."""

    def __init__(self, stage: Stage, folder: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.seed, self.random, self.trace = seed, Random(seed), list[str]()
        patch.setattr("os.urandom", self.random.randbytes)
        quick(self.random, patch)
        self.hosts = Hosts(stage, folder, self.random, patch)
        self.wishes = Wishes(stage, self.random)
        self.orders: list[tuple[bytes, str]] = []
        self.done = 0
        self.held: dict[int, int] = {}

    def say(self, what: str) -> None:
        self.trace.append(what)

    def name(self, box: Box) -> str:
        return f"{box.seat}:{box.identity.session.signing.hex()[:4]}"

    def tip(self) -> Node:
        """Choose a chain: rather one with many starts on it."""
        tips = self.hosts.tips
        weights = [1 + 4 * len({one.seat for one in self.awake(tip)}) for tip in tips]
        return self.random.choices(tips, weights)[0]

    def awake(self, tip: Node) -> list[Box]:
        """Give the starts on a chain that nobody holds back."""
        return [one for one in self.hosts.on(tip) if self.held.get(id(one), 0) <= self.done]

    def branch_at(self, node: Node) -> None:
        hosts = self.hosts
        if len(hosts.tips) >= MOST_TIPS:
            hosts.tips.remove(min(hosts.tips, key=lambda one: len(hosts.on(one))))
        hosts.tips.append(node)
        self.say(f"fork at {node.number}")

    def grow(self, tip: Node, raws: list[bytes], wishes: float = 0.55) -> Node:
        """Decide a block; wishes come with it."""
        if tip.height - tip.certified.height >= MOST_TAIL:
            return tip
        kinds = []
        while self.random.random() < wishes:
            kind, raw = self.wishes.some(tip, self.hosts.clock.now)
            kinds.append(kind)
            raws.insert(self.random.randint(0, len(raws)), raw)
        node = self.hosts.decide(tip, raws)
        said = [NodeMessage.decode(raw).kind.name for raw in raws if raw[0] == 0x4E]
        self.say(f"block {node.number} on {tip.number}: {' '.join(said + kinds)}")
        return node

    def grow_with(self, tip: Node, which: int) -> None:
        raw, _ = self.orders[which]
        if raw in tip.known:
            return
        node = self.grow(tip, [raw])
        if self.random.random() < 0.6:
            self.lead(node, self.awake(node))

    def lead(self, tip: Node, boxes: list[Box], care: float = 1.0, pace: float = 1.0) -> None:
        """Lead starts to a block as far as they go, and certify what can be certified.

        Args:
            tip: The block.
            boxes: Starts on its chain.
            care: How often a certificate is shown when it can be.
            pace: How often a block is executed when it can be.
        """
        done: set[tuple[int, int, str]] = set()
        again = True
        while again:
            again = False
            for box in boxes:
                with suppress(EnclaveRefused):
                    again |= self._step(box, tip, (care, pace), done)
            for node in tip.path[tip.certified.height + 1 :]:
                assert node is not None
                if self.hosts.combine(node):
                    again = True
                    self.say(f"certificate of {node.number}")

    def _step(
        self,
        box: Box,
        tip: Node,
        odds: tuple[float, float],
        done: set[tuple[int, int, str]],
    ) -> bool:
        """Show a start one more thing; tell whether there was any."""
        hosts, at = self.hosts, self.hosts.at(box)
        if box.lost or not tip.holds(at):
            return False
        path = tip.path
        for node in path[box.certified + 1 : at.height + 1]:
            assert node is not None
            if node.proof and self._once(done, box, node, "show"):
                if self.random.random() < odds[0]:
                    self.say(f"{self.name(box)} is shown the certificate of {node.number}")
                    hosts.show(box, node)
                return True
        above = path[box.certified + 1] if box.certified < at.height else None
        if above is not None and self._once(done, box, above, "again"):
            hosts.execute(box, above)
            return True
        if at is tip or at.height - box.certified > MOST_TAIL or self.random.random() > odds[1]:
            return False
        node = path[at.height + 1]
        assert node is not None
        self.say(f"{self.name(box)} executes {node.number}")
        hosts.execute(box, node)
        return True

    @staticmethod
    def _once(done: set[tuple[int, int, str]], box: Box, node: Node, what: str) -> bool:
        new = (id(box), id(node), what) not in done
        done.add((id(box), id(node), what))
        return new

    def base(self) -> Node:
        """Choose a certified block: rather a late one."""
        bases = self.hosts.bases
        return self.random.choice(bases[-8:] if self.random.random() < 0.7 else bases)

    def begin(self, seat: int, folder: Path, base: Node) -> Box | None:
        hosts = self.hosts
        while len(hosts.starts) >= MOST_STARTS:
            most = Counter(one.seat for one in hosts.starts).most_common(1)[0][0]
            hosts.starts.remove(next(one for one in hosts.starts if one.seat == most))
        with suppress(EnclaveRefused):
            box = hosts.start(seat, folder, base)
            box.ahead = self.random.choice((0, 0, 0, -(10**6), 5))
            self.say(f"{self.name(box)} begins at {base.number} (height {base.height})")
            return box
        return None

    def over(self, box: Box, base: Node) -> None:
        view = View(base)
        place = self.hosts.tree.place(base)
        self.hosts.act(box, lambda: box.begin(place, view))  # type: ignore[arg-type]
        self.hosts.notes.at[id(box)] = base
        self.say(f"{self.name(box)} goes over to {base.number} (height {base.height})")

    def endorse(self, tip: Node, base: Node, named: dict[int, Box]) -> None:
        """Have an order endorsed that ends the generation of a chain."""
        hosts, seats = self.hosts, sorted(named)
        assert base.hash is not None
        previous = hosts.generation(tip)
        sessions = {seat: named[seat].identity.session for seat in seats}
        terms = RecoveryOrder(
            hosts.tree.genesis.network, previous, base.height, base.hash, sessions
        )
        unsigned, signed = SignedRecoveryOrder(terms, {}).encode(), {}
        for seat in seats:
            box = named[seat]
            signed[seat] = hosts.act(box, lambda box=box: box.endorse(unsigned))
        body = SignedRecoveryOrder(terms, signed).encode()
        raw = NodeMessage(terms.network, previous, 0, Kind.RECOVER, body).encode()
        names = " ".join(self.name(named[seat]) for seat in seats)
        self.orders.append((raw, names))
        self.say(f"order {len(self.orders)} on {base.number} names {names}")
