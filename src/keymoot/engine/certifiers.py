"""Who certifies the next block, as the newest certified state says: what a host needs of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.committee.messages import is_message
from keymoot.committee.pages import KEPT_ROOT, NEXT_ROOT
from keymoot.committee.recovery.order import terms_in
from keymoot.committee.roots import CERTIFICATE
from keymoot.committee.state import CommitteeState
from keymoot.engine.combining import SigningContext
from keymoot.runtime.committee_pages import committee_in
from keymoot.store.state import State
from keymoot.threshold.root import Root

_OTHER_PAGES = (NEXT_ROOT[CERTIFICATE], KEPT_ROOT[CERTIFICATE])
"""Pages of the same root as the next epoch shares it, and as the one before did."""


@dataclass(frozen=True, slots=True)
class Certifiers:
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

    def under(self, height: Height, block_hash: Hash32) -> SigningContext:
        """Give what shares are under, of a block whose parent is this state's own."""
        return _under(self, self.root, self.generation, height, block_hash)

    def under_orders(
        self, height: Height, block_hash: Hash32, orders: Iterable[Hash32]
    ) -> list[SigningContext]:
        """Give what shares may be under, of a block that begins one of these generations."""
        return [
            _under(self, root, generation, height, block_hash)
            for generation in orders
            for root in (self.root, *self.others)
        ]


def standing_in(state: State, network: NetworkId) -> Certifiers:
    """Read who certifies what follows a state."""
    return standing_of(committee_in(state, network).state)


def standing_of(state: CommitteeState) -> Certifiers:
    """Read who certifies what follows a state, from the committee's pages in it."""
    roots = (page.read(state.pages) for page in _OTHER_PAGES)
    others = tuple(root for root in roots if root is not None)
    root, head = state.root(CERTIFICATE), state.record
    members, faults = frozenset(head.members), state.committee.faults
    answering = state.committee.ecdsa_degree + 1 + faults
    return Certifiers(state.network, head.generation, root, others, members, faults, answering)


def orders_in(transactions: Iterable[bytes]) -> tuple[Hash32, ...]:
    """Give the generations that the recovery orders among some transactions name."""
    orders = (terms for terms in map(terms_in, transactions) if terms is not None)
    return tuple(dict.fromkeys(terms.digest() for terms in orders))


def speaks(transactions: Iterable[bytes]) -> bool:
    """Tell whether a node's message is among some transactions: only these change who certifies."""
    return any(map(is_message, transactions))


def _under(
    standing: Certifiers, root: Root, generation: Hash32, height: Height, block_hash: Hash32
) -> SigningContext:
    message = certificate_message(standing.network, generation, height, block_hash)
    return SigningContext(root, generation, message)
