"""What a network starts from. Its hash is the network's id, so nothing of it can change."""

from dataclasses import dataclass

from keymoot.attest.header import chain_id_of
from keymoot.attest.validators import Ed25519Key, Validator, ValidatorSet
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Address, Bytes32, NetworkId
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.contracts.registry import BUILT_IN, CODE_HASH
from keymoot.crypto.keccak import keccak256
from keymoot.store.journal import Journal
from keymoot.store.state import Changes, State

LOCAL_CHAIN_ID = ChainId(0x5AFD)
"""Chain id of a local network, as Sapphire's local tools use it."""

BASE_FEE_WEI = Wei(1_000_000_000)
"""Price of a unit of gas; it does not move."""

MAX_GENESIS_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Member:
    """One node of the first assembly.

    Attributes:
        consensus_key: Ed25519; signs blocks.
        identity_key: Ed25519; signs answers.
        power: Weight in votes.
    """

    consensus_key: Ed25519Key
    identity_key: Bytes32
    power: int


@dataclass(frozen=True, slots=True)
class Genesis:
    """The beginning of one network.

    Attributes:
        development: Test tokens for anyone, and simulated evidence is admitted.
        time: When it was made; the first block carries it.
        allocations: Balances to begin with.
    """

    chain_id: ChainId
    development: bool
    base_fee: Wei
    time: UnixNanos
    members: tuple[Member, ...]
    allocations: tuple[tuple[Address, Wei], ...]

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        return rlp.encode(
            [
                uint(self.chain_id),
                uint(self.development),
                uint(self.base_fee),
                uint(self.time),
                [[m.consensus_key, m.identity_key, uint(m.power)] for m in self.members],
                [[address, uint(wei)] for address, wei in self.allocations],
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
        fields = list_of(rlp.decode(raw), 6, "genesis")
        members = []
        for at, item in enumerate(list_of(fields[4], None, "members")):
            consensus, identity, power = list_of(item, 3, f"members[{at}]")
            members.append(
                Member(
                    Ed25519Key(fixed_of(consensus, Bytes32, f"members[{at}].consensusKey")),
                    fixed_of(identity, Bytes32, f"members[{at}].identityKey"),
                    uint_of(power, f"members[{at}].power", 7),
                )
            )
        allocations = []
        for at, item in enumerate(list_of(fields[5], None, "allocations")):
            address, wei = list_of(item, 2, f"allocations[{at}]")
            allocations.append(
                (fixed_of(address, Address, "address"), Wei(uint_of(wei, "wei", 24)))
            )
        return Genesis(
            chain_id=ChainId(uint_of(fields[0], "chainId", 8)),
            development=uint_of(fields[1], "development", 1) == 1,
            base_fee=Wei(uint_of(fields[2], "baseFee", 12)),
            time=UnixNanos(uint_of(fields[3], "time", 8)),
            members=tuple(members),
            allocations=tuple(allocations),
        )

    @property
    def network(self) -> NetworkId:
        """The network's id: Keccak-256 of the canonical bytes."""
        return NetworkId(keccak256(self.encode()))

    @property
    def chain_text(self) -> str:
        """The chain id that headers carry."""
        return chain_id_of(self.network)

    def validators(self) -> ValidatorSet:
        """Give the validators of the first block.

        Raises:
            Malformed: none, one twice, or without power.
        """
        return ValidatorSet.of(Validator(m.consensus_key, m.power) for m in self.members)

    def first_changes(self, empty: State) -> Changes:
        """Give what the empty state becomes: balances, and the built-in contracts."""
        journal = Journal(empty)
        for address, wei in self.allocations:
            journal.set_balance(address, wei)
        for kind in BUILT_IN:
            journal.set_code_hash(kind.ADDRESS, CODE_HASH)
        return journal.changes()
