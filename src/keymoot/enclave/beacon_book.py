"""What this enclave signed of each height, and the beacons that it has been shown."""

from dataclasses import dataclass, field

from keymoot.base.errors import Malformed, Refused
from keymoot.base.units import Height
from keymoot.enclave.follower import Followed, Follower
from keymoot.moot.party import Party
from keymoot.moot.roots import CERTIFICATE
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1


class BadBeacon(Refused):
    """The shown beacon is not the one of the block that bound the request."""

    code = "BAD_BEACON"

    def __init__(self, height: Height) -> None:
        """Name the height."""
        super().__init__(
            f"this is not the beacon of height {height}: "
            "collect shares of it from more nodes, and combine again"
        )


@dataclass
class BeaconBook:
    """Signs each height once, and knows a height's beacon when it sees it."""

    follower: Follower
    party: Party
    _messages: dict[Height, bytes] = field(default_factory=dict)
    _values: dict[Height, bytes] = field(default_factory=dict)

    def note(self, height: Height, followed: Followed) -> bytes:
        """Take over what a block was executed to; give our share of its beacon, or nothing.

        A height is signed once: `Cosigner` notes each only once in a start.
        """
        if not followed.bindings and not followed.asks:
            return b""
        self._messages[height] = followed.message
        share = self.party.shares.get(CERTIFICATE)
        if share is None or not self.party.seated(self.follower.assembly):
            return b""
        return G1.encode(bls.sign(share, followed.message))

    def value(self, height: Height, signature: bytes) -> bytes:
        """Give the value of a height's beacon, 32 bytes, after checking its signature.

        Raises:
            BadBeacon: too few enclaves executed the block as we did, or it is another's.
        """
        known = self._values.get(height)
        try:
            point = G1.decode(signature)
        except Malformed as error:
            raise BadBeacon(height) from error
        if known is not None:
            # The beacon is unique, so its value tells whether this is it.
            if bls.value(point) != known:
                raise BadBeacon(height)
            return known
        root = self.follower.assembly.hall.root(CERTIFICATE)
        if not bls.verify(root.public, self._messages[height], point):
            raise BadBeacon(height)
        self._values[height] = bls.value(point)
        return self._values[height]

    def forget(self, alive: set[Height]) -> None:
        """Forget all heights but those of which something may still be asked."""
        for book in (self._messages, self._values):
            for height in [one for one in book if one not in alive]:
                del book[height]
