"""Two presignatures under the ECDSA root of `keygen.json`: both rounds, and disputes in them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from keymoot.base import hexes
from keymoot.base.strict_json import Json
from keymoot.threshold import envelope as boxes
from keymoot.threshold import first_round, second_round
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.first_round import FirstDealing, FirstPublic
from keymoot.threshold.presignature import Batch, Presignature, PublicPresignature
from keymoot.threshold.second_round import SecondDealing
from keymoot.threshold.secp256k1 import SECP256K1, Point
from keymoot.threshold.session import Session
from tests.threshold.transcripts import keygen
from tests.threshold.transcripts.scene import (
    OTHER_GENERATION,
    PARTIES,
    SEALING,
    Case,
    Object,
    accept,
    bad_complaints,
    bad_envelopes,
    bad_wires,
    by_party,
    flipped,
    refuse,
    respelled,
    rng,
    sealing_keys,
    session,
    told_parties,
    told_root,
    told_session,
    wire,
)

SIZE = 2
FIRST_DEALERS = (1, 2)
SECOND_DEALERS = (1, 2, 4)
LARGE = b"\xff" * 32


@dataclass(frozen=True)
class Run:
    """An honest batch."""

    batch: Batch
    first: dict[int, FirstDealing]
    public: FirstPublic
    shares: dict[int, list[first_round.FirstShare]]
    second: dict[int, SecondDealing]
    made: dict[int, list[Presignature]]
    committed: list[PublicPresignature]


@lru_cache
def run() -> Run:
    """Run both rounds."""
    root = keygen.run_of("ecdsa")
    batch = Batch(session("presign/1"), root.root, sealing_keys(), SIZE)
    first = {at: first_round.deal(batch, at, rng("first", at)) for at in FIRST_DEALERS}
    claims = {at: first_round.check(batch, at, one) for at, one in first.items()}
    public = first_round.combine(batch, claims)
    shares = {
        at: first_round.receive(batch, at, SEALING[at], first, public, rng("weights", at))
        for at in PARTIES
    }
    second = {
        at: second_round.deal(batch, root.shares[at], public, shares[at], rng("second", at))
        for at in SECOND_DEALERS
    }
    made = {}
    for at in PARTIES:
        coins = rng("second weights", at)
        made[at] = second_round.receive(batch, at, SEALING[at], public, shares[at], second, coins)
    read = {at: second_round.read(batch, public, at, one) for at, one in second.items()}
    commitments = {at: one.commitments for at, one in read.items()}
    committed = second_round.combine(batch, public, commitments)
    return Run(batch, first, public, shares, second, made, committed)


def told_points(points: tuple[Point, ...]) -> list[Json]:
    """Write points, compressed."""
    return [hexes.data(SECP256K1.encode(point)) for point in points]


def told_public(one: PublicPresignature) -> Object:
    """Write what all know of a presignature."""
    return {
        "point": hexes.data(SECP256K1.encode(one.point)),
        "blinder": told_points(one.blinder),
        "nonceProduct": told_points(one.nonce_product),
        "keyProduct": told_points(one.key_product),
    }


def told_secrets(made: dict[int, list[Presignature]], place: int) -> Object:
    """Write each party's six secrets of a presignature."""
    return by_party(
        {
            at: [hexes.data(secret.expose()) for secret in mine[place].secrets]
            for at, mine in made.items()
        }
    )


def transcripts() -> Iterator[Object]:
    """Give the one there is."""
    one = run()
    root = keygen.run_of("ecdsa")
    parties = told_parties(firstSeed="first", secondSeed="second")
    for party, at in zip(parties, PARTIES, strict=True):
        assert isinstance(party, dict)
        party["secretShare"] = hexes.data(root.shares[at].secret.expose())
    yield {
        "description": "two presignatures of four parties of whom one may be broken",
        "parameters": {
            "session": told_session(one.batch.session),
            "root": told_root(one.batch.root),
            "size": SIZE,
            "firstDealers": list(FIRST_DEALERS),
            "secondDealers": list(SECOND_DEALERS),
        },
        "inputs": {"parties": parties},
        "messages": {
            "first": by_party({at: wire(deal.item()) for at, deal in one.first.items()}),
            "second": by_party({at: wire(deal.item()) for at, deal in one.second.items()}),
        },
        "outputs": {
            "transcript": hexes.data(one.public.transcript),
            "presignatures": [
                {**told_public(public), "secrets": told_secrets(one.made, place)}
                for place, public in enumerate(one.committed)
            ],
        },
        "cases": [*_first(one), *_disputes(one, 1), *_second(one), *_disputes(one, 2)],
    }


def told(at: int, dealing: FirstDealing | SecondDealing) -> Object:
    """Write a dealing and who sent it."""
    return {"from": at, "dealing": wire(dealing.item())}


