"""Hosts that schedule everything, with one broken seat: random runs, each from its seed.

They keep disks and start enclaves on them again, make branches, hold back blocks and
certificates, have orders endorsed that nobody posts, and sign with the broken seat whatever
is of use. Enclaves are real ones behind their doors. What honest ones did is written down.
"""

import shutil
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.enclave import held
from keymoot.enclave.client import EnclaveRefused
from keymoot.engine.combining import Under, combine
from keymoot.engine.standing import orders_in, standing_in
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.roots import CERTIFICATE
from keymoot.node.recovery import generation_after
from keymoot.runtime.block import Block
from keymoot.threshold import bls, ecdsa
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Box, Branch
from tests.enclave.network import Network
from tests.runtime.people import Play, payment

BROKEN = 4
MOST_BRANCHES, MOST_STARTS, MOST_TAIL = 3, 9, 3


@dataclass
class Notes:
    """What honest enclaves did, and what came of it.

    Attributes:
        spent: Of each presignature, by its point: the digests and δ it was answered under.
        certified: Of each height of each generation: the blocks that got a certificate.
        orders: Generations that came to be.
    """

    spent: dict[bytes, set[tuple[bytes, int]]] = field(default_factory=lambda: defaultdict(set))
    certified: dict[tuple[bytes, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    orders: set[bytes] = field(default_factory=set)

    @property
    def broken(self) -> bool:
        """Whether a presignature served twice, or a height has two certified blocks."""
        return any(len(one) > 1 for one in (*self.spent.values(), *self.certified.values()))


class Adversary:
    """One run."""

    def __init__(
        self, network: Network, play: Play, folder: Path, seed: int, patch: pytest.MonkeyPatch
    ) -> None:
        self.network, self.play, self.folder = network, play, folder
        self.random, self.notes = Random(seed), Notes()
        self.branches, self.base = [network.branch], network.branch.top
        self.starts = list(network.boxes.values())
        self.disks = [(one.seat, one.folder) for one in self.starts]
        self.requests: list[Hash32] = []
        self.orders: list[bytes] = []
        self.acting: Box | None = None
        # Of each chain of blocks: what enclaves gave for its last one.
        self.ballots: dict[Hash32, dict[int, tuple[Hash32, bytes]]] = defaultdict(dict)
        self.executed = {
            id(one): self.name(network.branch, network.branch.top) for one in self.starts
        }
        broken = network.boxes[BROKEN].enclave
        assert broken.start is not None
        self.share = broken.start.party.shares[CERTIFICATE]
        self.identity = broken.keep.now.identity
        patch.setattr(held.ecdsa, "sign", self._sign)

    def run(self, steps: int) -> Notes:
        """Do so many things that hosts may do."""
        deeds = [self.drive] * 8 + [self.extend] * 3 + [self.feed, self.show, self.combine] * 2
        deeds += [self.answer, self.restart, self.fork, self.keep, self.order, self.order]
        for _ in range(steps):
            with suppress(EnclaveRefused, Refused):
                self.random.choice(deeds)()
            self.acting = None
        return self.notes

    # -- what hosts do

    def fork(self) -> None:
        """Go on from an earlier block with other blocks."""
        branch = self.random.choice(self.branches)
        if len(self.branches) >= MOST_BRANCHES:
            self.branches.remove(self.random.choice(self.branches[1:]))
        low = max(self.base, branch.top - 4)
        self.branches.append(branch.copy(Height(self.random.randint(low, branch.top))))

    def extend(self) -> None:
        """Decide a block of what there is."""
        branch = self.random.choice(self.branches)
        if branch.top - branch.certified >= MOST_TAIL:
            return
        said = list(dict.fromkeys(self.network.said))[-24:]
        raws = self.random.sample(said, self.random.randint(0, len(said)))
        if self.random.random() < 0.6:
            value = self.random.randint(1, 99)
            raw, key = self.network.request(self.play, payment(value).unsigned_bytes())
            self.requests.append(key)
            raws.append(raw)
        if self.orders and self.random.random() < 0.2:
            raws.append(self.random.choice(self.orders))
        self._decide(branch, raws)

    def drive(self) -> None:
        """Lead some starts on along a branch, as hosts that work do; with gaps here and there."""
        branch = self.random.choice(self.branches)
        for box in self.random.sample(self.starts, min(len(self.starts), 3)):
            with suppress(EnclaveRefused):
                for height in range(box.next, branch.top + 1):
                    if self._on(box, branch) and self.random.random() < 0.9:
                        self._execute(box, branch, Height(height))
                for at in sorted(branch.proofs):
                    follows = box.certified < at < box.next and self._on(box, branch)
                    if follows and self.random.random() < 0.85:
                        box.branch = branch
                        self._certify(box, branch, at)
                above = Height(branch.certified + 1)
                if self._on(box, branch) and box.certified < above < box.next:
                    self._execute(box, branch, above)
        self._combine_all(branch)

    def feed(self) -> None:
        """Have a start execute the next block of a branch that it is on, or the last one again."""
        box, branch = self.random.choice(self.starts), self.random.choice(self.branches)
        if not self._on(box, branch):
            return
        height = box.next if self.random.random() < 0.8 else Height(box.next - 1)
        if height in branch.blocks and height > box.certified:
            self._execute(box, branch, height)

    def combine(self) -> None:
        """Make a certificate of shares and the broken seat's, and take what leaves under it."""
        self._combine_all(self.random.choice(self.branches))

    def _combine_all(self, branch: Branch) -> None:
        for height in range(branch.certified + 1, branch.top + 1):
            found = self.ballots.get(self.name(branch, Height(height)), {})
            if found:
                self._combine(branch, Height(height), found)

    def show(self) -> None:
        """Show a start a certificate of a block that it has executed."""
        box, branch = self.random.choice(self.starts), self.random.choice(self.branches)
        shown = [at for at in branch.proofs if box.certified < at < box.next]
        if shown and self._on(box, branch):
            box.branch = branch
            self._certify(box, branch, Height(self.random.choice(shown)))

    def answer(self) -> None:
        """Ask a start for answers."""
        box = self.random.choice(self.starts)
        if box.began and self.requests:
            self._act(box, lambda: box.answer(*self.requests[-20:]))

    def keep(self) -> None:
        """Keep a copy of a disk."""
        seat, folder = self.random.choice(self.disks)
        self.disks.append((seat, self._copy(folder)))

    def restart(self) -> None:
        """Start an enclave on a disk of any time, at any certified block of any branch."""
        seat, folder = self.random.choice(self.disks)
        branch = self.random.choice(self.branches)
        box = Box(seat, self._copy(folder), self.network.said.append, self.network.clock)
        box.join(branch.genesis, seat)
        height = Height(self.random.choice(self._bases(branch)))
        self._act(box, lambda: box.begin(branch.place(height), branch))
        self.executed[id(box)] = self.name(branch, height)
        if len(self.starts) >= MOST_STARTS:
            self.starts.remove(self.random.choice(self.starts))
        self.starts.append(box)

    def order(self) -> None:
        """Have a recovery endorsed by three seats, on any certified block; post it or not."""
        branch = self.random.choice(self.branches)
        base = Height(self.random.choice(self._bases(branch)))
        header = branch.headers[base]
        raws = [
            raw
            for at in range(branch.certified + 1, branch.top + 1)
            for raw in Block.decode(branch.blocks[Height(at)]).transactions
        ]
        previous = generation_after(branch.headers[branch.certified].generation, raws)
        by_seat: dict[int, Box] = {}
        for box in self.random.sample(self.starts, len(self.starts)):
            by_seat.setdefault(box.seat, box)
        seats = self.random.sample(sorted(by_seat), min(3, len(by_seat)))
        boots = {seat: by_seat[seat].identity.boot for seat in seats}
        terms = Certificate(branch.genesis.network, previous, base, header.hash, boots)
        unsigned = SignedCertificate(terms, {}).encode()
        signed = {
            seat: ed25519.sign(self.identity, terms.digest())
            if seat == BROKEN
            else self._act(by_seat[seat], lambda box=by_seat[seat]: box.endorse(unsigned))
            for seat in seats
        }
        body = SignedCertificate(terms, signed).encode()
        message = NodeMessage(branch.genesis.network, previous, 0, Kind.RECOVER, body)
        self.orders.append(message.encode())
        if self.random.random() < 0.6 and branch.top - branch.certified < 2 * MOST_TAIL:
            self._decide(branch, [message.encode()])

    # -- how

    def name(self, branch: Branch, height: Height) -> Hash32:
        """Name a chain of blocks by all that are in it."""
        name = Hash32(bytes(32))
        for at in range(1, height + 1):
            name = keccak256(name + branch.blocks[Height(at)])
        return name

    def _bases(self, branch: Branch) -> list[Height]:
        return [at for at in sorted(branch.proofs)[-6:] if at >= self.base]

    def _on(self, box: Box, branch: Branch) -> bool:
        if not box.began or box.lost or box.next - 1 > branch.top:
            return False
        return self.executed[id(box)] == self.name(branch, Height(box.next - 1))

    def _decide(self, branch: Branch, raws: list[bytes]) -> None:
        self.network.clock.now += 1
        height = Height(branch.top + 1)
        block = Block(height, UnixSeconds(self.network.clock.now), tuple(raws))
        branch.blocks[height] = block.encode()

    def _execute(self, box: Box, branch: Branch, height: Height) -> None:
        box.branch = branch
        ballot = self._act(box, lambda: box.execute(branch.blocks[height]))
        found = self.ballots[self.name(branch, height)]
        found[0] = ballot.hash, b""
        if ballot.share:
            found[box.seat] = ballot.hash, ballot.share
        if height == box.next:
            box.next = Height(height + 1)
            self.executed[id(box)] = self.name(branch, height)

    def _combine(
        self, branch: Branch, height: Height, found: dict[int, tuple[Hash32, bytes]]
    ) -> None:
        network = branch.genesis.network
        block_hash = found[0][0]
        shares = {at: one for at, (_, one) in found.items() if at not in (0, BROKEN)}
        standing = standing_in(branch.state(branch.certified), network)
        orders = orders_in(Block.decode(branch.blocks[height]).transactions)
        under = [*standing.under_orders(height, block_hash, orders)]
        under.append(standing.under(height, block_hash))
        for one in under:
            broken = G1.encode(bls.sign(self.share, one.message))
            made = combine([one], shares | {BROKEN: broken}).signature
            if made:
                self._written(branch, height, made, one)
                return

    def _written(self, branch: Branch, height: Height, proof: bytes, under: Under) -> None:
        block_hash = self.ballots[self.name(branch, height)][0][0]
        self.notes.certified[bytes(under.generation), height].add(bytes(block_hash))
        self.notes.orders.add(bytes(under.generation))
        # Some start that executed it gives what it did.
        branch.proofs[height] = proof
        for box in self.starts:
            if self._on(box, branch) and box.next > height and box.certified < height:
                box.branch = branch
                with suppress(EnclaveRefused):
                    self._certify(box, branch, height)
                if height in branch.tables:
                    return
        del branch.proofs[height]

    def _certify(self, box: Box, branch: Branch, height: Height) -> None:
        released = self._act(box, lambda: box.certify(height, branch.proofs[height]))
        box.certified = height
        table = self.network.branch
        for at, raw in enumerate(released.outcomes, released.first):
            if at not in branch.tables and Height(at - 1) in branch.tables:
                self.network.branch = branch
                self.network.take(raw)
                self.network.branch = table

    def _copy(self, folder: Path) -> Path:
        to = self.folder / f"disk-{self.random.getrandbits(64):x}"
        shutil.copytree(folder, to)
        return to

    def _act(self, box: Box, do):  # type: ignore[no-untyped-def]
        self.acting = box
        try:
            return do()
        finally:
            if box.lost and box in self.starts:
                self.starts.remove(box)

    def _sign(self, presignature, work):  # type: ignore[no-untyped-def]
        """Note under what an honest enclave answers; let it."""
        if self.acting is None or self.acting.seat != BROKEN:
            point = SECP256K1.encode(presignature.point)
            self.notes.spent[point].add((bytes(work.digest), work.delta))
        return _SIGN(presignature, work)


_SIGN = ecdsa.sign
