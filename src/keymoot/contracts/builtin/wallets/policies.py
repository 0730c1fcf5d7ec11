"""What a policy costs to read, and the policies that were read before.

A document is read again whenever it is not remembered, which no ledger can know of a replica:
so whoever asks pays for the reading each time. Short documents are remembered apart from long
ones, so that nobody drives out many others' with few long ones of his own.
"""

from functools import lru_cache

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.wallet import Book
from keymoot.policy.document import MAX_DOCUMENT_BYTES, Policy, parse_policy

GAS_PER_BYTE = 4
"""Gas for each byte of a document, or of a wish, that is read."""

GAS_PER_PART = 1_400
"""Gas for each value, object and argument of a function in a document."""

MOST_PARTS = 1_024
"""Parts that are paid for at most: rules have fewer, and what sets hold is read all at once."""

SHORT_BYTES = 4_096
"""Longest document that counts as short."""

REMEMBERED_BYTES = 4_194_304
"""Bytes of documents of either kind that are remembered at most, parsed."""


def reading_gas(document: bytes) -> int:
    """Counted in a document's bytes, before anything is parsed."""
    # Whatever takes time stands behind one of these: a value, an object, an argument.
    parts = sum(document.count(mark) for mark in (b",", b"[", b"{", b"("))
    return GAS_PER_BYTE * len(document) + GAS_PER_PART * min(parts, MOST_PARTS)


def policy_of(document: bytes) -> Policy:
    """Give a policy that its wallet's owner has set: `parse_policy` has read it before."""
    return _short(document) if len(document) <= SHORT_BYTES else _long(document)


def usage_json(document: bytes | None, book: Book, time: UnixSeconds) -> list[Json]:
    limits = policy_of(document).limits.values() if document else ()
    shown: list[Json] = []
    for limit in limits:
        spent = book.usage.get(limit.name)
        used = spent.used(limit, time) if spent else 0
        shown.append(
            {"limit": limit.name, "max": str(limit.max), "used": str(used), "window": limit.window}
        )
    return shown


def _read(document: bytes) -> Policy:
    return parse_policy(document, known=True)


_short = lru_cache(maxsize=REMEMBERED_BYTES // SHORT_BYTES)(_read)
_long = lru_cache(maxsize=REMEMBERED_BYTES // MAX_DOCUMENT_BYTES)(_read)
"""Reading is pure, so remembering it changes no result."""
