"""The answer to one request, an agent's or an owner's, read and checked."""

import time
from dataclasses import dataclass
from typing import Any

from keymoot.agent.errors import NetworkBusy, NetworkUnreachable, RequestExpired, Unproven
from keymoot.agent.gathering import TooFewShares
from keymoot.agent.moot import assembled
from keymoot.agent.share import NotOurNode, Released, Status, open_share, read_status, refusal_of
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.agent.wanted import Asked, Wanted
from keymoot.base.errors import Malformed
from keymoot.contracts.record import REFUSED
from keymoot.policy.errors import PolicyRefused
from keymoot.proof.committee import ProvenAssembly

_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Reply:
    """What must be known to read the answer to one request."""

    asked: Asked
    wanted: Wanted

    def _refusal(self, transport: Transport, left: float) -> PolicyRefused:
        """Give the refusal as a certified state records it, whatever the node says of it.

        Raises:
            Unproven: no certified block has refused this request.
        """
        header, record = self.asked.roster.record(transport, left, self.asked.key)
        if record is None or record.status != REFUSED:
            raise Unproven("it says that the request was refused, and the state does not")
        try:
            told = record.outcome_json()
            message, data = told["message"], told["data"]
        except (Malformed, KeyError) as error:
            raise Unproven("the refusal that the state records is none") from error
        if not isinstance(message, str) or not isinstance(data, dict):
            raise Unproven("the refusal that the state records is none")
        return PolicyRefused(message, data, header.height)

    def _check_given(self, answer: dict[str, Any], transport: Transport, left: float) -> None:
        """Raise unless there is an answer.

        Raises:
            PolicyRefused, NetworkRefused: the network's no.
            Unproven: it says no, and the ledger does not.
            RequestExpired: no answer was released in time.
            WrongAnswer: its status word is unknown.
        """
        status = read_status(answer)
        if status is Status.REFUSED:
            raise self._refusal(transport, left)
        if answer.get("refusal") is not None:
            raise refusal_of(answer.get("refusal"))
        if status is Status.EXPIRED:
            raise RequestExpired(
                "the request expired before its answer was fetched: ask for the very same again"
            )

    def _read(self, answer: dict[str, Any], assembly: ProvenAssembly) -> Released:
        """Give the signature, checked to be the wallet's over what was asked."""
        one, nodes = self.asked, assembly.identities
        if assembled(answer):
            released = self.wanted.gathering(one, assembly, answer).run(answer)
        else:
            released = open_share(answer, one.network, one.key, nodes.values(), one.secret)
        return self.wanted.check(released)

    def _settle(self, transport: Transport, answer: dict[str, Any], left: float) -> Released:
        self._check_given(answer, transport, left)
        assembly = self.asked.roster.assembly(transport, left)
        try:
            return self._read(answer, assembly)
        except (TooFewShares, NotOurNode):
            # Others may keep the keys by now, with other shares.
            newer = self.asked.roster.renewed(transport, left)
            if newer.header == assembly.header:
                raise
        return self._read(answer, newer)

    def settle(self, transport: Transport, answer: dict[str, Any], deadline: float) -> Released:
        """Give the signature, put together from the assembly's shares where it signs.

        Args:
            transport: Keymoot RPC.
            answer: What `keymoot_ask` or `collect` gave.
            deadline: By the monotonic clock, in seconds.

        Raises:
            TooFewShares: enclaves that held what it was bound to started anew: ask again.
            PolicyRefused, NetworkRefused: the network's no.
            RequestExpired: no answer was released in time.
            WrongAnswer: not genuine, not proved, or a signature of something else.
            NetworkUnreachable, ConnectionLost: still so at the deadline.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._settle(transport, answer, max(deadline - time.monotonic(), 0.001))
            except (NetworkUnreachable, ConnectionLost, NetworkBusy):
                if time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
