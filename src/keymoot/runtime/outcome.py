"""What a block did, as it leaves an enclave once the block is certified.

    outcome = rlp[header, [receipt…], [[key, value]…]]

with the written entries in the order of keys, an empty value for one that is deleted. Those
who executed the same block give the same bytes, so a digest of them can be compared.
"""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.forms import ENCODED
from keymoot.base.record import Record
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.block import Executed
from keymoot.runtime.receipt import Receipt
from keymoot.store.header import Header
from keymoot.store.table import Writes

MAX_OUTCOME_BYTES = 134_217_728
"""Longest outcome that is read, and kept in memory where a block waits. The rules allow about half:
16 MB of records that a node's message binds (`contracts.builtin.wallets.queue`), their events, and
what the block's own transactions pay for. A usual one has 25 KB."""

MAX_OUTCOME_ITEMS = 4_194_304
"""Items of an outcome's RLP: three for each entry that was written, one for each receipt."""


@dataclass(frozen=True, slots=True)
class Outcome(Record):
    """A block's header and receipts, and the entries that it wrote."""

    MAX_BYTES = MAX_OUTCOME_BYTES
    MAX_DEPTH = 3
    MAX_ITEMS = MAX_OUTCOME_ITEMS

    header: Annotated[Header, ENCODED]
    receipts: tuple[Annotated[Receipt, ENCODED], ...]
    writes: Writes

    def __post_init__(self) -> None:
        """Refuse an entry without a key."""
        if b"" in self.writes:
            raise Malformed("an entry has no key", "writes")

    @staticmethod
    def of(executed: Executed) -> "Outcome":
        return Outcome(executed.header, executed.receipts, executed.writes)


def outcome_digest(raw: bytes) -> Hash32:
    """Give what replicas compare: the Keccak-256 of an outcome's bytes."""
    return keccak256(raw)
