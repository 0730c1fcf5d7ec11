"""Everything that a stranger, a peer or a lying host hands over in RLP: one parser after another.

The first byte of an input names the parser, so one run goes through all parsers of a layer.
"""

import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.engine.dealings import dealing_in
from keymoot.engine.undo import PastViews
from keymoot.store.table import MemoryTable
from keymoot.threshold.proofs import Proof
from keymoot.threshold.secp256k1 import SECP256K1
from tests.fuzz.harvest import PARSERS, SEEDS, read
from tests.fuzz.target import Target

TOLD: dict[str, list[str]] = json.loads(SEEDS.read_text())

LAYERS = {
    "messages and records of the committee": ("committee",),
    "blocks and records of state": ("store", "runtime", "contracts", "policy", "engine"),
    "threshold cryptography": ("threshold",),
    "frames of enclaves": ("enclave",),
    "transactions and queries": ("base", "crypto"),
}

SEVERAL_FORMS = ("engine.stored_block:StoredBlock.decode", "crypto.signed_query:SignedQuery.decode")
"""A block as a node stores it is compressed, which has no one form, and nothing hashes it. Wallets
write the last byte of a query's signature as 0 and 1 or as 27 and 28; no block holds a query."""


def names_of(layers: tuple[str, ...]) -> list[str]:
    return [one for one in PARSERS if one.partition(".")[0] in layers]


def check(names: list[str], raw: bytes) -> None:
    """Our own errors only; and what is read has one form, where it can be written."""
    name, body = names[raw[0] % len(names) if raw else 0], raw[1:]
    try:
        found = read(name, body)
    except Malformed as error:
        assert str(error)
        raise
    except KeymootError as error:
        raise AssertionError(f"{name} raises {type(error).__name__}") from error
    written = written_of(found)
    if written is None:
        return
    # A record gives bytes, wherever it is read from an item; what is no record gives the item.
    whole = isinstance(written, bytes) and (isinstance(found, Record) or not PARSERS[name][1])
    item = written if whole else rlp.encode(written)
    again = read(name, item)
    if written_of(again) != written:
        raise AssertionError(f"{name} does not read what it wrote")
    if item != body and name not in SEVERAL_FORMS:
        raise AssertionError(f"{name} has two forms")


def written_of(found: Any) -> Any:
    """Give what a record encodes itself to; None for what has no encoder of its own."""
    if isinstance(found, Proof):
        return found.encode(SECP256K1)
    encode: Callable[[], Any] | None = getattr(found, "encode", None)
    return None if encode is None or isinstance(found, str) else encode()


def seeds(names: list[str]) -> list[bytes]:
    return [
        bytes((at,)) + bytes.fromhex(one)
        for at, name in enumerate(names)
        for one in TOLD.get(name, [])
    ]


# -- what a host can edit in its own database


def check_database(raw: bytes) -> None:
    """An altered value is told as such."""
    height, kind = Height(7), raw[:1]
    if kind == b"U":
        # The outer list, then what is compressed in it: so altered bytes are reached.
        packed = rlp.encode([zlib.compress(raw[1:]), []]) if raw[1:2] != b"\0" else raw[2:]
        table = MemoryTable()
        table.apply({b"U" + height.to_bytes(8, "big"): packed})
        past = PastViews()
        past.view(table, height, Height(6)).get(b"key")
    else:
        table = MemoryTable()
        table.apply({b"D" + height.to_bytes(8, "big") + bytes(2): raw[1:]})
        dealing_in(table, height, 0, table)


def database_seeds() -> list[bytes]:
    short = rlp.encode([[b"key", b"\x01old"], [b"other", b""]])
    whole = rlp.encode([zlib.compress(short), [[b"key", b"\x01" + b"long" * 20]]])
    parts: list[rlp.Item] = [[b"dealing"], [b"before", b"key", b"behind"]]
    return [b"U" + short, b"U\0" + whole, *(b"D" + rlp.encode(one) for one in parts)]


TARGETS = [
    *(
        Target(
            name,
            "its own encoder",
            partial(check, names_of(layers)),
            partial(seeds, names_of(layers)),
            share,
        )
        for (name, layers), share in zip(LAYERS.items(), (60, 60, 30, 40, 40), strict=True)
    ),
    Target("values of the database", "no other errors", check_database, database_seeds, 15),
]
