"""Certificates, and the state secret."""

import hashlib
from itertools import combinations
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.threshold.stranger.curves import G1, G2, hashed, pairing
from tests.threshold.stranger.words import No, SeededRng, data, framed, raw, read, weights, wire

CERTIFICATE = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
DERIVE = b"KEYMOOT-V1-DERIVE_BLS12381G1_XMD:SHA-256_SSWU_RO_"


def at_zero(points: dict[int, Any]) -> Any:
    factors = weights(G1.order, points)
    return G1.total(G1.multiply(factors[at], one) for at, one in points.items())


class Keyed:
    """Who knows a root in G2."""

    def __init__(self, told: Any) -> None:
        self.told, root = told, told["parameters"]["root"]
        self.public = G2.decode(raw(root["public"]))
        self.shares = {at: G2.decode(raw(one)) for at, one in enumerate(root["shares"], 1)}
        self.need = root["degree"] + 1

    def combined(self, told: Any, good: Any, whole: Any) -> tuple[Any, list[int]]:
        """Combine any good ones: `good(at, one)` tells them, `whole(them)` must hold."""
        found = {at: one for at, one in told.items() if good(at, one)}
        if len(found) < self.need:
            raise No("TOO_FEW")
        made = [
            whole({at: found[at] for at in chosen}) for chosen in combinations(found, self.need)
        ]
        assert all(one == made[0] for one in made)
        return made[0], sorted(told.keys() - found.keys())


class Certificate(Keyed):
    """Reads `certificate.json`."""

    def __init__(self, told: Any) -> None:
        super().__init__(told)
        given = told["parameters"]
        network, generation, block = (raw(given[one]) for one in ("network", "generation", "block"))
        height = given["height"].to_bytes(8, "big")
        self.message = framed(b"keymoot/v1/certificate", network, generation, height, block)
        self.point = hashed(self.message, CERTIFICATE)

    def replay(self) -> Any:
        shares = {
            at: data(G1.encode(G1.multiply(G1.scalar(raw(one)), self.point)))
            for at, one in self.told["inputs"]["secretShares"].items()
        }
        certificate = self.combine({"shares": shares})["certificate"]
        value = data(hashlib.sha256(raw(certificate)).digest())
        outputs = {"message": data(self.message), "certificate": certificate, "value": value}
        return {"shares": shares}, outputs

    def good(self, at: int, share: Any) -> bool:
        return bool(pairing(share, G2.generator) == pairing(self.point, self.shares[at]))

    def share(self, told: Any) -> None:
        if not self.good(told["from"], G1.decode(raw(told["share"]))):
            raise No("BAD", told["from"])

    def combine(self, told: Any) -> Any:
        shares = {int(at): G1.decode(raw(one)) for at, one in told["shares"].items()}
        whole, bad = self.combined(shares, self.good, at_zero)
        assert pairing(whole, G2.generator) == pairing(self.point, self.public)
        return {"certificate": data(G1.encode(whole)), "bad": bad}

    def verify(self, told: Any) -> None:
        key = G2.decode(raw(told["verifyingKey"]))
        left = pairing(G1.decode(raw(told["certificate"])), G2.generator)
        if left != pairing(hashed(raw(told["message"]), CERTIFICATE), key):
            raise No("BAD")


class StateKey(Keyed):
    """Reads `statekey.json`."""

    ANSWER = (bytes, bytes)

    def __init__(self, told: Any) -> None:
        super().__init__(told)
        self.name = self.named(told["parameters"])
        self.point = hashed(G2.encode(self.public) + self.name, DERIVE)
        (self.secret,) = SeededRng(raw(told["inputs"]["askerSeed"])).scalars(G1, "asker", 1)
        self.first, self.second = G1.base(self.secret), G2.base(self.secret)

    def named(self, told: Any) -> bytes:
        version = told["version"].to_bytes(4, "big")
        return framed(b"state", raw(told["network"]), version, raw(told["name"]))

    def replay(self) -> Any:
        answers = {}
        for one in self.told["inputs"]["parties"]:
            (mask,) = SeededRng(raw(one["seed"])).scalars(G1, "mask", 1)
            own = G1.multiply(G1.scalar(raw(one["secretShare"])), self.point)
            cipher = G1.add(own, G1.multiply(mask, self.first))
            answers[str(one["index"])] = wire([G1.encode(G1.base(mask)), G1.encode(cipher)])
        messages = {
            "asker": {"first": data(G1.encode(self.first)), "second": data(G2.encode(self.second))},
            "answers": answers,
        }
        point, _ = self.gathered(answers)
        outputs = {
            "input": data(self.name),
            "hashed": data(G1.encode(self.point)),
            "point": data(G1.encode(point)),
            "secret": data(self.derived(point)),
        }
        return messages, outputs

    def derived(self, point: Any) -> bytes:
        about = framed(b"keymoot/v1/derived-key", b"state")
        return HKDF(SHA256(), 32, None, about).derive(G1.encode(point))

    def good(self, at: int, pair: Any) -> bool:
        try:
            mask, cipher = G1.row(pair)
        except No:
            return False
        right = pairing(self.point, self.shares[at]) * pairing(mask, self.second)
        return bool(pairing(cipher, G2.generator) == right)

    def gathered(self, told: Any) -> tuple[Any, list[int]]:
        answers = {int(at): read(one, self.ANSWER) for at, one in told.items()}

        def whole(some: dict[int, Any]) -> Any:
            masks, ciphers = (
                {at: G1.decode(one[part]) for at, one in some.items()} for part in (0, 1)
            )
            return G1.add(at_zero(ciphers), G1.multiply(-self.secret, at_zero(masks)))

        return self.combined(answers, self.good, whole)

    def input(self, told: Any) -> Any:
        return {"input": data(self.named(told))}

    def asker(self, told: Any) -> None:
        first, second = G1.decode(raw(told["first"])), G2.decode(raw(told["second"]))
        if pairing(first, G2.generator) != pairing(G1.generator, second):
            raise No("BAD_POINT")

    def answer(self, told: Any) -> None:
        if not self.good(told["from"], read(told["answer"], self.ANSWER)):
            raise No("BAD", told["from"])

    def combine(self, told: Any) -> Any:
        point, bad = self.gathered(told["answers"])
        return {"secret": data(self.derived(point)), "bad": bad}