def bad_rows(rows: tuple[bytes, ...]) -> list[tuple[str, tuple[bytes, ...]]]:
    """Give commitments of another shape, or that are no points, from one row each."""
    row = rows[0]
    compressed = SECP256K1.encode(SECP256K1.generator)
    return [
        ("commitments to one presignature less", rows[1:]),
        ("commitments to one presignature more", (*rows, row)),
        ("a commitment less: another degree", (row[:-65], *rows[1:])),
        ("a commitment more: another degree", (row + row[:65], *rows[1:])),
        ("a commitment that is the identity", (bytes(65) + row[65:], *rows[1:])),
        ("a commitment that begins with 06", (b"\6" + row[1:], *rows[1:])),
        ("a commitment off the curve", (flipped(row), *rows[1:])),
        ("a commitment in compressed form", (compressed + row[65:], *rows[1:])),
    ]


def _first(one: Run) -> Iterator[Case]:
    good = one.first[1]

    def bad(description: str, dealing: FirstDealing, at: int = 1) -> Case:
        return refuse("first", description, told(at, dealing), "CHEATED", at)

    for at, dealing in one.first.items():
        hashed = hexes.data(first_round.check(one.batch, at, dealing).digest)
        yield accept("first", f"party {at}'s dealing", told(at, dealing), {"digest": hashed})
    yield bad("party 1's dealing, copied by party 3", good, 3)
    for name, about in (
        ("another generation", session("presign/1", OTHER_GENERATION)),
        ("another batch", session("presign/2")),
    ):
        elsewhere = replace(one.batch, session=about)
        yield bad(f"made for {name}", first_round.deal(elsewhere, 1, rng("first", name)))
    for name, rows in bad_rows(good.masked):
        yield bad(f"of λ: {name}", replace(good, masked=rows))
    for name, rows in bad_rows(good.plain):
        yield bad(f"of κ: {name}", replace(good, plain=rows))
    for name, envelope in bad_envelopes(good.envelope, one.first[2].envelope):
        yield bad(name, replace(good, envelope=envelope))
    for name, raw in bad_wires(bytes.fromhex(wire(good.item())[2:])):
        given = told(1, good) | {"dealing": hexes.data(raw)}
        yield refuse("first", name, given, "MALFORMED")


def _second(one: Run) -> Iterator[Case]:
    good = one.second[1]
    shares = keygen.run_of("ecdsa").shares

    def bad(description: str, dealing: SecondDealing, at: int = 1) -> Case:
        return refuse("second", description, told(at, dealing), "CHEATED", at)

    for at, dealing in one.second.items():
        says: Json = {"products": [hexes.data(row) for row in dealing.products]}
        yield accept("second", f"party {at}'s dealing", told(at, dealing), says)
    yield bad("party 1's dealing, copied by party 3", good, 3)
    for name, about in (
        ("another generation", session("presign/1", OTHER_GENERATION)),
        ("another batch", session("presign/2")),
    ):
        elsewhere = replace(one.batch, session=about)
        made = second_round.deal(
            elsewhere, shares[1], one.public, one.shares[1], rng("second", name)
        )
        yield bad(f"made for {name}", made)
    for name, share, first in _lies(one):
        made = second_round.deal(one.batch, share, one.public, first, rng("second", name))
        yield bad(name, made)
    for name, rows in bad_rows(good.products):
        yield bad(name, replace(good, products=rows))
    for name, proof in _bad_proofs(good.proof):
        yield bad(name, replace(good, proof=proof))
    yield bad("the proof of another's products", replace(good, proof=one.second[2].proof))
    other = (one.second[2].products[0], *good.products[1:])
    yield bad("another's products beside its proof", replace(good, products=other))
    swapped = replace(good, products=good.products[::-1])
    yield bad("the products in another order", swapped)
    for name, envelope in bad_envelopes(good.envelope, one.second[2].envelope):
        yield bad(name, replace(good, envelope=envelope))
    for name, raw in bad_wires(bytes.fromhex(wire(good.item())[2:])):
        given = told(1, good) | {"dealing": hexes.data(raw)}
        yield refuse("second", name, given, "MALFORMED")


def _lies(one: Run) -> Iterator[tuple[str, Any, list[first_round.FirstShare]]]:
    """Give shares of party 1 of which one is not what the others know it to be."""
    share, first = keygen.run_of("ecdsa").shares[1], one.shares[1]
    five = SECP256K1.hide(5)
    yield "products of another share of the root", replace(share, secret=five), first
    for field, name in (("value", "λ"), ("nonce", "κ")):
        changed = [replace(first[0], **{field: five}), *first[1:]]
        yield f"products of another {name}", share, changed


