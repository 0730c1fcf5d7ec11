"""The pages of the committee's state: what each is called, and what stands on it.

Nothing else names a page. On the ledger a page is a cell of the contract Nodes under its name,
so these names, as what stands there, are for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from keymoot.base import rlp
from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.record import Record
from keymoot.committee.attestation import Attestation
from keymoot.committee.keygen.record import Keygen, RootOpenings
from keymoot.committee.membership.record import MembershipRecord
from keymoot.committee.nonces.record import NonceBatch, NoncePool
from keymoot.committee.page_store import Pages
from keymoot.committee.presign.inventory import Inventory
from keymoot.committee.presign.record import FIRST, SECOND, BatchPage
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.reshare.record import Epoch, KeptEpoch, Origin, RootDealings
from keymoot.committee.roots import ROOTS, RootKind
from keymoot.committee.seat import Seat
from keymoot.committee.statekey.record import Ask, FormerVersions, StateKeyStatus
from keymoot.threshold.first_round import FirstDealing
from keymoot.threshold.root import Root
from keymoot.threshold.second_round import SecondDealing

T = TypeVar("T")
R = TypeVar("R", bound=Record)
F = TypeVar("F", bound=Fixed)


@dataclass(frozen=True, slots=True)
class Content(Generic[T]):
    """What stands on a page: from its bytes, which raises Malformed, and to them."""

    decode: Callable[[bytes], T]
    encode: Callable[[T], bytes]


@dataclass(frozen=True, slots=True)
class PageName(Generic[T]):
    """One page: its name on the ledger, and what stands on it."""

    name: str
    content: Content[T]

    def read(self, pages: Pages) -> T | None:
        """Give what stands there; None where there is no such page."""
        raw = pages.get(self.name)
        return None if raw is None else self.content.decode(raw)

    def raw(self, pages: Pages) -> bytes | None:
        """Give its bytes, for whoever reads them later or nowhere."""
        return pages.get(self.name)

    def stands(self, pages: Pages) -> bool:
        return pages.get(self.name) is not None

    def write(self, pages: Pages, content: T) -> None:
        pages.set(self.name, self.content.encode(content))

    def remove(self, pages: Pages) -> None:
        pages.set(self.name, None)

    def take(self, pages: Pages, source: "PageName[T]") -> None:
        """Write what stands on another page; nothing where nothing does."""
        pages.set(self.name, pages.get(source.name))


@dataclass(frozen=True, slots=True)
class PageNames(Generic[T]):
    """The pages of one kind, which numbers tell apart."""

    pattern: str
    content: Content[T]

    def of(self, *numbers: int) -> PageName[T]:
        return PageName(self.pattern.format(*numbers), self.content)


def record(kind: type[R]) -> Content[R]:
    return Content(kind.decode, kind.encode)


def fixed(kind: type[F]) -> Content[F]:
    """A byte string stands there as it is."""
    return Content(kind, bytes)


def root(kind: RootKind) -> Content[Root]:
    """Its group goes without saying."""

    @lru_cache(maxsize=16)
    def decode(raw: bytes) -> Root:
        return Root.decode(kind.group, rlp.decode(raw))

    return Content(decode, lambda root: rlp.encode(root.encode()))


_ROOT = {kind.name: root(kind) for kind in ROOTS}


def roots(pattern: str) -> Mapping[str, PageName[Root]]:
    """One page for each root, by the root's name."""
    return {name: PageName(pattern.format(name), content) for name, content in _ROOT.items()}


# -- who keeps the keys

HEAD = PageName("head", record(CommitteeRecord))
ATTESTATION = PageName("attestation", record(Attestation))
SEAT = PageNames("seat/{}", record(Seat))
"""By seat."""
MEMBERSHIP = PageName("admission", record(MembershipRecord))

# -- the roots

ROOT = roots("root/{}")
NEXT_ROOT = roots("next/{}")
"""As the next epoch shares them, from the proposal until that epoch begins."""
PROPOSED_DIGEST = PageName("roots/digest", fixed(Hash32))
"""Of the roots that the key generation votes for."""
VOTED_DIGEST = PageName("roots/voted", fixed(Hash32))
"""Of the roots that live; before there are any, nothing stands here."""
NEXT_DIGEST = PageName("next/digest", fixed(Hash32))

# -- key generation

KEYGEN = PageName("keygen", record(Keygen))
KEYGEN_GENERATION = PageName("keygen/session", fixed(Hash32))
"""The generation in which it ended."""
OPENINGS = PageNames("opening/{}", record(RootOpenings))
"""By seat."""

# -- epochs

EPOCH = PageName("epoch", record(Epoch))
ORIGIN = PageName("epoch/origin", record(Origin))
DEALINGS = PageNames("dealing/{}/{}", record(RootDealings))
"""By the epoch that they lead to, and the seat that dealt."""
KEPT_EPOCH = PageName("before", record(KeptEpoch))
KEPT_ROOT = roots("before/root/{}")
KEPT_SEAT = PageNames("before/seat/{}", record(Seat))
"""By seat."""

# -- what serves once

STOCK = PageName("stock", record(Inventory))
BATCH = PageNames("batch/{}", record(BatchPage))
"""By number."""
FIRST_DEALING = PageNames(f"batch/{{}}/{FIRST}/{{}}", record(FirstDealing))
"""By the batch's number and the seat that dealt."""
SECOND_DEALING = PageNames(f"batch/{{}}/{SECOND}/{{}}", record(SecondDealing))
NONCE_POOL = PageNames("nonces/{}", record(NoncePool))
"""By seat."""
NONCE_BATCH = PageNames("nonces/{}/{}", fixed(NonceBatch))
"""By seat, and number of its batch."""

# -- the state key


@dataclass(frozen=True, slots=True)
class StateKeyPages:
    """The pages of one version of the state key: how it stands, and who asks for it, by seat."""

    status: PageName[StateKeyStatus]
    ask: PageNames[Ask]


PRESENT_KEY = StateKeyPages(
    PageName("state", record(StateKeyStatus)), PageNames("state/ask/{}", record(Ask))
)
COMING_KEY = StateKeyPages(
    PageName("state/coming", record(StateKeyStatus)), PageNames("state/coming/ask/{}", record(Ask))
)
"""There are none of them while nobody has to be shut out."""
FORMER_KEYS = PageName("state/former", record(FormerVersions))
