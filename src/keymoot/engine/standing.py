"""Who certifies the next block, as the newest certified state says: what a host needs of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.engine.combining import Under
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.certified import certificate_message
from keymoot.moot.hall import read_root
from keymoot.moot.message import MESSAGE_TYPE, Kind, NodeMessage
from keymoot.moot.roots import CERTIFICATE
from keymoot.runtime.assembly import assembly_in
from keymoot.store.state import State
from keymoot.threshold.root import Root

_MESSAGE = bytes((MESSAGE_TYPE,))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a certified state says of those who certify.

    Attributes:
        generation: In which it lives.
        root: The certificate root, with the verification shares of the living epoch.
        others: The same root as other epochs share it, one of which may be the living one after
            a block that begins a generation: the next one's, once it is dealt, and the one before.
        faults: How many members may be broken.
    """

    network: NetworkId
    generation: Hash32
    root: Root
    others: tuple[Root, ...]
    faults: int

    def under(self, height: Height, block_hash: Hash32) -> Under:
        """Give what shares are under, of a block whose parent is this state's own."""
        return _under(self, self.root, self.generation, height, block_hash)

    def under_orders(
        self, height: Height, block_hash: Hash32, orders: Iterable[Hash32]
    ) -> list[Under]:
        """Give what shares may be under, of a block that begins one of these generations."""
        return [
            _under(self, root, generation, height, block_hash)
            for generation in orders
            for root in (self.root, *self.others)
        ]


def standing_in(state: State, network: NetworkId) -> Standing:
    """Read who certifies what follows a state.

    Raises:
        NotReady: its network has no roots yet.
    """
    hall = assembly_in(state, network).hall
    others = []
    for which in ("next", "former"):
        raw = hall.pages.get(f"{which}/{CERTIFICATE}")
        if raw is not None:
            others.append(read_root(CERTIFICATE, raw))
    root = hall.root(CERTIFICATE)
    return Standing(network, hall.head.generation, root, tuple(others), hall.committee.faults)


def orders_in(transactions: Iterable[bytes]) -> tuple[Hash32, ...]:
    """Give the generations that the recovery orders among some transactions name."""
    found: dict[Hash32, None] = {}
    for raw in transactions:
        if raw[:1] != _MESSAGE:
            continue
        try:
            message = NodeMessage.decode(raw)
            if message.kind is Kind.RECOVER:
                found[SignedCertificate.decode(message.body).terms.digest()] = None
        except Malformed:
            continue
    return tuple(found)


def speaks(transactions: Iterable[bytes]) -> bool:
    """Tell whether a node's message is among some transactions: only these change who certifies."""
    return any(raw[:1] == _MESSAGE for raw in transactions)


def _under(
    standing: Standing, root: Root, generation: Hash32, height: Height, block_hash: Hash32
) -> Under:
    message = certificate_message(standing.network, generation, height, block_hash)
    return Under(root, generation, message)
