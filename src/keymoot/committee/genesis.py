"""What a network starts from. Its hash is the network's id, so nothing of it can change."""

from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias

from keymoot.attest.quorum import maker_of
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Address, Bytes32, NetworkId
from keymoot.base.forms import LATER, U64, AtMost, Form, Uint
from keymoot.base.record import Record
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.committee.attestation import NO_HARDWARE, Attestation, Measurements, NodeDemands
from keymoot.committee.mix import most_of
from keymoot.committee.seat import POINT_BYTES, SessionKeys
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.committee import MAX_SIZE, MIN_SIZE
from keymoot.threshold.secp256k1 import SECP256K1

BASE_FEE_WEI = Wei(1_000_000_000)
"""Price of a unit of gas; it does not move."""

EPOCH_SECONDS = 3_600
"""How long an epoch lives, where the genesis does not say."""

MAX_GENESIS_BYTES = 65_536

MAX_PUBLISHED_BYTES = 32_768
"""Longest of what a vendor publishes, for one line or kind of machine; Intel's has 10,000."""

MAX_ALL_PUBLISHED_BYTES = 49_152
"""All of it together: four kinds of Intel's machines, and two lines of AMD's."""

Published: TypeAlias = Annotated[
    tuple[Annotated[bytes, AtMost(MAX_PUBLISHED_BYTES)], ...], AtMost(8)
]


@dataclass(frozen=True, slots=True)
class Founder:
    """One seat as the genesis gives it."""

    identity: Bytes32
    sealing: bytes
    session: SessionKeys


@dataclass(frozen=True, slots=True)
class Member:
    """One node of the first committee.

    Attributes:
        identity_key: Ed25519; signs answers.
        founder: Its seat in the committee; None in a network that has none (tests).
    """

    identity_key: Bytes32
    founder: Founder | None = None

    def item(self) -> rlp.Item:
        """Give the RLP item: a founder's seat is not told its identity again."""
        founder = self.founder
        return [
            self.identity_key,
            [] if founder is None else [founder.sealing, founder.session.item()],
        ]

    @staticmethod
    def of_item(item: rlp.Decoded) -> "Member":
        identity, seat = list_of(item, 2, "")
        key = fixed_of(identity, Bytes32, "identityKey")
        if seat == []:
            return Member(key)
        sealing, session = list_of(seat, 2, "seat")
        point = bytes_of(sealing, "sealing", POINT_BYTES)
        SECP256K1.decode(point)
        return Member(key, Founder(key, point, SessionKeys.of_item(session)))


@dataclass(frozen=True, slots=True)
class NodeAdmission(Record):
    """Which nodes on hardware a network lets in, and what its founders' evidence is checked by.

    What vendors publish is what the ledger has from its first block on. Anybody may post newer.

    Attributes:
        demands: Whose evidence counts, and what it has to show.
        amd_chains: An `AmdChain` for each line and kind of key, encoded.
        intel_lists: A `DcapCollateral` for each kind of machine, encoded.
    """

    demands: NodeDemands = NO_HARDWARE
    amd_chains: Published = ()
    intel_lists: Published = ()

    def __post_init__(self) -> None:
        """Refuse more than a genesis has room for, beside the largest committee."""
        size = sum(map(len, (*self.amd_chains, *self.intel_lists)))
        if size > MAX_ALL_PUBLISHED_BYTES:
            raise Malformed(
                f"a genesis has at most {MAX_ALL_PUBLISHED_BYTES} bytes of what vendors publish, "
                f"these are {size}: have the rest posted (postAmdChain, postIntelLists)"
            )


NO_HARDWARE_ADMITTED: Final = NodeAdmission()
"""Lets no hardware in, and asks for no mix."""


@dataclass(frozen=True, slots=True)
class Genesis(Record):
    """The beginning of one network.

    Attributes:
        development: Test tokens for anyone, and simulated evidence is admitted.
        time: When it was made; the first block carries it.
        allocations: Balances to begin with.
        epoch_seconds: How long an epoch lives before the roots are shared anew.
        measurements: What code may keep keys, in rising order; empty admits no enclave.
        admission: Which nodes on hardware are let in; by default none.
        network: The network's id: Keccak-256 of the canonical bytes.
    """

    MAX_BYTES = MAX_GENESIS_BYTES

    chain_id: ChainId
    development: bool
    base_fee: Annotated[Wei, Uint(12)]
    time: UnixNanos
    members: tuple[Annotated[Member, Form(Member.of_item, Member.item)], ...]
    allocations: tuple[tuple[Address, Annotated[Wei, Uint(24)]], ...]
    epoch_seconds: U64 = EPOCH_SECONDS
    measurements: Measurements = ()
    admission: Annotated[NodeAdmission, LATER] = NO_HARDWARE_ADMITTED
    network: NetworkId = field(init=False)

    def __post_init__(self) -> None:
        """Give the genesis its name; Malformed where it demands what nobody can meet."""
        object.__setattr__(self, "network", NetworkId(keccak256(self.encode())))
        self._check_mix()

    @property
    def attestation(self) -> Attestation:
        demands = self.admission.demands
        return Attestation(self.measurements, simulated=self.development, demands=demands)

    def _check_mix(self) -> None:
        demanded, size = self.admission.demands.most_per_maker, len(self.members)
        # What is no committee is refused when it is founded.
        if not demanded or not MIN_SIZE <= size <= MAX_SIZE:
            return
        makers = {maker_of(vendor) for vendor in self.attestation.vendors}
        most = most_of(demanded, size)
        if len(makers) * most < size:
            raise Malformed(
                f"{size} seats of which no maker of enclaves holds more than {most} take "
                f"{-(-size // most)} makers, admitted are {len(makers)}: admit more vendors, or "
                "found it with other numbers (three makers: 6, 9 or 12 seats)",
                "admission.demands.mostPerMaker",
            )

    def founders(self) -> tuple[Founder, ...]:
        """Seats of the first committee; Malformed where one key stands in two places."""
        seated = tuple(member.founder for member in self.members if member.founder is not None)
        if seated and len(seated) != len(self.members):
            raise Malformed("either every member has a seat in the committee or none", "members")
        # Who stands twice would count twice: for the founding record, and in every quorum.
        for keys in (
            [founder.identity for founder in seated]
            + [founder.session.signing for founder in seated],
            [founder.sealing for founder in seated]
            + [founder.session.sealing for founder in seated],
        ):
            if len(set(keys)) < len(keys):
                raise Malformed("a key of the founders stands in two places", "members")
        return seated
