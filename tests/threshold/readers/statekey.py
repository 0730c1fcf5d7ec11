"""Reads `statekey.json`."""

from typing import Any

from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.committee.statekey.record import state_input
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.root import Share
from tests.threshold.readers.told import by_party, data, hold, item, raw, rng, root, secret, wire


def input_of(told: Any) -> bytes:
    network, name = NetworkId(raw(told["network"])), Bytes32(raw(told["name"]))
    return state_input(network, told["version"], name)


def key_of(told: Any) -> AskerKey:
    return AskerKey(raw(told["first"]), raw(told["second"]))


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        parameters = told["parameters"]
        self.root = root(G2, parameters["root"])
        self.purpose = parameters["purpose"]
        self.name = input_of(parameters)
        self.inputs = told["inputs"]
        self.secret, self.key = derived.asker(rng(self.inputs["askerSeed"]))

    def replay(self) -> tuple[Any, Any]:
        """From shares and seeds alone: a one-time key, the answers to it, the secret."""
        answers = {}
        for one in self.inputs["parties"]:
            share = Share(one["index"], secret(one["secretShare"]), self.root)
            answers[share.index] = derived.answer(share, self.name, self.key, rng(one["seed"]))
        point, bad = derived.combine(self.root, self.name, self.secret, self.key, answers)
        assert not bad
        messages = {
            "asker": {"first": data(self.key.first), "second": data(self.key.second)},
            "answers": {str(at): wire(one.item()) for at, one in answers.items()},
        }
        outputs = {
            "input": data(self.name),
            "hashed": data(G1.encode(derived.point_of(self.root, self.name))),
            "point": data(point.expose()),
            "secret": data(derived.key_of(point, self.purpose).expose()),
        }
        return messages, outputs

    def input(self, told: Any) -> Any:
        return {"input": data(input_of(told))}

    def asker(self, told: Any) -> None:
        key_of(told).check()

    def answer(self, told: Any) -> None:
        answer, at = DerivationShare.of_item(item(told["answer"])), told["from"]
        hold(derived.check(self.root, self.name, self.key, at, answer), at)

    def combine(self, told: Any) -> Any:
        answers = {
            at: DerivationShare.of_item(item(one)) for at, one in by_party(told["answers"]).items()
        }
        point, bad = derived.combine(self.root, self.name, self.secret, self.key, answers)
        return {"secret": data(derived.key_of(point, self.purpose).expose()), "bad": bad}
