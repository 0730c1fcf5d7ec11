"""What a vendor publishes, as one kind of thing: until when it holds, what the ledger has of it.

Intel's lists for one kind of machine, and AMD's certificates of one line. Whoever shows or posts
them need not tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from keymoot.agent.amd_files import called
from keymoot.agent.network import Network
from keymoot.agent.owner import Confirmation
from keymoot.agent.vendor_lists import (
    check_amd_chain,
    check_intel_lists,
    posted_amd_chain,
    posted_intel_lists,
    send_amd_chain,
    send_intel_lists,
)
from keymoot.attest.certificates import dates_of, read_certificate
from keymoot.attest.collateral import Validity
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.snp import AmdChain
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds


class Published(Protocol):
    """What one vendor publishes for some of its machines."""

    @property
    def vendor(self) -> str:
        """Intel or AMD."""
        ...

    @property
    def machines(self) -> str:
        """For which machines."""
        ...

    @property
    def revokes(self) -> bool:
        """Whether a list of revoked keys is part of it."""
        ...

    def validity(self) -> Sequence[Validity]:
        """Give from when until when each part counts; Malformed where one does not say."""
        ...

    def check(self, now: UnixSeconds) -> None:
        """Raise unless it is the vendor's and counts now, as far as this install can tell."""
        ...

    def posted(self, network: Network) -> tuple[Self | None, UnixSeconds]:
        """Give what the ledger has for the same machines, proved; and as of when."""
        ...

    def is_older(self, other: Self) -> bool:
        """Tell whether the ledger would refuse it for being older than this."""
        ...

    def send(self, network: Network, payer: Secret) -> Confirmation: ...


@dataclass(frozen=True, slots=True)
class IntelPublished:
    """Intel's lists for one kind of machine."""

    lists: DcapCollateral
    vendor: str = "Intel"

    @property
    def machines(self) -> str:
        return " ".join(self.lists.machines)

    @property
    def revokes(self) -> bool:
        return True

    def validity(self) -> Sequence[Validity]:
        return self.lists.validity()

    def check(self, now: UnixSeconds) -> None:
        check_intel_lists(self.lists, now)

    def posted(self, network: Network) -> "tuple[IntelPublished | None, UnixSeconds]":
        there, now = posted_intel_lists(network, *self.lists.machines)
        return (None if there is None else IntelPublished(there)), now

    def is_older(self, other: "IntelPublished") -> bool:
        return self.lists.is_older(other.lists)

    def send(self, network: Network, payer: Secret) -> Confirmation:
        return send_intel_lists(network, payer, self.lists)


@dataclass(frozen=True, slots=True)
class AmdPublished:
    """AMD's certificates of one line, for keys of chips or of clouds, and whom it revoked."""

    chain: AmdChain
    vendor: str = "AMD"

    @property
    def machines(self) -> str:
        return called(read_certificate(self.chain.signer, "signer").subject)

    @property
    def revokes(self) -> bool:
        return bool(self.chain.revoked)

    def validity(self) -> Sequence[Validity]:
        named = ((self.chain.signer, "AMD's signing key"), (self.chain.root, "AMD's root"))
        parts = [Validity(what, *dates_of(read_certificate(der, what))) for der, what in named]
        revocations = self.chain.revocations
        return parts if revocations is None else [*parts, revocations.validity]

    def check(self, now: UnixSeconds) -> None:
        check_amd_chain(self.chain, now)

    def posted(self, network: Network) -> "tuple[AmdPublished | None, UnixSeconds]":
        there, now = posted_amd_chain(network, self.chain.signer)
        return (None if there is None else AmdPublished(there)), now

    def is_older(self, other: "AmdPublished") -> bool:
        return self.chain.is_older(other.chain)

    def send(self, network: Network, payer: Secret) -> Confirmation:
        return send_amd_chain(network, payer, self.chain)