def _bad_proofs(proof: bytes) -> list[tuple[str, bytes]]:
    # Four points (two A, B, E), then four answers.
    answers = 4 * 65
    names = ("A of the first", "A of the second", "B", "E")
    found = [
        (f"a proof with another {name}", proof[: 65 * at] + _two() + proof[65 * (at + 1) :])
        for at, name in enumerate(names)
    ]
    found.append(("a proof with an A that is no point", flipped(proof, 64)))
    for at, name in enumerate(("first k", "second k", "x", "r")):
        found.append((f"an altered answer for the {name}", flipped(proof, answers + 32 * at + 31)))
    large = proof[:answers] + LARGE + proof[answers + 32 :]
    return [
        *found,
        ("an answer that is not below the order", large),
        ("a proof of one presignature less", proof[65 : answers + 96]),
        ("a proof that is cut", proof[:-1]),
    ]


def _two() -> bytes:
    return SECP256K1.encode_wide(SECP256K1.base_public(2))


# -- shares that are bad, and who is found guilty


def _disputes(one: Run, number: int) -> Iterator[Case]:
    """Let party 1 deal badly to party 3, or party 3 lie."""
    dealings: dict[int, Any] = {**(one.first if number == 1 else one.second)}
    about = one.batch.first if number == 1 else one.batch.second
    per = 3 * SIZE if number == 1 else 4 * SIZE
    good = dealings[1]
    held = {at: _held(one, about, good.envelope, at) for at in PARTIES}

    def sealed(name: str, content: bytes) -> tuple[str, Any]:
        changed = {**held, 3: content}
        coins = rng("quarrel", number, name)
        envelope = boxes.seal(about, 1, one.batch.keys, changed, coins)
        return name, replace(good, envelope=envelope)

    def complaint(name: str, dealing: Any) -> Complaint:
        return boxes.complain(
            about,
            1,
            3,
            SEALING[3],
            one.batch.keys[3],
            dealing.envelope,
            rng("complaint", number, name),
        )

    def round_of(dealing: Any) -> Object:
        return {"to": 3, "instead": {} if dealing is good else {"1": wire(dealing.item())}}

    spoiled = [
        sealed(f"an altered share, number {at} in the box", flipped(held[3], 32 * at + 31))
        for at in range(per)
    ]
    spoiled += [
        sealed("a box with a share less", held[3][:-32]),
        sealed("a box with a share more", held[3] + bytes(32)),
        sealed("an empty content", b""),
        sealed("a share that is not below the order", LARGE + held[3][32:]),
        ("a box that does not open", replace(good, envelope=_shut(good.envelope))),
    ]
    name_of = {1: "receive1", 2: "receive2"}
    yield accept(name_of[number], "an honest round", round_of(good), _received(one, number))
    for name, dealing in spoiled:
        code = "SEAL_BROKEN" if "does not open" in name else "MALFORMED"
        yield refuse(name_of[number], name, round_of(dealing), code)
    if number == 2:
        lie = next(_lies(one))
        made = second_round.deal(one.batch, lie[1], one.public, lie[2], rng("second", lie[0]))
        yield refuse("receive2", lie[0], round_of(made), "CHEATED", 1)
        few: Object = {**round_of(good), "without": 4}
        yield refuse("receive2", "a dealing too few", few, "MALFORMED")
    step = f"complaint{number}"

    def judged(dealing: Any, made: Complaint) -> Object:
        return {"dealing": wire(dealing.item()), "complaint": wire(made.item())}

    for name, dealing in spoiled:
        given = judged(dealing, complaint(name, dealing))
        yield accept(step, f"over {name}", given, {"guilty": 1})
    given = judged(good, complaint("honest", good))
    yield accept(step, "over a good box", given, {"guilty": 3})
    name, dealing = spoiled[0]
    made_well = complaint(name, dealing)
    for reason, bad in bad_complaints(made_well):
        yield accept(step, f"{reason}, over a bad box", judged(dealing, bad), {"guilty": 3})
    another = judged(dealing, replace(made_well, accuser=4))
    yield accept(step, "in another's name", another, {"guilty": 4})
    stranger = judged(dealing, replace(made_well, accuser=9))
    yield accept(step, "by a stranger", stranger, {"guilty": 9})


def _shut(envelope: Envelope) -> Envelope:
    return respelled(envelope, 3, flipped)


def _held(one: Run, about: Session, envelope: Envelope, at: int) -> bytes:
    return boxes.open_box(about, 1, at, SEALING[at], one.batch.keys[at], envelope).expose()


def _received(one: Run, number: int) -> Json:
    if number == 2:
        return [[hexes.data(secret.expose()) for secret in mine.secrets] for mine in one.made[3]]
    return [
        [hexes.data(secret.expose()) for secret in (mine.value, mine.mask, mine.nonce)]
        for mine in one.shares[3]
    ]
