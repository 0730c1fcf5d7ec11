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
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, terms_in
from keymoot.moot.certified import certificate_message
from keymoot.moot.party import Party
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import CERTIFICATE
from keymoot.store.header import Header
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1


@dataclass(frozen=True, slots=True)
class Mark:
    """A block on the chain of this start.

    Attributes:
        generation: The generation after it.
    """

    height: Height
    hash: Hash32
    generation: Hash32

    @staticmethod
    def of(header: Header) -> "Mark":
        """Mark the block of a header."""
        return Mark(header.height, header.hash, header.generation)


@dataclass
class Signer:
    """Gives this start's share of a block's certificate, or nothing."""

    network: NetworkId
    party: Party
    _last: Height = Height(0)
    _signed: dict[Height, tuple[Hash32, bytes]] = field(default_factory=dict)

    def by_parent(self, header: Header, certified: Mark, before: Assembly) -> bytes:
        """Sign a block whose parent is certified.

        Args:
            header: Of the block.
            certified: The newest block whose certificate was shown.
            before: The assembly in the state after `certified`: it says who signs.
        """
        parent = (header.height - 1, header.parent_hash, header.generation)
        if parent != (certified.height, certified.hash, certified.generation):
            return b""
        if not self.party.seated(before):
            return b""
        return self._share(header, self.party.shares_in(before))

    def by_order(self, header: Header, order: Certificate | None, after: Assembly) -> bytes:
        """Sign a block that begins a generation.

        Args:
            header: Of the block.
            order: The terms whose digest names the generation; None if the block has none.
            after: The assembly in the state after the block: the order may have gone back to
                the epoch before, whose shares sign then.
        """
        if order is None or order.digest() != header.generation:
            return b""
        boot = self.party.boot.public
        if order.boots.get(self.party.index) != boot or not self.party.seated(after):
            return b""
        return self._share(header, self.party.shares_in(after))

    def again(self, header: Header) -> bytes:
        """Give a share that was given before."""
        name, share = self._signed.get(header.height, (None, b""))
        return share if name == header.hash else b""

    def forget(self, below: Height) -> None:
        """Forget the shares of blocks below a height; none is ever signed anew."""
        for height in [one for one in self._signed if one < below]:
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


def order_in(transactions: Iterable[bytes], generation: Hash32) -> Certificate | None:
    """Give the terms of the recovery order that names a generation, if it is among these."""
    orders = (terms for terms in map(terms_in, transactions) if terms is not None)
    return next((terms for terms in orders if terms.digest() == generation), None)
