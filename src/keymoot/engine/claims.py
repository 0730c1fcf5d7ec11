"""What replicas say that a block did: believed once enough of them say the same."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keymoot.base.errors import Fault, Malformed
from keymoot.base.fixed import Hash32
from keymoot.engine.chain_store import CertifiedBlock
from keymoot.engine.stored_block import StoredBlock
from keymoot.runtime.block import Block
from keymoot.runtime.outcome import Outcome, outcome_digest
from keymoot.store.state import STATE_PREFIXES


class BadOutcome(Fault, code="BAD_OUTCOME"):
    """What a replica gave is not what a certified block did."""


@dataclass
class OutcomeClaims:
    """Digests of one block's outcome by seat, and the outcomes that came with them.

    Attributes:
        digests: What each seat said.
        asked: Seats that were asked to say it with the certificate.
    """

    digests: dict[int, Hash32] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    _contents: dict[Hash32, bytes] = field(default_factory=dict)

    def add_digest(self, seat: int, digest: Hash32) -> None:
        """Take a digest; what a seat said first counts."""
        self.digests.setdefault(seat, digest)

    def add(self, seat: int, outcome: bytes) -> None:
        """Take a whole outcome; it counts as its digest, if the seat has not given another."""
        digest = outcome_digest(outcome)
        if self.digests.setdefault(seat, digest) == digest:
            self._contents[digest] = outcome

    def believed(self, seats: Iterable[int], needed: int) -> Hash32 | None:
        """Give the digest that enough of these seats gave, or None."""
        said = [self.digests[seat] for seat in seats if seat in self.digests]
        return next((outcome for outcome in said if said.count(outcome) >= needed), None)

    def content(self, digest: Hash32) -> bytes | None:
        return self._contents.get(digest)

    def sayers(self, digest: Hash32) -> list[int]:
        return [seat for seat, said in self.digests.items() if said == digest]

    def others(self, digest: Hash32) -> list[int]:
        return [seat for seat, said in self.digests.items() if said != digest]


def read_outcome(raw: bytes, block: Block, name: Hash32) -> CertifiedBlock:
    """Read what a block with the certified hash `name` did, as enough replicas gave it."""
    try:
        outcome = Outcome.decode(raw)
    except Malformed as error:
        raise BadOutcome(f"the outcome of block {block.height} is none: {error}") from error
    # 1. The header is the certified one.
    if outcome.header.hash != name:
        raise BadOutcome(f"the outcome of block {block.height} has another header")
    # 2. Each transaction has a receipt.
    if len(outcome.receipts) != len(block.transactions):
        raise BadOutcome(f"the outcome of block {block.height} has another count of receipts")
    # 3. It writes state and nothing else: the chain stands in the same table.
    if any(key[:1] not in STATE_PREFIXES for key in outcome.writes):
        raise BadOutcome(f"the outcome of block {block.height} writes beside the state")
    return CertifiedBlock(StoredBlock(outcome.header, block.transactions), outcome)
