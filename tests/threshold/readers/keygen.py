"""Reads `keygen.json`."""

from typing import Any

from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg
from keymoot.threshold.dkg import Opening
from keymoot.threshold.envelope import Complaint
from tests.threshold.readers.told import (
    Parties,
    by_party,
    data,
    item,
    raw,
    recipients,
    shown_root,
    wire,
)


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        self.parties = Parties(told["inputs"]["parties"])
        self.to = recipients(told["parameters"], self.parties)
        self.need = told["parameters"]["need"]

    def replay(self) -> tuple[Any, Any]:
        """From seeds alone: what is said, and what comes of it."""
        begun = {at: dkg.begin(self.to, at, self.parties.rng(at)) for at in self.parties.keys}
        openings = {at: one for at, (one, _) in begun.items()}
        made = {}
        for at, key in self.parties.secrets.items():
            shares = {}
            for dealer, (opening, promised) in begun.items():
                points = dkg.check(self.to, dealer, promised, opening)
                shares[dealer] = dealings.receive(self.to, dealer, at, key, opening.dealing, points)
            made[at] = dkg.finish(self.to, at, shares, openings, self.need)
        messages = {
            "hashes": {str(at): data(promised) for at, (_, promised) in begun.items()},
            "openings": {str(at): wire(one.item()) for at, one in openings.items()},
        }
        roots = [shown_root(one.root) for one in made.values()]
        assert all(one == roots[0] for one in roots)
        outputs = {
            "root": roots[0],
            "secretShares": {str(at): data(one.secret.expose()) for at, one in made.items()},
        }
        return messages, outputs

    def opening(self, told: Any) -> Any:
        opening = Opening.of_item(item(told["opening"]))
        points = dkg.check(self.to, told["from"], raw(told["hash"]), opening)
        return {"commitments": [data(self.to.group.encode(point)) for point in points]}

    def share(self, told: Any) -> Any:
        dealing, points = self._dealing(told)
        to = told["to"]
        share = dealings.receive(
            self.to, told["from"], to, self.parties.secrets[to], dealing, points
        )
        return {"share": data(share.expose())}

    def complaint(self, told: Any) -> Any:
        dealing, points = self._dealing(told)
        complaint = Complaint.of_item(item(told["complaint"]))
        return {"guilty": dealings.judge(self.to, complaint, dealing, points)}

    def root(self, told: Any) -> Any:
        openings = {
            at: Opening.of_item(item(one)) for at, one in by_party(told["openings"]).items()
        }
        return shown_root(dkg.root(self.to, openings, self.need))

    def _dealing(self, told: Any) -> tuple[dealings.Dealing, list[Any]]:
        dealing = Opening.of_item(item(told["opening"])).dealing
        return dealing, dealings.check(self.to, told.get("from", 1), dealing)
