"""Reads `ecdsa.json`."""

from typing import Any

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.crypto.secp256k1 import address_of
from keymoot.threshold import derivation, ecdsa
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.presignature import Presignature, PublicPresignature
from keymoot.threshold.secp256k1 import SECP256K1, Point
from tests.threshold.readers.told import by_party, data, hold, raw, root, secret


def points(told: list[str]) -> tuple[Point, ...]:
    return tuple(SECP256K1.decode(raw(one)) for one in told)


def scalar(number: int) -> str:
    return data(number.to_bytes(32, "big"))


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        self.root = root(SECP256K1, told["parameters"]["root"])
        inputs = told["inputs"]
        one = inputs["presignature"]
        self.public = PublicPresignature(
            SECP256K1.decode(raw(one["point"])),
            points(one["blinder"]),
            points(one["nonceProduct"]),
            points(one["keyProduct"]),
        )
        self.secrets = by_party(inputs["secrets"])
        self.bound = inputs["bound"]
        self.work = self.fix(self.bound)

    def hashed(self, bound: Any) -> tuple[int, int]:
        """Tweak and rerandomiser of what a block has bound."""
        network = NetworkId(raw(bound["network"]))
        epsilon = derivation.tweak(self.root, network, raw(bound["walletPath"]))
        binding = (
            network,
            raw(bound["generation"]),
            SECP256K1.encode(self.root.public),
            raw(bound["presignature"]),
            raw(bound["request"]),
            raw(bound["digest"]),
            epsilon.to_bytes(32, "big"),
        )
        value = raw(bound["certificateValue"])
        return epsilon, ecdsa.rerandomiser(value, self.public.point, *binding)

    def fix(self, bound: Any) -> Task:
        epsilon, delta = self.hashed(bound)
        public = derivation.child(self.root, epsilon)
        digest = Hash32(raw(bound["digest"]))
        return ecdsa.task(self.public.point, delta, digest, epsilon, public)

    def replay(self) -> tuple[Any, Any]:
        """From the parties' secrets: their shares, and the signature."""
        work, shares = self.work, {}
        for at, told in self.secrets.items():
            one, two, three, four, five, six = map(secret, told)
            part = Presignature(at, self.public.point, (one, two, three, four, five, six))
            shares[at] = ecdsa.sign(part, work)
        signature, bad = ecdsa.combine(work, shares, self.root.degree)
        assert not bad
        outputs = {
            "tweak": scalar(self.hashed(self.bound)[0]),
            "rerandomiser": scalar(work.delta),
            "nonce": data(SECP256K1.encode(work.nonce)),
            "theta": scalar(work.theta),
            "publicKey": data(SECP256K1.encode(work.public)),
            "address": address_of(SECP256K1.encode_uncompressed(work.public)).hex0x,
            "signature": data(signature),
        }
        return {"shares": {str(at): data(one.encode()) for at, one in shares.items()}}, outputs

    def rerandomiser(self, told: Any) -> Any:
        epsilon, delta = self.hashed(told["bound"])
        return {"tweak": scalar(epsilon), "rerandomiser": scalar(delta)}

    def task(self, told: Any) -> Any:
        return {"theta": scalar(self.fix(told["bound"]).theta)}

    def share(self, told: Any) -> None:
        share = SignatureShare.decode(raw(told["share"]))
        hold(ecdsa.check(self.work, self.public, told["from"], share), told["from"])

    def combine(self, told: Any) -> Any:
        shares = {
            at: SignatureShare.decode(raw(one)) for at, one in by_party(told["shares"]).items()
        }
        signature, bad = ecdsa.combine(self.work, shares, self.root.degree)
        return {"signature": data(signature), "bad": bad}

    def verify(self, told: Any) -> None:
        signature = raw(told["signature"])
        public, digest = self.work.public, self.work.digest
        # Verification refuses a high s, recovery a wrong parity.
        verified = SECP256K1.verify_ecdsa(public, digest, signature[:64])
        hold(verified and SECP256K1.equal(SECP256K1.recover(signature, digest), public))
