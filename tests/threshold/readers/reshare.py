"""Reads `reshare.json`."""

from typing import Any

from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.root import Share
from tests.threshold.readers.told import (
    Parties,
    by_party,
    data,
    item,
    recipients,
    rng,
    root,
    secret,
    shown_root,
    wire,
)


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        self.parties = Parties(told["inputs"]["parties"])
        self.to = recipients(told["parameters"], self.parties)
        self.old = root(self.to.group, told["parameters"]["oldRoot"])
        self.dealers = told["inputs"]["dealers"]

    def replay(self) -> tuple[Any, Any]:
        """From shares and seeds alone: what is said, and what comes of it."""
        chosen = {}
        for one in self.dealers:
            share = Share(one["index"], secret(one["secretShare"]), self.old)
            chosen[share.index] = reshare.deal(self.to, share, rng(one["seed"]))
        made = {}
        for at, key in self.parties.secrets.items():
            shares = {}
            for dealer, dealing in chosen.items():
                points = reshare.check(self.to, self.old, dealer, dealing)
                shares[dealer] = dealings.receive(self.to, dealer, at, key, dealing, points)
            made[at] = reshare.finish(self.to, self.old, at, shares, chosen)
        roots = [shown_root(one.root) for one in made.values()]
        assert all(one == roots[0] for one in roots)
        messages = {"dealings": {str(at): wire(one.item()) for at, one in chosen.items()}}
        outputs = {
            "root": roots[0],
            "secretShares": {str(at): data(one.secret.expose()) for at, one in made.items()},
        }
        return messages, outputs

    def dealing(self, told: Any) -> Any:
        dealing = Dealing.of_item(item(told["dealing"]))
        points = reshare.check(self.to, self.old, told["from"], dealing)
        return {"commitments": [data(self.to.group.encode(point)) for point in points]}

    def share(self, told: Any) -> Any:
        dealing = Dealing.of_item(item(told["dealing"]))
        points = reshare.check(self.to, self.old, told["from"], dealing)
        to = told["to"]
        share = dealings.receive(
            self.to, told["from"], to, self.parties.secrets[to], dealing, points
        )
        return {"share": data(share.expose())}

    def root(self, told: Any) -> Any:
        chosen = {at: Dealing.of_item(item(one)) for at, one in by_party(told["dealings"]).items()}
        return shown_root(reshare.root(self.to, self.old, chosen))
