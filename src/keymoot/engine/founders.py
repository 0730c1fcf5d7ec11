"""The founding as its host sees it: blocks without certificates, up to the founders' record.

What they did stays in memory until all founders have signed the record: a network that is not
founded leaves nothing behind. Nothing is confidential yet, so replicas tell outcomes freely.
"""

from collections.abc import Mapping

from keymoot.base.fixed import Hash32
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.roots import ROOTS
from keymoot.crypto import ed25519
from keymoot.engine.chain_store import CertifiedBlock, ChainStore
from keymoot.runtime.block import Tip
from keymoot.runtime.committee_pages import committee_in
from keymoot.store.state import State
from keymoot.store.table import Batch, OverlayTable
from keymoot.threshold.committee import Committee


class Founders:
    """The blocks of a founding, and the record that ends it.

    Attributes:
        tip: The newest block of which enough replicas told what it did.
        done: These blocks.
    """

    def __init__(self, chain: ChainStore) -> None:
        self._chain = chain
        self._founders = chain.genesis.founders()
        self._writes: Batch = {}
        self.committee = Committee.of(len(self._founders))
        self.tip: Tip = chain.tip
        self.done: list[CertifiedBlock] = []

    def add(self, done: CertifiedBlock) -> None:
        self.done.append(done)
        self._writes.update(done.outcome.writes)
        self.tip = Tip.of(done.block.header)

    def state(self) -> State:
        table = OverlayTable(self._chain.snapshot, self._writes)
        return State(table, self.tip.state_root, self._chain.cache)

    def due(self, signatures: Mapping[int, bytes]) -> bool:
        """Tell whether the newest block is the record's: more sign than may be broken."""
        return len(signatures) > self.committee.faults

    def unsigned(self) -> FoundingRecord:
        """Give what founders sign after the newest block."""
        state = committee_in(self.state(), self._chain.genesis.network).state
        roots = {kind.name: kind.group.encode(state.root(kind.name).public) for kind in ROOTS}
        return FoundingRecord(
            self._chain.genesis.network, self.tip.height, Hash32(self.tip.hash), roots
        )

    def wrong(self, record: FoundingRecord, signatures: Mapping[int, bytes]) -> list[int]:
        """Give the seats whose signature is not their session's under the record."""
        digest = record.digest()
        return [
            seat
            for seat, signature in signatures.items()
            if seat not in self.committee
            or not ed25519.verify(self._founders[seat - 1].session.signing, digest, signature)
        ]

    def complete(
        self, record: FoundingRecord, signatures: Mapping[int, bytes]
    ) -> FoundingRecord | None:
        """Give the record once all founders have signed it, or None."""
        for seat in sorted(signatures):
            record = record.signed(seat, signatures[seat])
        if record.signatures.keys() != set(self.committee.indices):
            return None
        record.check(self._chain.genesis)
        return record
