"""Write the published vectors: `python -m tests.proof.vectors`; nothing in them is drawn.

The network is `World`, whose keys follow from its name. What a case is good for stands in its
description; the format stands in `vectors/README.md`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from keymoot.base import hexes, rlp
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.strict_json import Json
from keymoot.committee.certified import certificate_message
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.roots import CERTIFICATE
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.crypto.keccak import keccak256
from keymoot.proof.build import prove, prove_cells
from keymoot.proof.chain import Shown
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.state import AccountProof, SlotProof
from keymoot.store.header import Header
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.root import Share
from tests.proof.dossiers import (
    ABSENT,
    LONG,
    SHORT,
    busy_block,
    receipt_proof,
    whole_dossier,
)
from tests.proof.world import World

FOLDER = Path(__file__).parents[2] / "vectors"

MODULUS = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    16,
)
"""Of the field over which BLS12-381 is defined."""

IDENTITY_1 = bytes((0xC0,)) + bytes(47)
IDENTITY_2 = bytes((0xC0,)) + bytes(95)

Case = dict[str, Json]


def case(description: str, valid: bool, given: dict[str, Json], says: Json = None) -> Case:
    """Make one case; `says` is what follows from it where it is valid."""
    return {"description": description, "valid": valid, "input": given, "says": says}


# -- certificates


def certified() -> Iterator[Case]:
    """Headers and certificates under a pinned verifying key."""
    world, other = World(), World("another")
    world.run(range(3))
    header = world.blocks[1]
    good = world.certify(header).certificate
    assert good is not None

    def told(
        raw: bytes = header.encode(),
        certificate: bytes = good,
        network: bytes = world.network,
        key: bytes = world.verifying_key,
    ) -> dict[str, Json]:
        return {
            "network": hexes.data(network),
            "verifyingKey": hexes.data(key),
            "header": hexes.data(raw),
            "certificate": hexes.data(certificate),
        }

    says: Json = {"height": header.height, "hash": header.hash.hex0x}
    yield case("a certified block", True, told(), says)
    yield case("the network is part of what is signed", False, told(network=other.network))
    yield case("another network's verifying key", False, told(key=other.verifying_key))
    moved = replace(header, generation=Hash32(b"g" * 32))
    yield case("the generation is part of the header", False, told(moved.encode()))
    odd = _sign(world, replace(header, generation=Hash32(b"g" * 32)), header.hash)
    yield case("a certificate that names another generation", False, told(certificate=odd))
    for height in (1, 3):
        of_other = world.certify(world.blocks[height - 1]).certificate
        assert of_other is not None
        yield case(f"block 2 with the certificate of {height}", False, told(certificate=of_other))
    yield case("one byte less", False, told(certificate=good[:-1]))
    yield case("one byte more", False, told(certificate=good + b"\0"))
    flipped = bytes((good[0] ^ 0x20,)) + good[1:]
    yield case("the negated signature: the other y", False, told(certificate=flipped))
    yield case("compression flag missing", False, told(certificate=_cleared(good)))
    yield case("signature at infinity", False, told(certificate=IDENTITY_1))
    yield case("verifying key at infinity", False, told(key=IDENTITY_2))
    both = told(certificate=IDENTITY_1, key=IDENTITY_2)
    yield case("signature and key at infinity: their pairing is 1", False, both)
    x = off_subgroup()
    yield case("on the curve, outside the subgroup", False, told(certificate=compressed(x)))
    large = compressed(x + MODULUS)
    yield case("a coordinate that is not below the modulus", False, told(certificate=large))
    yield case("infinity with other bits", False, told(certificate=IDENTITY_1[:-1] + b"\1"))
    for name, raw in _other_headers(header):
        signed = _sign(world, header, keccak256(raw))
        yield case(f"{name}, signed as it is", False, told(raw, signed))


def _sign(world: World, header: Header, block: Hash32) -> bytes:
    message = certificate_message(world.network, header.generation, header.height, block)
    whole = Share(0, world.secrets[CERTIFICATE], world.roots[CERTIFICATE])
    return G1.encode(bls.sign(whole, message))


def _cleared(signature: bytes) -> bytes:
    return bytes((signature[0] & 0x7F,)) + signature[1:]


def off_subgroup() -> int:
    """Give the smallest x of a point of the curve; the subgroup is one in 2^125 of them."""
    x = 1
    while pow(x**3 + 4, (MODULUS - 1) // 2, MODULUS) != 1:
        x += 1
    return x


def compressed(x: int) -> bytes:
    """Write the point of that x whose y is the smaller one; the x may be out of range."""
    raw = x.to_bytes(48, "big")
    return bytes((raw[0] | 0x80,)) + raw[1:]


def _other_headers(header: Header) -> Iterator[tuple[str, bytes]]:
    raw = header.encode()
    fields = rlp.decode(raw)
    assert isinstance(fields, list)
    yield "a byte behind the header", raw + b"\0"
    size = len(raw) - 3
    yield "a length of three bytes where two do", b"\xfa" + size.to_bytes(3, "big") + raw[3:]
    padded = [*fields]
    padded[8] = b"\0" + header.height.to_bytes(1, "big")
    yield "a height with a leading zero", rlp.encode(padded)
    yield "a field too few", rlp.encode(fields[:-1])
    yield "a field too many", rlp.encode([*fields, b""])


# -- foundings


def founding() -> Iterator[Case]:
    """Genesis and founding record under a pinned network id."""
    world, other = World(), World("another")
    good = world.founding()
    record = FoundingRecord.decode(good.record)

    def told(
        genesis: bytes = good.genesis, raw: bytes = good.record, network: bytes = world.network
    ) -> dict[str, Json]:
        shown: Json = {"genesis": hexes.data(genesis), "record": hexes.data(raw)}
        return {"network": hexes.data(network), "founding": shown}

    says: Json = {
        "verifyingKey": hexes.data(world.verifying_key),
        "height": record.height,
        "block": record.block.hex0x,
    }
    yield case("a record that all founders signed", True, told(), says)
    yield case("another network's id", False, told(network=other.network))
    yield case("another network's record", False, told(raw=other.founding().record))
    yield case("another network's genesis", False, told(other.founding().genesis))
    for seat in (1, 4):
        some = {at: one for at, one in record.signatures.items() if at != seat}
        raw = replace(record, signatures=some).encode()
        yield case(f"founder {seat} did not sign", False, told(raw=raw))
    swapped = {**record.signatures, 1: record.signatures[2], 2: record.signatures[1]}
    raw = replace(record, signatures=swapped).encode()
    yield case("two signatures changed places", False, told(raw=raw))
    for name in record.roots:
        roots = {**record.roots, name: other.record(9, record.block).roots[name]}
        yield case(f"another {name} root", False, told(raw=replace(record, roots=roots).encode()))
    raw = good.record.replace(record.roots["certificate"], IDENTITY_2)
    yield case("a verifying key at infinity", False, told(raw=raw))
    raw = replace(record, block=Hash32(b"b" * 32)).encode()
    yield case("another block than was signed", False, told(raw=raw))
    yield case("a byte behind the record", False, told(raw=good.record + b"\0"))
    yield case("cut off", False, told(raw=good.record[:-1]))


# -- accounts and slots


def account() -> Iterator[Case]:
    """EIP-1186 proofs under a state root."""
    world = World()
    world.change({"short": b"brief"})
    world.put_wallet()
    world.block()
    root = world.state.root
    # One whose path ends at somebody else's leaf.
    nobody = (Address(bytes((at,)) * 20) for at in range(256))
    absent = next(one for one in nobody if len(world.state.prove_account(one)) > 1)
    good = prove_cells(world.state, Nodes.ADDRESS, [LONG, SHORT, ABSENT])
    long, short, nothing = good.slots

    def told(proof: AccountProof, under: bytes = root) -> dict[str, Json]:
        return {"stateRoot": hexes.data(under), "proof": proof.to_json()}

    def says(proof: AccountProof) -> Json:
        found = proof.check(root)
        return {
            "storageHash": found.account.storage_root.hex0x,
            "slots": {Bytes32(at).hex0x: hexes.data(one) for at, one in found.slots.items()},
        }

    def of(*slots: SlotProof) -> dict[str, Json]:
        return told(replace(good, slots=slots))

    yield case("a long value, a short one, an absent one", True, told(good), says(good))
    none = prove(world.state, absent, [SHORT])
    yield case("an absent account, whose slots are absent", True, told(none), says(none))
    yield case("another root", False, told(good, World("another").state.root))
    yield case("an account's proof cut off", False, told(replace(good, nodes=good.nodes[:-1])))
    yield case("an account's proof that is empty", False, told(replace(good, nodes=())))
    more = (*good.nodes, short.nodes[-1])
    yield case("a node that is not needed", False, told(replace(good, nodes=more)))
    turned = (*good.nodes[:-1], good.nodes[-1][:-1] + bytes((good.nodes[-1][-1] ^ 1,)))
    yield case("an altered node", False, told(replace(good, nodes=turned)))
    forged = replace(good, address=absent)
    yield case("another account with the same nodes", False, told(forged))
    hidden = replace(good, nodes=none.nodes)
    yield case("absence claimed for a present account", False, told(hidden))
    yield case("a slot's proof cut off", False, of(replace(short, nodes=short.nodes[:-1])))
    yield case("absence claimed for a present slot", False, of(replace(short, nodes=nothing.nodes)))
    yield case("absence by an empty proof", False, of(replace(short, nodes=())))
    yield case(
        "presence claimed for an absent slot", False, of(replace(nothing, nodes=short.nodes))
    )
    yield case("a slot that comes twice", False, of(short, short))
    yield case("a long value cut off", False, of(replace(long, blob=long.blob[:-1])))
    yield case("a value beside a short slot", False, of(replace(short, blob=b"brief")))
    yield case("a value beside an absent slot", False, of(replace(nothing, blob=b"brief")))
    for name, node in _other_nodes(good.nodes[0]):
        odd = replace(good, nodes=(node, *good.nodes[1:]))
        yield case(f"{name}, under a root that names it", False, told(odd, keccak256(node)))


def _other_nodes(node: bytes) -> Iterator[tuple[str, bytes]]:
    yield "a byte behind a node", node + b"\0"
    body = node[1:] if node[0] <= 0xF7 else node[1 + node[0] - 0xF7 :]
    yield "a length of three bytes", b"\xfa" + len(body).to_bytes(3, "big") + body
    yield "a list of three", rlp.encode([b"", b"", b""])


# -- receipts


def receipt() -> Iterator[Case]:
    """A transaction and its receipt under a certified header."""
    world = World()
    block = busy_block(world)
    middle = world.block()
    shown, newest = world.certify(block), world.certify(world.block())

    def told(proof: ReceiptProof) -> dict[str, Json]:
        return {
            "network": world.network.hex0x,
            "verifyingKey": hexes.data(world.verifying_key),
            "receipt": proof.to_json(),
        }

    def says(proof: ReceiptProof) -> Json:
        found = proof.check(proof.shown.header)
        return {
            "block": found.header.hash.hex0x,
            "transaction": hexes.data(found.transaction),
            "status": found.status,
            "cumulativeGas": found.cumulative_gas,
            "logs": len(found.logs),
        }

    for index in range(3):
        good = receipt_proof(shown, index)
        yield case(f"transaction {index} of three", True, told(good), says(good))
    links = (middle.encode(), block.encode())
    far = receipt_proof(newest, 1, links)
    yield case("a block that two later ones lead to", True, told(far), says(far))
    good = receipt_proof(shown, 1)
    for name, bad in (
        ("a link is missing", replace(far, links=links[:1])),
        ("links in another order", replace(far, links=links[::-1])),
        ("a link too many", replace(far, links=(*links, block.encode()))),
        ("another block's receipt", replace(good, shown=newest)),
        ("another place", replace(good, index=2)),
        ("another place's receipt", replace(good, receipt=receipt_proof(shown, 2).receipt)),
        ("the transaction as its receipt", replace(good, receipt=good.transaction)),
        ("cut off", replace(good, receipt=good.receipt[:-1])),
        ("a place behind the last", receipt_proof(shown, 3)),
        ("no certificate", replace(good, shown=Shown(block, None))),
    ):
        yield case(name, False, told(bad))


# -- files


def file() -> Iterator[Case]:
    """Whole files, as `keymoot inspect` checks them."""
    world, other = World(), World("another")
    good, _ = whole_dossier(world)
    theirs, _ = whole_dossier(other)
    steps: Json = [one.name for one in good.examine(world.network)]
    pinned = world.network.hex0x
    yield case("all parts", True, {"network": pinned, "file": good.to_json()}, steps)
    bare = replace(good, wallet=None, account=None, receipt=None)
    told = bare.to_json()
    yield case("members alone", True, {"network": pinned, "file": told}, [*steps][:4])
    yield case("another pinned id", False, {"network": other.network.hex0x, "file": told})
    for part in ("founding", "shown", "members"):
        mixed = replace(bare, **{part: getattr(theirs, part)}).to_json()
        yield case(f"{part} of another network", False, {"network": pinned, "file": mixed})
    mixed = replace(bare, wallet=theirs.wallet).to_json()
    yield case("a wallet of another network", False, {"network": pinned, "file": mixed})


FILES: dict[str, Callable[[], Iterator[Case]]] = {
    "certified": certified,
    "founding": founding,
    "account": account,
    "receipt": receipt,
    "file": file,
}


def text_of(name: str) -> str:
    """Give the content of one file of vectors."""
    return json.dumps(list(FILES[name]()), indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in FILES:
        (FOLDER / f"{name}.json").write_text(text_of(name))
