"""Who certifies the next block, as the newest certified state says: what a host needs of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.engine.combining import Under
from keymoot.moot.certificate import terms_in
from keymoot.moot.certified import certificate_message
from keymoot.moot.hall import Hall, read_root
from keymoot.moot.message import is_message
from keymoot.moot.roots import CERTIFICATE
from keymoot.runtime.assembly import assembly_in
from keymoot.store.state import State
from keymoot.threshold.root import Root

_OTHER_PAGES = (f"next/{CERTIFICATE}", f"before/root/{CERTIFICATE}")
"""Pages of the same root as the next epoch shares it, and as the one before did."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a certified state says of those who certify.

    Attributes:
        generation: In which it lives.
        root: The certificate root, with the verification shares of the living epoch.
        others: The same root as other epochs share it, one of which may be the living one after
            a block that begins a generation: the next one's, once it is dealt, and the one before.
        members: Their seats.
        faults: How many of them may be broken.
        answering: How many make an ECDSA signature, whoever of them lies.
    """

    network: NetworkId
    generation: Hash32
    root: Root
    others: tuple[Root, ...]
    members: frozenset[int]
    faults: int
    answering: int

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
    return standing_of(assembly_in(state, network).hall)


def standing_of(hall: Hall) -> Standing:
    """Read who certifies what follows a state, from the assembly's pages in it.

    Raises:
        NotReady: its network has no roots yet.
    """
    pages = (hall.pages.get(name) for name in _OTHER_PAGES)
    others = tuple(read_root(CERTIFICATE, raw) for raw in pages if raw is not None)
    root, head = hall.root(CERTIFICATE), hall.head
    members, faults = frozenset(head.members), hall.committee.faults
    answering = hall.committee.ecdsa_degree + 1 + faults
    return Standing(hall.network, head.generation, root, others, members, faults, answering)


def orders_in(transactions: Iterable[bytes]) -> tuple[Hash32, ...]:
    """Give the generations that the recovery orders among some transactions name."""
    orders = (terms for terms in map(terms_in, transactions) if terms is not None)
    return tuple(dict.fromkeys(terms.digest() for terms in orders))


def speaks(transactions: Iterable[bytes]) -> bool:
    """Tell whether a node's message is among some transactions: only these change who certifies."""
    return any(map(is_message, transactions))


def _under(
    standing: Standing, root: Root, generation: Hash32, height: Height, block_hash: Hash32
) -> Under:
    message = certificate_message(standing.network, generation, height, block_hash)
    return Under(root, generation, message)
