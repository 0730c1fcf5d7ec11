"""Reads `presignature.json`."""

from functools import cached_property
from typing import Any

from keymoot.base.secret import Secret
from keymoot.threshold import first_round, second_round
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.first_round import FirstDealing, FirstPublic, FirstShare
from keymoot.threshold.presignature import Batch, PublicPresignature
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Share
from keymoot.threshold.second_round import SecondDealing
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.readers.told import Parties, by_party, data, item, root, secret, session, wire


def weights() -> SeededRng:
    """Of sums that are checked as one: whose they are changes no result."""
    return SeededRng(Secret(bytes(32)))


def shown(public: PublicPresignature) -> dict[str, Any]:
    def points(row: Any) -> list[str]:
        return [data(SECP256K1.encode(point)) for point in row]

    return {
        "point": data(SECP256K1.encode(public.point)),
        "blinder": points(public.blinder),
        "nonceProduct": points(public.nonce_product),
        "keyProduct": points(public.key_product),
    }


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        parameters = told["parameters"]
        self.parties = Parties(told["inputs"]["parties"])
        made = root(SECP256K1, parameters["root"])
        about = session(parameters["session"])
        self.batch = Batch(about, made, self.parties.keys, parameters["size"])
        self.first_dealers = parameters["firstDealers"]
        self.second_dealers = parameters["secondDealers"]
        messages = told["messages"]
        self.heard = {
            at: FirstDealing.of_item(item(one)) for at, one in by_party(messages["first"]).items()
        }
        self.heard_second = {
            at: SecondDealing.of_item(item(one)) for at, one in by_party(messages["second"]).items()
        }

    @cached_property
    def public(self) -> FirstPublic:
        """What the first round of the transcript says."""
        claims = {at: first_round.check(self.batch, at, one) for at, one in self.heard.items()}
        return first_round.combine(self.batch, claims)

    def taken(self, at: int, first: dict[int, FirstDealing]) -> list[FirstShare]:
        claims = {
            dealer: first_round.check(self.batch, dealer, one) for dealer, one in first.items()
        }
        public = first_round.combine(self.batch, claims)
        key = self.parties.secrets[at]
        return first_round.receive(self.batch, at, key, first, public, weights())

    def replay(self) -> tuple[Any, Any]:
        """From shares and seeds alone: what is said, and what comes of it."""
        first = {
            at: first_round.deal(self.batch, at, self.parties.rng(at, "firstSeed"))
            for at in self.first_dealers
        }
        assert first == self.heard
        shares = {at: self.taken(at, first) for at in self.parties.keys}
        second = {}
        for at in self.second_dealers:
            own = Share(at, secret(self.parties.told[at]["secretShare"]), self.batch.root)
            coins = self.parties.rng(at, "secondSeed")
            second[at] = second_round.deal(self.batch, own, self.public, shares[at], coins)
        commitments = {}
        for at, dealing in second.items():
            claim = second_round.read(self.batch, self.public, at, dealing)
            second_round.check(self.batch, self.public, at, claim)
            commitments[at] = claim.commitments
        made = {
            at: second_round.receive(
                self.batch, at, key, self.public, shares[at], second, weights()
            )
            for at, key in self.parties.secrets.items()
        }
        presignatures = []
        for place, public in enumerate(second_round.combine(self.batch, self.public, commitments)):
            secrets = {
                str(at): [data(one.expose()) for one in mine[place].secrets]
                for at, mine in made.items()
            }
            presignatures.append({**shown(public), "secrets": secrets})
        messages = {
            "first": {str(at): wire(one.item()) for at, one in first.items()},
            "second": {str(at): wire(one.item()) for at, one in second.items()},
        }
        outputs = {"transcript": data(self.public.transcript), "presignatures": presignatures}
        return messages, outputs

    def first(self, told: Any) -> Any:
        dealing = FirstDealing.of_item(item(told["dealing"]))
        return {"digest": data(first_round.check(self.batch, told["from"], dealing).digest)}

    def second(self, told: Any) -> Any:
        dealing = SecondDealing.of_item(item(told["dealing"]))
        claim = second_round.read(self.batch, self.public, told["from"], dealing)
        second_round.check(self.batch, self.public, told["from"], claim)
        return {"products": [data(row) for row in dealing.products]}

    def receive1(self, told: Any) -> Any:
        instead = by_party(told["instead"]).items()
        first = {**self.heard, **{at: FirstDealing.of_item(item(one)) for at, one in instead}}
        taken = self.taken(told["to"], first)
        return [
            [data(one.expose()) for one in (mine.value, mine.mask, mine.nonce)] for mine in taken
        ]

    def receive2(self, told: Any) -> Any:
        at = told["to"]
        instead = by_party(told["instead"]).items()
        second = {
            **self.heard_second,
            **{by: SecondDealing.of_item(item(one)) for by, one in instead},
        }
        second.pop(told.get("without"), None)
        made = second_round.receive(
            self.batch,
            at,
            self.parties.secrets[at],
            self.public,
            self.taken(at, self.heard),
            second,
            weights(),
        )
        return [[data(one.expose()) for one in mine.secrets] for mine in made]

    def complaint1(self, told: Any) -> Any:
        complaint = Complaint.of_item(item(told["complaint"]))
        dealing = FirstDealing.of_item(item(told["dealing"]))
        return {"guilty": first_round.judge(self.batch, complaint, dealing)}

    def complaint2(self, told: Any) -> Any:
        complaint = Complaint.of_item(item(told["complaint"]))
        dealing = SecondDealing.of_item(item(told["dealing"]))
        return {"guilty": second_round.judge(self.batch, complaint, dealing)}
