"""From a network's id to its verifying key: checked once, then the key may be pinned too.

The id is the hash of the genesis, which lists the founders with the session keys of the very
starts that make the roots. All of them signed the founding record; one honest founder among
them is enough to know that there is no other one.
"""

from base64 import b32encode
from dataclasses import dataclass
from typing import Any

from keymoot.base import hexes
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.committee.founding_record import MAX_RECORD_BYTES, FoundingRecord
from keymoot.committee.genesis import MAX_GENESIS_BYTES, Genesis
from keymoot.crypto.keccak import keccak256
from keymoot.proof.errors import NotProven
from keymoot.proof.shape import fields_of

FINGERPRINT_BYTES = 20
"""Of the hash that people compare: 160 bits, which nobody hits a second time."""

_FIELDS = ("genesis", "record")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What everything else is held against: whose words count in one network.

    Attributes:
        verifying_key: The point of G2 under which its blocks are certified; never changes.
        founded: Height and hash of the block that the founding record certifies; None for
            who was given the verifying key alone.
    """

    network: NetworkId
    verifying_key: bytes
    founded: tuple[Height, Hash32] | None = None

    @property
    def fingerprint(self) -> str:
        """What people compare: id and verifying key in eight groups of four letters or digits."""
        hashed = keccak256(b"keymoot/v1/fingerprint" + self.network + self.verifying_key)
        text = b32encode(hashed[:FINGERPRINT_BYTES]).decode().lower()
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


@dataclass(frozen=True, slots=True)
class Founded:
    """A network's beginning, checked; only `Founding.check` makes one."""

    genesis: Genesis
    record: FoundingRecord

    @property
    def anchor(self) -> Anchor:
        record = self.record
        return Anchor(record.network, record.verifying_key, (record.height, record.block))


@dataclass(frozen=True, slots=True)
class Founding:
    """A genesis and a founding record as somebody shows them: canonical bytes."""

    genesis: bytes
    record: bytes

    def check(self, network: NetworkId) -> Founded:
        """Give the beginning of the network with this id.

        NotProven: the genesis is of another network, or not in its canonical bytes.
        NotFounded: the record is of another network, or not all founders signed it.
        """
        # 1. The id is the hash of these very bytes.
        if NetworkId(keccak256(self.genesis)) != network:
            raise NotProven(f"the genesis that was shown is not that of network {network.hex0x}")
        genesis = Genesis.decode(self.genesis)
        if genesis.network != network:
            raise NotProven("the genesis that was shown is not written in canonical bytes")
        # 2. All founders that it lists signed the record, each with its session of then.
        record = FoundingRecord.decode(self.record)
        record.check(genesis)
        return Founded(genesis, record)

    def to_json(self) -> Json:
        return {"genesis": hexes.data(self.genesis), "record": hexes.data(self.record)}

    @staticmethod
    def from_json(told: Any) -> "Founding":
        """Nothing is checked yet."""
        genesis, record = fields_of(told, _FIELDS, "founding")
        return Founding(
            hexes.parse_data(genesis, "founding.genesis", MAX_GENESIS_BYTES),
            hexes.parse_data(record, "founding.record", MAX_RECORD_BYTES),
        )
