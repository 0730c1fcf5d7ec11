"""The answer to one request, an agent's or an owner's, read and checked."""

import time
from dataclasses import dataclass
from typing import Any

from keymoot.agent.errors import NetworkBusy, NetworkUnreachable, RequestExpired
from keymoot.agent.moot import assembled
from keymoot.agent.share import Released, Status, open_share, read_status, refusal_of
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.agent.wanted import Asked, Wanted

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Reply:
    """What must be known to read the answer to one request."""

    asked: Asked
    wanted: Wanted

    def read(self, answer: dict[str, Any]) -> Released:
        """Give the signature, checked to be the wallet's over what was asked.

        Raises:
            PolicyRefused, NetworkRefused: the network's no.
            RequestExpired: no answer was released in time.
            WrongAnswer: not genuine, or a signature of something else.
        """
        status = read_status(answer)
        if status is Status.REFUSED or answer.get("refusal") is not None:
            raise refusal_of(answer.get("refusal"))
        if status is Status.EXPIRED:
            raise RequestExpired(
                "the request expired before its answer was fetched: ask for the very same again"
            )
        one = self.asked
        nodes = one.roster.nodes.values()
        return self.wanted.check(open_share(answer, one.network, one.key, nodes, one.secret))

    def settle(self, transport: Transport, answer: dict[str, Any], deadline: float) -> Released:
        """Give the signature, put together from the assembly's shares where it signs.

        Args:
            transport: Keymoot RPC.
            answer: What `keymoot_ask` or `collect` gave.
            deadline: By the monotonic clock, in seconds.

        Raises:
            TooFewShares: enclaves that held what it was bound to started anew: ask again.
            PolicyRefused, NetworkRefused, RequestExpired, WrongAnswer: as `read`.
            NetworkUnreachable, ConnectionLost: still so at the deadline.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                left = max(deadline - time.monotonic(), 0.001)
                self.asked.roster.follow(transport, answer, left)
                if not assembled(answer) or answer.get("refusal") is not None:
                    return self.read(answer)
                work = self.wanted.gathering(self.asked, transport, answer)
                return self.wanted.check(work.run(transport, answer, left))
            except (NetworkUnreachable, ConnectionLost, NetworkBusy):
                if time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
