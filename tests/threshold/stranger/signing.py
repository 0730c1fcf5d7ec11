"""ECDSA, FROST, wallets."""

import hashlib
from itertools import combinations
from typing import Any

from eth_utils import keccak

from tests.threshold.stranger.curves import ED, GROUPS, SECP, H
from tests.threshold.stranger.words import No, data, framed, raw, read, weights, wire

Q = SECP.order
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def hashed(group: Any, domain: bytes, *parts: bytes) -> int:
    wide = hashlib.sha512(framed(domain, group.name.encode(), *parts)).digest()
    return int.from_bytes(wide, "big") % int(group.order)


def tweak(group: Any, network: bytes, root: bytes, path: bytes) -> int:
    return hashed(group, b"keymoot/v1/wallet-tweak", network, root, path)


def ethereum(key: Any) -> str:
    return data(keccak(SECP.wide(key)[1:])[12:])


def base58(text: bytes) -> str:
    number, found = int.from_bytes(text, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        found = BASE58[digit] + found
    return "1" * (len(text) - len(text.lstrip(b"\0"))) + found


class Wallets:
    """Reads `wallet.json`."""

    def __init__(self, told: Any) -> None:
        self.inputs, self.group = told["inputs"], GROUPS[told["parameters"]["group"]]

    def replay(self) -> Any:
        return {}, self.derive(self.inputs)

    def derive(self, told: Any) -> Any:
        root, network, wallet = (raw(told[one]) for one in ("root", "network", "wallet"))
        if len(network) != 32 or len(wallet) != 32:
            raise No("MALFORMED")
        point = self.group.decode(root)
        path = b"wallet" + wallet
        epsilon = tweak(self.group, network, root, path)
        key = self.group.add(point, self.group.base(epsilon))
        text = self.group.encode(key)
        return {
            "path": data(path),
            "tweak": data(self.group.write(epsilon)),
            "publicKey": data(text),
            "address": ethereum(key) if self.group is SECP else base58(text),
        }


class Ecdsa:
    """Reads `ecdsa.json`."""

    def __init__(self, told: Any) -> None:
        self.told, inputs = told, told["inputs"]
        self.root, self.need = raw(told["parameters"]["root"]["public"]), told["parameters"]["need"]
        known = inputs["presignature"]
        self.point = SECP.decode(raw(known["point"]))
        self.blinder, self.nonces, self.keys = (
            [SECP.decode(raw(one)) for one in known[name]]
            for name in ("blinder", "nonceProduct", "keyProduct")
        )
        self.fix(inputs["bound"])

    def hashes(self, bound: Any) -> tuple[int, int]:
        names = "network", "generation", "presignature", "request", "digest", "certificateValue"
        network, generation, name, request, digest, value = (raw(bound[one]) for one in names)
        epsilon = tweak(SECP, network, self.root, raw(bound["walletPath"]))
        parts = network, generation, self.root, name, request, digest, SECP.write(epsilon)
        domain = b"keymoot/v1/ecdsa-rerandomise"
        return epsilon, hashed(SECP, domain, value, SECP.encode(self.point), *parts)

    def fix(self, bound: Any) -> None:
        self.epsilon, self.delta = self.hashes(bound)
        self.h = int(bound["digest"], 16) % Q
        if not self.h:
            raise No("BAD_DIGEST")
        self.nonce = SECP.add(self.point, SECP.base(self.delta))
        self.r = self.nonce[0]
        self.theta = (self.h + self.r * self.epsilon) % Q
        self.key = SECP.add(SECP.decode(self.root), SECP.base(self.epsilon))

    def replay(self) -> Any:
        shares = {}
        for at, told in self.told["inputs"]["secrets"].items():
            v, v_, k, k_, x, x_ = (int(one, 16) for one in told)
            numbers = [self.theta * one + self.r * other for one, other in ((v, x), (v_, x_))]
            numbers += [self.delta * one + other for one, other in ((v, k), (v_, k_))]
            shares[at] = data(b"".join(map(SECP.write, numbers)))
        outputs = {
            "tweak": data(SECP.write(self.epsilon)),
            "rerandomiser": data(SECP.write(self.delta)),
            "nonce": data(SECP.encode(self.nonce)),
            "theta": data(SECP.write(self.theta)),
            "publicKey": data(SECP.encode(self.key)),
            "address": ethereum(self.key),
            "signature": self.combine({"shares": shares})["signature"],
        }
        return {"shares": shares}, outputs

    def rerandomiser(self, told: Any) -> Any:
        epsilon, delta = self.hashes(told["bound"])
        return {"tweak": data(SECP.write(epsilon)), "rerandomiser": data(SECP.write(delta))}

    def task(self, told: Any) -> Any:
        other = Ecdsa(self.told)
        other.fix(told["bound"])
        return {"theta": data(SECP.write(other.theta))}

    def numbers(self, text: str) -> list[int]:
        content = raw(text)
        if len(content) != 128:
            raise No("MALFORMED")
        return [SECP.scalar(content[at : at + 32]) for at in range(0, 128, 32)]

    def share(self, told: Any) -> None:
        at, (v, v_, m, m_) = told["from"], self.numbers(told["share"])
        blinder = SECP.along(self.blinder, at)
        for value, mask, first, second, points in (
            (v, v_, self.theta, self.r, self.keys),
            (m, m_, self.delta, 1, self.nonces),
        ):
            right = SECP.multiply(first, blinder), SECP.multiply(second, SECP.along(points, at))
            if SECP.add(SECP.base(value), SECP.multiply(mask, H)) != SECP.add(*right):
                raise No("BAD", at)

    def combine(self, told: Any) -> Any:
        shares = {int(at): self.numbers(one) for at, one in told["shares"].items()}
        for chosen in combinations(sorted(shares), self.need):
            factors = weights(Q, chosen)
            top, bottom = (sum(factors[at] * shares[at][one] for at in chosen) for one in (0, 2))
            s = top * pow(bottom, -1, Q) % Q
            parity = self.nonce[1] & 1
            if s > Q // 2:
                s, parity = Q - s, parity ^ 1
            signature = SECP.write(self.r) + SECP.write(s) + bytes((parity,))
            if self.verified(signature):
                return {"signature": data(signature), "bad": self.bad(shares)}
        raise No("TOO_FEW")

    def bad(self, shares: dict[int, list[int]]) -> list[int]:
        found = []
        for at in shares:
            try:
                self.share({"from": at, "share": data(b"".join(map(SECP.write, shares[at])))})
            except No:
                found.append(at)
        return found

    def verified(self, signature: bytes) -> bool:
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        if not (0 < r < Q and 0 < s <= Q // 2) or len(signature) != 65:
            return False
        inverse = pow(s, -1, Q)
        found = SECP.add(SECP.base(self.h * inverse), SECP.multiply(r * inverse, self.key))
        return found is not None and found[0] == r and found[1] & 1 == signature[64]

    def verify(self, told: Any) -> None:
        if not self.verified(raw(told["signature"])):
            raise No("BAD")


class Frost:
    """Reads `frost.json`."""

    def __init__(self, told: Any) -> None:
        self.told, parameters = told, told["parameters"]
        self.root, self.message = parameters["root"], raw(parameters["message"])
        public = raw(self.root["public"])
        path = raw(parameters["walletPath"])
        self.epsilon = tweak(ED, raw(parameters["network"]), public, path)
        self.key = ED.add(ED.decode(public), ED.base(self.epsilon))
        self.fix(told["messages"]["commitments"])

    def hash(self, tag: bytes, message: bytes) -> bytes:
        return hashlib.sha512(b"FROST-ED25519-SHA512-v1" + tag + message).digest()

    def fix(self, told: Any) -> None:
        given = {int(at): read(one, (bytes, bytes)) for at, one in told.items()}
        if len(given) <= self.root["degree"]:
            raise No("TOO_FEW")
        if max(given) > len(self.root["shares"]):
            raise No("MALFORMED")
        points = {}
        for at, pair in given.items():
            try:
                points[at] = ED.row(pair)
            except No as error:
                raise No("CHEATED", at) from error
        listed = b"".join(ED.write(at) + given[at][0] + given[at][1] for at in sorted(given))
        prefix = ED.encode(self.key) + self.hash(b"msg", self.message) + self.hash(b"com", listed)
        self.factors = {
            at: ED.reduce(self.hash(b"rho", prefix + ED.write(at))) for at in sorted(given)
        }
        self.nonces = {
            at: ED.add(one, ED.multiply(self.factors[at], other))
            for at, (one, other) in points.items()
        }
        self.nonce = ED.total(self.nonces.values())
        self.challenge = self.challenged(ED.encode(self.nonce), self.message)
        self.weights = weights(ED.order, sorted(given))

    def challenged(self, nonce: bytes, message: bytes) -> int:
        return ED.reduce(hashlib.sha512(nonce + ED.encode(self.key) + message).digest())

    def replay(self) -> Any:
        made, commitments = {}, {}
        for one in self.told["inputs"]["signers"]:
            share = raw(one["secretShare"])
            pair = [
                ED.reduce(self.hash(b"nonce", raw(one[name]) + share))
                for name in ("hidingRandom", "bindingRandom")
            ]
            made[one["index"]] = ED.scalar(share), pair
            commitments[str(one["index"])] = wire([ED.encode(ED.base(each)) for each in pair])
        self.fix(commitments)
        answers = {}
        for at, (share, (hiding, binding)) in made.items():
            key = self.weights[at] * self.challenge * (share + self.epsilon)
            answers[str(at)] = data(ED.write(hiding + self.factors[at] * binding + key))
        outputs = {
            "tweak": data(ED.write(self.epsilon)),
            "publicKey": data(ED.encode(self.key)),
            "bindingFactors": {str(at): data(ED.write(one)) for at, one in self.factors.items()},
            "nonce": data(ED.encode(self.nonce)),
            "challenge": data(ED.write(self.challenge)),
            "signature": self.combine({"shares": answers})["signature"],
        }
        return {"commitments": commitments, "shares": answers}, outputs

    def list(self, told: Any) -> Any:
        other = Frost(self.told)
        other.fix(told["commitments"])
        return {"nonce": data(ED.encode(other.nonce)), "challenge": data(ED.write(other.challenge))}

    def share(self, told: Any) -> None:
        at, answer = told["from"], ED.scalar(raw(told["share"]))
        own = ED.add(ED.decode(raw(self.root["shares"][at - 1])), ED.base(self.epsilon))
        due = ED.add(self.nonces[at], ED.multiply(self.weights[at] * self.challenge, own))
        if ED.base(answer) != due:
            raise No("BAD", at)

    def combine(self, told: Any) -> Any:
        answers = {int(at): ED.scalar(raw(one)) for at, one in told["shares"].items()}
        if answers.keys() != self.nonces.keys():
            raise No("TOO_FEW")
        signature = ED.encode(self.nonce) + ED.write(sum(answers.values()))
        if not self.verified(signature, self.message):
            for at, answer in answers.items():
                try:
                    self.share({"from": at, "share": data(ED.write(answer))})
                except No as error:
                    raise No("CHEATED", at) from error
        return {"signature": data(signature)}

    def verified(self, signature: bytes, message: bytes) -> bool:
        try:
            nonce, answer = ED.decode(signature[:32]), ED.scalar(signature[32:])
        except No:
            return False
        c = self.challenged(signature[:32], message)
        return bool(ED.base(answer) == ED.add(nonce, ED.multiply(c, self.key)))

    def verify(self, told: Any) -> None:
        if not self.verified(raw(told["signature"]), raw(told["message"])):
            raise No("BAD")
