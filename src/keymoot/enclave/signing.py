"""Which blocks a start signs: its shares of their certificates, one of each height.

Two ways lead to a share of block h. Either its parent's certificate was shown, in the same
generation, and the state which that certificate covers names this very start. Or the block
begins a generation, and the recovery order in it names this start; then its parent needs no
certificate. A start signs rising heights only: it executes each once, and never goes back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.participant import Participant
from keymoot.committee.recovery.order import RecoveryOrder, terms_in
from keymoot.committee.reshare.member import Shares
from keymoot.committee.roots import CERTIFICATE
from keymoot.store.header import Header
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1


@dataclass(frozen=True, slots=True)
class BlockMark:
    """A block on the chain of this start.

    Attributes:
        generation: The generation after it.
    """

    height: Height
    hash: Hash32
    generation: Hash32

    @staticmethod
    def of(header: Header) -> "BlockMark":
        return BlockMark(header.height, header.hash, header.generation)


@dataclass
class Signer:
    """Gives this start's share of a block's certificate, or nothing."""

    network: NetworkId
    participant: Participant
    _last: Height = Height(0)
    _signed: dict[Height, tuple[Hash32, bytes]] = field(default_factory=dict)

    def by_parent(self, header: Header, certified: BlockMark, before: CommitteeMachine) -> bytes:
        """Sign a block whose parent is `certified`, the newest block whose certificate was shown.

        The committee in the state after that, `before`, says who signs.
        """
        parent = (header.height - 1, header.parent_hash, header.generation)
        if parent != (certified.height, certified.hash, certified.generation):
            return b""
        if not self.participant.seated(before):
            return b""
        return self._share(header, self.participant.shares_in(before))

    def by_order(
        self, header: Header, order: RecoveryOrder | None, after: CommitteeMachine
    ) -> bytes:
        """Sign a block that begins a generation, named by the digest of `order`, if there is one.

        The committee is that of the state after the block: the order may have gone back to the
        epoch before, whose shares sign then.
        """
        if order is None or order.digest() != header.generation:
            return b""
        session = self.participant.session.public
        if order.sessions.get(self.participant.index) != session or not self.participant.seated(
            after
        ):
            return b""
        return self._share(header, self.participant.shares_in(after))

    def again(self, header: Header) -> bytes:
        name, share = self._signed.get(header.height, (None, b""))
        return share if name == header.hash else b""

    def forget(self, below: Height) -> None:
        """Forget the shares of blocks below a height; none is ever signed anew."""
        for height in [old for old in self._signed if old < below]:
            del self._signed[height]

    def _share(self, header: Header, shares: Shares) -> bytes:
        # Heights rise: not even a fault in what comes before has us sign one of them twice.
        own = shares.get(CERTIFICATE)
        if own is None or header.height <= self._last:
            return b""
        message = certificate_message(self.network, header.generation, header.height, header.hash)
        share = G1.encode(bls.sign(own, message))
        self._last = header.height
        self._signed[header.height] = header.hash, share
        return share


def order_in(transactions: Iterable[bytes], generation: Hash32) -> RecoveryOrder | None:
    """Give the terms of the recovery order that names a generation, if it is among these."""
    orders = (terms for terms in map(terms_in, transactions) if terms is not None)
    return next((terms for terms in orders if terms.digest() == generation), None)
