"""Derived keys, put together by whoever asked for them, and checked under the root's key."""

from dataclasses import dataclass
from typing import Any

from keymoot.agent.share_collection import Declined, ShareCollection, TooFewShares
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.secret import Secret
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.errors import TooFew
from keymoot.threshold.root import Root


@dataclass(frozen=True, slots=True)
class Deriving(ShareCollection[Secret]):
    """What must be known to put one derived key together.

    Attributes:
        inputs: What is derived from.
        secret, to: The one-time key.
        root: As proved, with what each member's share is committed to.
    """

    inputs: bytes
    secret: Secret
    to: AskerKey
    root: Root

    def combine(self, answers: list[Any], committee: Committee) -> Secret:
        """Give the derived point, checked against the root's key."""
        del committee
        known, said = G2.encode(self.root.public), []
        shares: dict[int, DerivationShare] = {}
        for answer in answers:
            try:
                seat, content = self._content(answer)
                public, pair = list_of(rlp.decode(content), 2, "answer")
                if bytes_of(public, "public", G2.POINT_BYTES) != known:
                    raise Malformed(f"seat {seat} derives from another root than the network's")
                shares[seat] = DerivationShare.of_item(pair)
            except (Malformed, Declined) as error:
                said.append(str(error))
        if len(shares) <= self.root.degree:
            raise TooFewShares("too few answers: " + "; ".join(said or ["none came"]))
        try:
            point, _ = derived.combine(self.root, self.inputs, self.secret, self.to, shares)
        except TooFew as error:
            raise TooFewShares(f"too few answers are good: {error}") from error
        return point
