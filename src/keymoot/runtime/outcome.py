"""What a block did, as it leaves an enclave once the block is certified.

    outcome = rlp[header, [receipt…], [[key, value]…]]

with the written entries in the order of keys, an empty value for one that is deleted. Those
who executed the same block give the same bytes, so a digest of them can be compared.
"""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.block import Executed
from keymoot.runtime.receipt import Receipt
from keymoot.store.header import Header
from keymoot.store.table import Batch

MAX_OUTCOME_BYTES = 134_217_728
"""Longest outcome that is read, and kept in memory where a block waits. The rules allow about half:
16 MB of records that a node's message binds (`contracts.queue`), their events, and what the block's
own transactions pay for. A usual one has 25 KB."""

MAX_OUTCOME_ITEMS = 4_194_304
"""Items of an outcome's RLP: three for each entry that was written, one for each receipt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A block's header and receipts, and the entries that it wrote."""

    header: Header
    receipts: tuple[Receipt, ...]
    writes: Batch

    @staticmethod
    def of(executed: Executed) -> "Outcome":
        """Take the outcome out of what executing a block gave."""
        return Outcome(executed.header, executed.receipts, executed.writes)

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        return rlp.encode(
            [
                self.header.encode(),
                [receipt.encode() for receipt in self.receipts],
                [[key, self.writes[key] or b""] for key in sorted(self.writes)],
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Outcome":
        """Read the canonical bytes.

        Raises:
            Malformed: too long, not an outcome, or not in the order of keys.
        """
        if len(raw) > MAX_OUTCOME_BYTES:
            raise Malformed(f"an outcome has at most {MAX_OUTCOME_BYTES} bytes, got {len(raw)}")
        items = rlp.decode(raw, 3, MAX_OUTCOME_ITEMS)
        header, receipts, entries = list_of(items, 3, "outcome")
        writes: Batch = {}
        last = b""
        for pair in list_of(entries, None, "writes"):
            item, value = list_of(pair, 2, "writes")
            key = bytes_of(item, "key")
            if key <= last:
                raise Malformed("keys rise, and none comes twice", "writes")
            writes[key] = bytes_of(value, "value") or None
            last = key
        return Outcome(
            Header.decode(bytes_of(header, "header")),
            tuple(
                Receipt.decode(bytes_of(one, "receipt"))
                for one in list_of(receipts, None, "receipts")
            ),
            writes,
        )


def outcome_digest(raw: bytes) -> Hash32:
    """Give what replicas compare: the Keccak-256 of an outcome's bytes."""
    return keccak256(raw)
