"""Threshold BLS: the certificate of a block, from shares of three of four."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from typing import Any

from keymoot.base import hexes
from keymoot.base.fixed import Hash32
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from tests.proof.vectors import IDENTITY_1, MODULUS, compressed, off_subgroup
from tests.threshold.transcripts import keygen, reshare
from tests.threshold.transcripts.scene import (
    GENERATION,
    NETWORK,
    OTHER_GENERATION,
    PARTIES,
    Case,
    Object,
    accept,
    by_party,
    refuse,
    told_root,
)

HEIGHT = Height(7)
BLOCK = Hash32(sha256(b"a block of the vectors").digest())


def message_of(
    height: int = HEIGHT, block: Hash32 = BLOCK, generation: Hash32 = GENERATION
) -> bytes:
    """Give what is signed of a block."""
    return certificate_message(NETWORK, generation, Height(height), block)


MESSAGE = message_of()


def signed(message: bytes = MESSAGE) -> dict[int, Any]:
    """Give all parties' shares."""
    return {at: bls.sign(one, message) for at, one in keygen.run_of("certificate").shares.items()}


@lru_cache
def good() -> tuple[dict[int, Any], bytes]:
    """Give the shares, and the certificate."""
    shares = signed()
    whole, _ = bls.combine(keygen.run_of("certificate").root, MESSAGE, shares)
    return shares, G1.encode(whole)


def transcripts() -> Iterator[Object]:
    """Give the one there is."""
    run = keygen.run_of("certificate")
    shares, certificate = good()
    yield {
        "description": "the certificate of block 7, under the root that keygen.json makes",
        "parameters": {
            "root": told_root(run.root),
            "need": run.root.degree + 1,
            "network": NETWORK.hex0x,
            "generation": GENERATION.hex0x,
            "height": HEIGHT,
            "block": BLOCK.hex0x,
        },
        "inputs": {
            "secretShares": by_party(
                {at: hexes.data(run.shares[at].secret.expose()) for at in PARTIES}
            )
        },
        "messages": {"shares": told_shares(shares)["shares"]},
        "outputs": {
            "message": hexes.data(MESSAGE),
            "certificate": hexes.data(certificate),
            "value": hexes.data(bls.value(G1.decode(certificate))),
        },
        "cases": [*_shares(), *_combined(), *_certificates()],
    }


def told_shares(shares: dict[int, Any]) -> Object:
    """Write shares by party."""
    return {"shares": by_party({at: hexes.data(G1.encode(one)) for at, one in shares.items()})}


def bad_encodings(point: bytes) -> list[tuple[str, bytes]]:
    """Give what is no point of G1, in every way that a careless reader lets in."""
    x = off_subgroup()
    return [
        ("the identity", IDENTITY_1),
        ("the identity with other bits", IDENTITY_1[:-1] + b"\1"),
        ("one byte less", point[:-1]),
        ("one byte more", point + b"\0"),
        ("the compression flag missing", bytes((point[0] & 0x7F,)) + point[1:]),
        ("on the curve, outside the subgroup", compressed(x)),
        ("a coordinate that is not below the modulus", compressed(x + MODULUS)),
    ]


def _shares() -> Iterator[Case]:
    shares, _ = good()
    for at, one in shares.items():
        given: Object = {"from": at, "share": hexes.data(G1.encode(one))}
        yield accept("share", f"party {at}'s share", given, None)
    after = reshare.run_of("certificate").shares[1]
    for name, one in (
        ("another party's share", shares[2]),
        ("a share of another block", signed(message_of(block=Hash32(b"b" * 32)))[1]),
        ("a share of another height", signed(message_of(height=8))[1]),
        ("a share in another generation", signed(message_of(generation=OTHER_GENERATION))[1]),
        (
            "a share after the reshare: the key is the same, the share is not",
            bls.sign(after, MESSAGE),
        ),
        ("the negated share", G1.negate(shares[1])),
        ("the generator", G1.generator),
    ):
        given = {"from": 1, "share": hexes.data(G1.encode(one))}
        yield refuse("share", name, given, "BAD", 1)
    for name, raw in bad_encodings(G1.encode(shares[1])):
        yield refuse("share", name, {"from": 1, "share": hexes.data(raw)}, "BAD_POINT")


def _combined() -> Iterator[Case]:
    shares, certificate = good()
    says = hexes.data(certificate)
    for chosen in (*combinations(PARTIES, 3), PARTIES):
        some = {at: shares[at] for at in chosen}
        answer: Json = {"certificate": says, "bad": []}
        yield accept("combine", f"parties {chosen}", told_shares(some), answer)
    other = signed(message_of(block=Hash32(b"b" * 32)))
    lie = {**shares, 1: other[1]}
    answer = {"certificate": says, "bad": [1]}
    yield accept("combine", "party 1 signed another block", told_shares(lie), answer)
    two = {at: shares[at] for at in (2, 3)}
    yield refuse("combine", "two shares, three are needed", told_shares(two), "TOO_FEW")
    split = {1: other[1], 2: other[2], 3: shares[3], 4: shares[4]}
    yield refuse("combine", "two signed one block, two another", told_shares(split), "TOO_FEW")
    few = {1: G1.negate(shares[1]), 2: shares[2], 3: shares[3]}
    yield refuse("combine", "three shares, one of them negated", told_shares(few), "TOO_FEW")


def _certificates() -> Iterator[Case]:
    _, certificate = good()
    key = hexes.data(G2.encode(keygen.run_of("certificate").root.public))
    other = hexes.data(G2.encode(keygen.run_of("derive").root.public))

    def told(raw: bytes, message: bytes = MESSAGE, under: str = key) -> Object:
        return {
            "certificate": hexes.data(raw),
            "message": hexes.data(message),
            "verifyingKey": under,
        }

    yield accept("verify", "the certificate", told(certificate), None)
    for name, given in (
        ("of another height", told(certificate, message_of(height=8))),
        ("of another generation", told(certificate, message_of(generation=OTHER_GENERATION))),
        ("of another block", told(certificate, message_of(block=Hash32(b"b" * 32)))),
        ("under the key of the root for derivation", told(certificate, under=other)),
        ("one share instead of the certificate", told(G1.encode(good()[0][1]))),
        ("the negated certificate", told(bytes((certificate[0] ^ 0x20,)) + certificate[1:])),
    ):
        yield refuse("verify", name, given, "BAD")
    for name, raw in bad_encodings(certificate):
        yield refuse("verify", name, told(raw), "BAD_POINT")
