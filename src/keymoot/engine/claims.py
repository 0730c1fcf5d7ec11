"""What replicas say that a block did: believed once enough of them say the same."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keymoot.base.errors import Fault, Malformed
from keymoot.base.fixed import Hash32
from keymoot.engine.chain_store import Done
from keymoot.engine.stored_block import StoredBlock
from keymoot.runtime.block import Block
from keymoot.runtime.outcome import Outcome, outcome_digest
from keymoot.store.state import STATE_PREFIXES


class BadOutcome(Fault):
    """What a replica gave is not what a certified block did."""

    code = "BAD_OUTCOME"


@dataclass
class Claims:
    """Digests of one block's outcome by seat, and the outcomes that came with them.

    Attributes:
        digests: What each seat said.
        asked: Seats that were asked to say it with the certificate.
    """

    digests: dict[int, Hash32] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    _contents: dict[Hash32, bytes] = field(default_factory=dict)

    def hear_digest(self, seat: int, digest: Hash32) -> None:
        """Take a digest; what a seat said first counts."""
        self.digests.setdefault(seat, digest)

    def hear(self, seat: int, outcome: bytes) -> None:
        """Take a whole outcome; it counts as its digest, if the seat has not given another."""
        digest = outcome_digest(outcome)
        if self.digests.setdefault(seat, digest) == digest:
            self._contents[digest] = outcome

    def believed(self, seats: Iterable[int], needed: int) -> Hash32 | None:
        """Give the digest that enough of these seats gave, or None."""
        said = [self.digests[seat] for seat in seats if seat in self.digests]
        return next((one for one in said if said.count(one) >= needed), None)

    def content(self, digest: Hash32) -> bytes | None:
        """Give the outcome of a digest, if one came."""
        return self._contents.get(digest)

    def sayers(self, digest: Hash32) -> list[int]:
        """Give the seats that gave this digest."""
        return [seat for seat, said in self.digests.items() if said == digest]

    def others(self, digest: Hash32) -> list[int]:
        """Give the seats that gave another one."""
        return [seat for seat, said in self.digests.items() if said != digest]


def read_outcome(raw: bytes, block: Block, name: Hash32) -> Done:
    """Read what a block did.

    Args:
        raw: As enough replicas gave it.
        block: The block.
        name: Its certified hash.

    Raises:
        BadOutcome: it is of another block, or writes what is no state.
    """
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
    return Done(StoredBlock(outcome.header, block.transactions), outcome)
