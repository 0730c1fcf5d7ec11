"""What a run has seen, and what must never be among it.

*Always*, whatever hosts, disks and f enclaves do: no presignature answers two things; no nonce r
twice; no limit is passed; no height of a generation has two certificates; no enclave of other code
is a member; what was acknowledged is there; what a command said is true. *Sometimes*: what has to
happen in some run, or the runs prove little.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.engine.chain_store import CertifiedRun
from keymoot.engine.ledger import Included, Ledger
from keymoot.threshold import ecdsa
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.presignature import Presignature
from keymoot.threshold.secp256k1 import SECP256K1

SOMETIMES = (
    "signatures",
    "refusals",
    "an epoch turned",
    "a member joined",
    "one left",
    "a recovery",
    "a cheat named",
    "stock ran dry",
    "a block had to wait for its certificate",
    "an old disk",
    "a clone",
    "a stranger at the door",
    "a full disk",
    "a node's end",
)
"""What has to have happened in some of many runs."""


class Violation(AssertionError):
    """Something happened that must never happen."""


class Notes:
    """What came of a run.

    Attributes:
        counts: How often what happened.
        spent: What signatures move in all, in wei.
        limit: The highest limit that was ever in force.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.spent = self.limit = 0
        self._answers: dict[bytes, tuple[bytes, int]] = {}
        self._nonces: dict[bytes, Hash32] = {}
        self._certified: dict[tuple[bytes, Height], Hash32] = {}
        self._done: dict[Hash32, tuple[Height, Hash32]] = {}
        self._counted: dict[str, Any] = {}
        self._paid: set[Hash32] = set()

    # -- always

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at each share of a signature as an enclave makes it."""
        real = ecdsa.sign

        def sign(presignature: Presignature, work: Task) -> SignatureShare:
            point = SECP256K1.encode(presignature.point)
            answer = bytes(work.digest), work.delta
            if self._answers.setdefault(point, answer) != answer:
                raise Violation("one presignature has two answers that differ")
            return real(presignature, work)

        with patch.object(ecdsa, "sign", sign):
            yield

    def signed(self, digest: Hash32, signature: bytes, value: int) -> None:
        """Raise Violation where its r signs something else too, or a limit is passed."""
        if self._nonces.setdefault(signature[:32], digest) != digest:
            raise Violation("one r signs two digests")
        self.counts["signatures"] += 1
        if digest not in self._paid:
            self._paid.add(digest)
            self.spent += value
        if self.spent > self.limit:
            raise Violation(
                f"{self.spent} wei are signed away, the limit never was over {self.limit}"
            )

    def certified(self, covered: CertifiedRun) -> None:
        """Raise Violation where another block of this height and generation has a certificate."""
        for done in covered.blocks:
            header = done.outcome.header
            name = bytes(header.generation), header.height
            if self._certified.setdefault(name, header.hash) != header.hash:
                raise Violation(f"two blocks of height {header.height} are certified")
        if len(covered.blocks) > 1:
            self.counts["a block had to wait for its certificate"] += 1
        self.counts["blocks"] += len(covered.blocks)
        self.counts["height"] = covered.newest.height

    def acknowledged(self, included: Included) -> None:
        name = included.receipt.transaction_hash
        self._done[name] = included.block.height, included.block.header.hash

    def check_done(self, ledger: Ledger) -> None:
        """Raise Violation where what was acknowledged is gone, or elsewhere."""
        for name, (height, block) in self._done.items():
            included = ledger.transaction(name)
            if (
                included is None
                or included.block.height != height
                or included.block.header.hash != block
            ):
                raise Violation(f"an acknowledged transaction of block {height} is gone")

    # -- sometimes

    def observe(self, machine: CommitteeMachine) -> None:
        head, epoch = machine.state.record, machine.epochs.current
        members = frozenset(head.members)
        before = self._counted.get("members", members)
        self.counts["a member joined"] += len(members - before)
        self.counts["one left"] += len(before - members)
        self._grown("an epoch turned", 0 if epoch is None else epoch.number)
        self._grown("a recovery", head.recoveries)
        self._grown("a cheat named", len(head.cheats))
        self._counted["members"] = members
        if machine.state.ready and not machine.stock.left():
            self.counts["stock ran dry"] += 1

    def _grown(self, what: str, number: int) -> None:
        before = self._counted.get(what, number)
        self.counts[what] += max(0, number - before)
        self._counted[what] = number


def summed(notes: Iterable[Notes]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for note in notes:
        counts.update(note.counts)
    return counts
