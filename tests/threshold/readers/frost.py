"""Reads `frost.json`."""

from typing import Any

from keymoot.base.fixed import NetworkId
from keymoot.threshold import derivation, frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment, Signing
from keymoot.threshold.root import Share
from tests.threshold.readers.told import by_party, data, hold, item, raw, root, secret, wire


def scalar(number: int) -> str:
    return data(EDWARDS25519.encode_scalar(number))


def listed(told: Any) -> dict[int, Commitment]:
    return {at: Commitment.of_item(item(one)) for at, one in by_party(told).items()}


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        parameters = told["parameters"]
        assert parameters["suite"] == ED25519.NAME
        self.known = root(EDWARDS25519, parameters["root"])
        network = NetworkId(raw(parameters["network"]))
        self.epsilon = derivation.tweak(self.known, network, raw(parameters["walletPath"]))
        self.message = raw(parameters["message"])
        self.signers = told["inputs"]["signers"]
        self.work = self.fix(listed(told["messages"]["commitments"]))

    def fix(self, commitments: dict[int, Commitment]) -> Signing:
        return frost.prepare(ED25519, self.known, self.epsilon, self.message, commitments)

    def replay(self) -> tuple[Any, Any]:
        """From shares and random bytes alone: commitments, shares, signature."""
        shares, nonces = {}, {}
        for one in self.signers:
            at = one["index"]
            shares[at] = Share(at, secret(one["secretShare"]), self.known)
            random = secret(one["hidingRandom"]), secret(one["bindingRandom"])
            nonces[at] = frost.commit(ED25519, shares[at], random)
        commitments = {at: one.commitment for at, one in nonces.items()}
        work = self.fix(commitments)
        answers = {at: frost.sign(work, shares[at], nonces[at]) for at in shares}
        messages = {
            "commitments": {str(at): wire(one.item()) for at, one in commitments.items()},
            "shares": {str(at): scalar(one) for at, one in answers.items()},
        }
        outputs = {
            "tweak": scalar(work.epsilon),
            "publicKey": data(EDWARDS25519.encode(work.public)),
            "bindingFactors": {str(at): scalar(one) for at, one in work.factors.items()},
            "nonce": data(EDWARDS25519.encode(work.nonce)),
            "challenge": scalar(work.challenge),
            "signature": data(frost.combine(work, answers)),
        }
        return messages, outputs

    def list(self, told: Any) -> Any:
        work = self.fix(listed(told["commitments"]))
        return {
            "nonce": data(EDWARDS25519.encode(work.nonce)),
            "challenge": scalar(work.challenge),
        }

    def share(self, told: Any) -> None:
        answer = EDWARDS25519.decode_scalar(raw(told["share"]))
        hold(frost.check(self.work, told["from"], answer), told["from"])

    def combine(self, told: Any) -> Any:
        shares = by_party(told["shares"]).items()
        answers = {at: EDWARDS25519.decode_scalar(raw(one)) for at, one in shares}
        return {"signature": data(frost.combine(self.work, answers))}

    def verify(self, told: Any) -> None:
        message, signature = raw(told["message"]), raw(told["signature"])
        hold(ED25519.verify(self.work.public, message, signature))
