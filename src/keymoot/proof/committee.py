"""Who keeps a network's keys, proved: members, their identities, the roots and their shares.

All of it stands on pages of the contract Nodes. The proof holds exactly the pages that are
read here; so whoever shows less, or more, is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from keymoot.base.fixed import Bytes32
from keymoot.committee.pages import EPOCH, HEAD, ROOT, SEAT, PageName
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.reshare.record import Epoch
from keymoot.committee.roots import CERTIFICATE, ROOTS, RootKind
from keymoot.committee.seat import Seat
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof, Storage
from keymoot.store.header import Header
from keymoot.store.public import public_slot
from keymoot.threshold.committee import Committee
from keymoot.threshold.root import Root

T = TypeVar("T")


def page_slot(name: str) -> Bytes32:
    return public_slot(_key(name))


def page_names(head: CommitteeRecord) -> Iterator[str]:
    """Name the pages that a proof of the committee with this head holds, in their order."""
    yield from (HEAD.name, EPOCH.name)
    yield from (page.name for page in ROOT.values())
    yield from (SEAT.of(index).name for index in head.members)


@dataclass(frozen=True, slots=True)
class ProvenCommittee:
    """The committee in one certified state; only `check_committee` makes one.

    Attributes:
        header: The block after which it stands like this.
        head: Members, generation, who was caught.
        roots: Each root by its name, with its verification shares.
    """

    header: Header
    head: CommitteeRecord
    epoch: Epoch
    seats: Mapping[int, Seat]
    roots: Mapping[str, Root]

    @property
    def committee(self) -> Committee:
        return Committee(self.head.members)

    @property
    def identities(self) -> dict[int, Bytes32]:
        """By seat: who signs answers."""
        return {index: seat.identity for index, seat in self.seats.items()}

    @property
    def vendors(self) -> dict[int, str]:
        """By seat: who vouched for its enclave when it was taken in (`attest.quorum.maker_of`)."""
        return {index: seat.vendor for index, seat in self.seats.items()}

    def root_at(self, name: str, height: Any) -> Root | None:
        """Give the root under which a block's requests were bound, at a height that somebody says.

        With an epoch everyone's share changes: under another one's root, honest ones look bad.
        None where another epoch began since, may have begun, or nobody says.
        """
        # What the block that begins an epoch binds, it binds before: commitments burn with it.
        within = isinstance(height, int) and self.epoch.since_height < height <= self.header.height
        return self.roots[name] if within else None


def check_committee(proof: AccountProof, header: Header, verifying_key: bytes) -> ProvenCommittee:
    """Give the committee that a believed header's state has.

    Args:
        proof: Of the contract Nodes and the pages that `page_names` lists.
        header: Believed (`FollowedChain.follow`).
        verifying_key: The network's.

    Raises:
        NotProven: another contract, pages that are missing or too many, or pages that
            contradict each other.
    """
    # 1. It is proved of Nodes, under this header.
    if proof.address != Nodes.ADDRESS:
        raise NotProven(f"the committee is proved of the contract Nodes, {Nodes.ADDRESS.hex0x}")
    storage = proof.check(header.state_root)
    head = _page(storage, HEAD)
    # 2. Exactly the pages that this head calls for.
    names = list(page_names(head))
    if storage.slots.keys() != {page_slot(name) for name in names}:
        raise NotProven(
            f"a proof of this committee holds {len(names)} pages: head, epoch, its roots and its "
            f"seats; this one holds {len(storage.slots)} slots"
        )
    # 3. The state and its header name one generation.
    if head.generation != header.generation:
        raise NotProven(f"the header of block {header.height} names another generation")
    committee = Committee(head.members)
    seats = {at: _page(storage, SEAT.of(at)) for at in committee.indices}
    roots = {kind.name: _root(storage, kind, committee) for kind in ROOTS}
    # 4. Whose certificates we believe is one of its roots.
    certificate = roots[CERTIFICATE]
    if certificate.group.encode(certificate.public) != verifying_key:
        raise NotProven("the committee's certificate root is not the network's verifying key")
    return ProvenCommittee(header, head, _page(storage, EPOCH), seats, roots)


def _root(storage: Storage, kind: RootKind, committee: Committee) -> Root:
    root = _page(storage, ROOT[kind.name])
    if root.degree != kind.degree(committee) or len(root.shares) < committee.indices[-1]:
        raise NotProven(f"the {kind.name} root is not one of a committee of {committee.size}")
    return root


def _page(storage: Storage, page: PageName[T]) -> T:
    raw = storage.cell(_key(page.name))
    if raw is None:
        raise NotProven(f'the state has no page "{page.name}": this network has no committee yet')
    return page.content.decode(raw)


def _key(name: str) -> bytes:
    return Nodes.pages.slot_key(name.encode())
