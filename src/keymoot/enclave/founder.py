"""One founder's part in the founding record, and what it has sealed of it.

The record is due at the first block after which the roots are made, the state key exists, and
all founders hold it. Each founder signs it once, with the key of the start that the genesis
lists. Before the signature leaves, the enclave seals what it signed: killed before it has seen
the whole record, it believes that record later, and no other of that genesis.
"""

from dataclasses import dataclass
from pathlib import Path

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.participant import Participant
from keymoot.committee.roots import ROOTS
from keymoot.committee.signers import founding_due
from keymoot.crypto import ed25519
from keymoot.enclave.platform import Platform
from keymoot.enclave.sealed_file import read_sealed, write_sealed
from keymoot.store.header import Header
from keymoot.store.keys import FIRST_NAME

FILE_NAME = "founding.sealed"
_PURPOSE = "founding"


class ForeignRecord(Refused, code="FOREIGN_RECORD"):
    message = (
        "this enclave is listed as a founder and has not signed this founding record: "
        "begin another network with a new genesis"
    )


class SignedRecord:
    """Which founding record this enclave has signed last, on disk.

    Attributes:
        network: Its network; None where none was signed.
        digest: What was signed of it.
    """

    def __init__(self, folder: Path, platform: Platform) -> None:
        self._path, self._platform = folder / FILE_NAME, platform
        raw = read_sealed(self._path, platform, _PURPOSE)
        self.network = None if raw is None else NetworkId(raw[: NetworkId.LENGTH])
        self.digest = None if raw is None else Hash32(raw[NetworkId.LENGTH :])

    def put(self, record: FoundingRecord) -> None:
        """Seal another one in its place."""
        digest = record.digest()
        if self.digest != digest:
            write_sealed(self._path, self._platform, _PURPOSE, record.network + digest)
            self.network, self.digest = record.network, digest


@dataclass
class FoundingSigner:
    """Signs the founding record.

    Attributes:
        due: The header of the record's block, once it is executed.
    """

    genesis: Genesis
    participant: Participant
    signed: SignedRecord
    due: Header | None = None
    _record: FoundingRecord | None = None

    def note(self, header: Header, after: CommitteeMachine) -> None:
        """Look whether the record is due at a block that was just executed."""
        if self.due is None and founding_due(after):
            self.due = header
            roots = {
                kind.name: kind.group.encode(after.state.root(kind.name).public) for kind in ROOTS
            }
            network = self.genesis.network
            self._record = FoundingRecord(network, header.height, header.hash, roots, {})

    def sign(self, header: Header, after: CommitteeMachine) -> bytes:
        """Give our signature under the record of a block, or nothing.

        What the disk does not take nobody gets: CannotWrite; ask again.
        """
        record = self._record
        if record is None or record.block != header.hash or not self._ready(after):
            return b""
        self.signed.put(record)
        return ed25519.sign(self.participant.session.signing, record.digest())

    def check(self, record: FoundingRecord) -> None:
        """Raise unless a whole record is the one of the chain that we have executed."""
        if self._record is None or record.digest() != self._record.digest():
            raise ForeignRecord

    def _ready(self, after: CommitteeMachine) -> bool:
        """Tell whether we hold our share of every root, and the state secret sealed."""
        shares = self.participant.shares_in(after)
        held = all(kind.name in shares for kind in ROOTS)
        return (
            held and self.participant.state_key.holds(FIRST_NAME) and self.participant.seated(after)
        )
