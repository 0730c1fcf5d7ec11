"""The state secret: how a seat that lacks it gets it from the others, and nobody else does."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from keymoot.base import hexes
from keymoot.base.fixed import NetworkId
from keymoot.base.secret import Secret
from keymoot.base.strict_json import Json
from keymoot.committee.statekey.record import next_name, state_input, state_secret
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.derived import AskerKey, DerivationShare
from tests.proof.vectors import compressed, off_subgroup
from tests.threshold.transcripts import keygen
from tests.threshold.transcripts.certificate import bad_encodings
from tests.threshold.transcripts.points import bad_points
from tests.threshold.transcripts.scene import (
    GENERATION,
    NETWORK,
    PARTIES,
    Case,
    Object,
    accept,
    by_party,
    flipped,
    refuse,
    rng,
    seed,
    told_root,
    wire,
)

ANSWERING = (1, 2, 4)
"""Seat 3 asks; it has a share of its own, and answers itself like everybody else if it must."""
INPUT = state_input(NETWORK, 0)


@lru_cache
def asker(name: str = "asker") -> tuple[Secret, AskerKey]:
    """Make a one-time key."""
    return derived.asker(rng(name))


@lru_cache
def answers(name: bytes = INPUT, to: str = "asker") -> dict[int, DerivationShare]:
    """Let all parties answer."""
    _, key = asker(to)
    shares = keygen.run_of("derive").shares
    return {at: derived.answer(shares[at], name, key, rng("answer", at)) for at in PARTIES}


def given() -> dict[int, DerivationShare]:
    """Give the answers that are used."""
    return {at: answers()[at] for at in ANSWERING}


def transcripts() -> Iterator[Object]:
    """Give the one there is."""
    root = keygen.run_of("derive").root
    secret, key = asker()
    point, _ = derived.combine(root, INPUT, secret, key, given())
    shares = keygen.run_of("derive").shares
    yield {
        "description": "version 0 of a network's state secret, given to seat 3 by three others",
        "parameters": {
            "root": told_root(root),
            "need": root.degree + 1,
            "purpose": "state",
            "network": NETWORK.hex0x,
            "version": 0,
            "name": FIRST_NAME.hex0x,
        },
        "inputs": {
            "askerSeed": hexes.data(seed("asker")),
            "parties": [
                {
                    "index": at,
                    "secretShare": hexes.data(shares[at].secret.expose()),
                    "seed": hexes.data(seed("answer", at)),
                }
                for at in ANSWERING
            ],
        },
        "messages": {
            "asker": told_key(key),
            "answers": by_party({at: wire(one.item()) for at, one in given().items()}),
        },
        "outputs": {
            "input": hexes.data(INPUT),
            "hashed": hexes.data(G1.encode(derived.point_of(root, INPUT))),
            "point": hexes.data(point.expose()),
            "secret": hexes.data(state_secret(point).expose()),
        },
        "cases": [*_inputs(), *_askers(), *_answers(), *_combined(state_secret(point))],
    }


def told_key(key: AskerKey) -> Object:
    """Write an asker's key."""
    return {"first": hexes.data(key.first), "second": hexes.data(key.second)}


def _inputs() -> Iterator[Case]:
    """Inputs that differ have other secrets; all of them go with the root and the purpose."""
    for description, network, version, name in (
        ("version 1 has a name of its own", NETWORK, 1, next_name(NETWORK, 1, GENERATION, 2)),
        ("another network", NetworkId(b"n" * 32), 0, FIRST_NAME),
    ):
        told: Object = {"network": network.hex0x, "version": version, "name": name.hex0x}
        says: Json = {"input": hexes.data(state_input(network, version, name))}
        yield accept("input", description, told, says)


def _askers() -> Iterator[Case]:
    _, key = asker()
    _, other = asker("another asker")
    yield accept("asker", "a one-time key", told_key(key), None)
    mixed = replace(key, second=other.second)
    yield refuse("asker", "two halves of two keys", told_key(mixed), "BAD_POINT")
    for name, raw in bad_encodings(key.first):
        told = told_key(replace(key, first=raw))
        yield refuse("asker", f"the first half is no point: {name}", told, "BAD_POINT")
    for name, raw in bad_points(G2):
        told = told_key(replace(key, second=raw))
        yield refuse("asker", f"the second half is no point: {name}", told, "BAD_POINT")


def _answers() -> Iterator[Case]:
    good = answers()

    def told(at: int, one: DerivationShare) -> Object:
        return {"from": at, "answer": wire(one.item())}

    for at, one in given().items():
        yield accept("answer", f"party {at}'s answer", told(at, one), None)
    name = state_input(NETWORK, 1, next_name(NETWORK, 1, GENERATION, 2))
    another = derived.input_of("app", NETWORK, (0).to_bytes(4, "big"), FIRST_NAME)
    generator = G1.encode(G1.generator)
    for description, bad in (
        ("another party's answer", good[2]),
        ("for another version", answers(name)[1]),
        ("for another purpose", answers(another)[1]),
        ("to another asker", answers(INPUT, "another asker")[1]),
        ("another mask than it names", replace(good[1], nonce=good[2].nonce)),
        ("another point", replace(good[1], cipher=generator)),
        ("both halves changed places", DerivationShare(good[1].cipher, good[1].nonce)),
        ("the negated point", replace(good[1], cipher=_negated(good[1].cipher))),
        ("a mask at infinity", replace(good[1], nonce=b"\xc0" + bytes(47))),
        ("a point at infinity", replace(good[1], cipher=b"\xc0" + bytes(47))),
        ("a mask outside the subgroup", replace(good[1], nonce=compressed(off_subgroup()))),
        ("a point outside the subgroup", replace(good[1], cipher=compressed(off_subgroup()))),
        ("a mask that is none", replace(good[1], nonce=flipped(good[1].nonce, 47))),
    ):
        yield refuse("answer", description, told(1, bad), "BAD", 1)


def _negated(point: bytes) -> bytes:
    return bytes((point[0] ^ 0x20,)) + point[1:]


def _combined(secret: Secret) -> Iterator[Case]:
    good = answers()

    def told(some: dict[int, DerivationShare]) -> Object:
        return {"answers": by_party({at: wire(one.item()) for at, one in some.items()})}

    says = hexes.data(secret.expose())
    for chosen in ((1, 2, 4), (1, 2, 3), (2, 3, 4), (1, 2, 3, 4)):
        some = {at: good[at] for at in chosen}
        answer: Json = {"secret": says, "bad": []}
        yield accept("combine", f"answers of {chosen}", told(some), answer)
    lie = {**good, 2: replace(good[2], cipher=G1.encode(G1.generator))}
    yield accept("combine", "party 2's answer is bad", told(lie), {"secret": says, "bad": [2]})
    few = {at: lie[at] for at in (1, 2, 4)}
    yield refuse("combine", "of three answers one is bad", told(few), "TOO_FEW")
    two = {at: good[at] for at in (1, 4)}
    yield refuse("combine", "two answers, three are needed", told(two), "TOO_FEW")
    elsewhere = answers(INPUT, "another asker")
    yield refuse("combine", "answers to another asker", told(elsewhere), "TOO_FEW")
