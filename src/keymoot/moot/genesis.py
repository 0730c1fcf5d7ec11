"""What a network starts from. Its hash is the network's id, so nothing of it can change."""

from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, uint, uint_of
from keymoot.base.fixed import Address, Bytes32, Measurement, NetworkId
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.crypto.keccak import keccak256
from keymoot.moot.attestation import Attestation, measurements_of
from keymoot.moot.seat import POINT_BYTES, Boot
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
    boot: Boot


@dataclass(frozen=True, slots=True)
class Member:
    """One node of the first assembly.

    Attributes:
        identity_key: Ed25519; signs answers.
        founder: Its seat in the assembly; None in a network that has none (tests).
    """

    identity_key: Bytes32
    founder: Founder | None = None

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        seat: rlp.Item = []
        if self.founder is not None:
            seat = [self.founder.sealing, self.founder.boot.encode()]
        return [self.identity_key, seat]

    @staticmethod
    def decode(item: rlp.Decoded, path: str) -> "Member":
        """Read the RLP item.

        Raises:
            Malformed: not a member.
        """
        identity, seat = list_of(item, 2, path)
        key = fixed_of(identity, Bytes32, f"{path}.identityKey")
        founder = None
        if seat != []:
            sealing, boot = list_of(seat, 2, f"{path}.seat")
            point = bytes_of(sealing, f"{path}.sealing", POINT_BYTES)
            SECP256K1.decode(point)
            founder = Founder(key, point, Boot.decode(boot))
        return Member(key, founder)


@dataclass(frozen=True, slots=True)
class Genesis:
    """The beginning of one network.

    Attributes:
        development: Test tokens for anyone, and simulated evidence is admitted.
        time: When it was made; the first block carries it.
        allocations: Balances to begin with.
        epoch_seconds: How long an epoch lives before the roots are shared anew.
        measurements: What code may keep keys, in rising order; empty admits no enclave.
        network: The network's id: Keccak-256 of the canonical bytes.
    """

    chain_id: ChainId
    development: bool
    base_fee: Wei
    time: UnixNanos
    members: tuple[Member, ...]
    allocations: tuple[tuple[Address, Wei], ...]
    epoch_seconds: int = EPOCH_SECONDS
    measurements: tuple[Measurement, ...] = ()
    network: NetworkId = field(init=False)

    def __post_init__(self) -> None:
        """Name the network, which everything asks for."""
        object.__setattr__(self, "network", NetworkId(keccak256(self.encode())))

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        return rlp.encode(
            [
                uint(self.chain_id),
                uint(self.development),
                uint(self.base_fee),
                uint(self.time),
                [member.encode() for member in self.members],
                [[address, uint(wei)] for address, wei in self.allocations],
                uint(self.epoch_seconds),
                list(self.measurements),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Genesis":
        """Read the canonical bytes.

        Raises:
            Malformed: not a genesis.
        """
        if len(raw) > MAX_GENESIS_BYTES:
            raise Malformed(f"a genesis has at most {MAX_GENESIS_BYTES} bytes", "genesis")
        fields = list_of(rlp.decode(raw), 8, "genesis")
        members = []
        for at, item in enumerate(list_of(fields[4], None, "members")):
            members.append(Member.decode(item, f"members[{at}]"))
        allocations = []
        for at, item in enumerate(list_of(fields[5], None, "allocations")):
            address, wei = list_of(item, 2, f"allocations[{at}]")
            allocations.append(
                (fixed_of(address, Address, "address"), Wei(uint_of(wei, "wei", 24)))
            )
        return Genesis(
            chain_id=ChainId(uint_of(fields[0], "chainId", 8)),
            development=flag_of(fields[1], "development"),
            base_fee=Wei(uint_of(fields[2], "baseFee", 12)),
            time=UnixNanos(uint_of(fields[3], "time", 8)),
            members=tuple(members),
            allocations=tuple(allocations),
            epoch_seconds=uint_of(fields[6], "epochSeconds", 8),
            measurements=measurements_of(fields[7]),
        )

    @property
    def attestation(self) -> Attestation:
        """What evidence has to show of whoever is to keep keys here."""
        return Attestation(self.measurements, simulated=self.development)

    def founders(self) -> tuple[Founder, ...]:
        """Give the seats of the first assembly; empty where there is none.

        Raises:
            Malformed: only some members have a seat, or one key stands in two places.
        """
        found = tuple(member.founder for member in self.members if member.founder is not None)
        if found and len(found) != len(self.members):
            raise Malformed("either every member has a seat in the assembly or none", "members")
        # Who stands twice would count twice: for the founding record, and in every quorum.
        for keys in (
            [one.identity for one in found] + [one.boot.signing for one in found],
            [one.sealing for one in found] + [one.boot.sealing for one in found],
        ):
            if len(set(keys)) < len(keys):
                raise Malformed("a key of the founders stands in two places", "members")
        return found
