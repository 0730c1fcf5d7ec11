"""Who keeps the keys now: followed from the nodes that were pinned, without believing a node.

A credential pins the nodes that the genesis lists. When members come and go, the members
before sign who the new ones are; whoever asks follows these links as far as there are some.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from keymoot.agent.errors import WrongAnswer
from keymoot.agent.processes import Forked
from keymoot.agent.transport import Transport
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.moot.succession import (
    MAX_CHAIN,
    Keeper,
    Members,
    NoSuccession,
    Succession,
    follow,
)
from keymoot.threshold.committee import MIN_SIZE, Committee

MAX_LINK_BYTES = 16_384
"""Longest link: sixty-four members, and as many signatures."""

_UNKNOWN = Bytes32(bytes(32))
"""Consensus keys of founders are not pinned: answers need none."""


class Roster(Forked):
    """The members of one network, as far as we have followed; serves any number of threads."""

    def __init__(self, network: NetworkId, founders: Sequence[Bytes32]) -> None:
        """Begin with the nodes that the genesis lists; their seats are 1 to n."""
        super().__init__()
        keepers = [Keeper(at, one, _UNKNOWN) for at, one in enumerate(founders, 1)]
        self._lock = threading.Lock()
        self._known = 0, Members.first(network, keepers)

    def begin_in_child(self) -> None:
        """Take a new lock: a thread of the parent may hold the old one."""
        self._lock = threading.Lock()

    @property
    def nodes(self) -> Mapping[int, Bytes32]:
        """Identity keys by seat."""
        return self._known[1].identities

    @property
    def faults(self) -> int:
        """How many of them may be silent or lie."""
        known = self.nodes
        return Committee.among(known).faults if len(known) >= MIN_SIZE else 0

    def follow(
        self, transport: Transport, answer: Mapping[str, Any], timeout_seconds: float
    ) -> Mapping[int, Bytes32]:
        """Give the nodes of now, after following the links that an answer says there are.

        Args:
            transport: Keymoot RPC.
            answer: Any answer that counts the links; one that does not says nothing new.
            timeout_seconds: For each exchange.

        Raises:
            WrongAnswer: what came as links does not follow from the nodes that we know.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        count = answer.get("successions")
        if isinstance(count, bool) or not isinstance(count, int) or count > MAX_CHAIN:
            return self.nodes
        with self._lock:
            while self._known[0] < count:
                known, members = self._known
                told = transport.call("keymoot_successions", [known], timeout_seconds)
                if not isinstance(told, list) or not told:
                    raise WrongAnswer("keymoot_successions was answered by something else")
                for text in told:
                    known, members = known + 1, _next(members, text)
                self._known = known, members
        return self.nodes


def _next(members: Members, text: Any) -> Members:
    try:
        raw = hexes.parse_data(text, "succession", MAX_LINK_BYTES)
        return follow(members, Succession.decode(raw))
    except (Malformed, NoSuccession) as error:
        raise WrongAnswer(f"the network shows members who do not follow ours: {error}") from error
