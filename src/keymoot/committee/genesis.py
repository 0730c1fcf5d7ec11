"""What a network starts from. Its hash is the network's id, so nothing of it can change."""

from dataclasses import dataclass, field
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Address, Bytes32, NetworkId
from keymoot.base.forms import U64, Form, Uint
from keymoot.base.record import Record
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.committee.attestation import Attestation, Measurements
from keymoot.committee.seat import POINT_BYTES, SessionKeys
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.secp256k1 import SECP256K1

BASE_FEE_WEI = Wei(1_000_000_000)
"""Price of a unit of gas; it does not move."""

EPOCH_SECONDS = 3_600
"""How long an epoch lives, where the genesis does not say."""

MAX_GENESIS_BYTES = 65_536


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
class Genesis(Record):
    """The beginning of one network.

    Attributes:
        development: Test tokens for anyone, and simulated evidence is admitted.
        time: When it was made; the first block carries it.
        allocations: Balances to begin with.
        epoch_seconds: How long an epoch lives before the roots are shared anew.
        measurements: What code may keep keys, in rising order; empty admits no enclave.
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
    network: NetworkId = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", NetworkId(keccak256(self.encode())))

    @property
    def attestation(self) -> Attestation:
        return Attestation(self.measurements, simulated=self.development)

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
