"""The answer to one request, an agent's or an owner's, read and checked."""

import time
from dataclasses import dataclass, field
from typing import Any

from keymoot.agent.ecdsa_combiner import assembled
from keymoot.agent.errors import AnswerLost, NetworkBusy, RequestExpired, Unproven
from keymoot.agent.nodes import NodeTurn, Rpc
from keymoot.agent.rounds import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from keymoot.agent.share import (
    NotOurNode,
    ReleasedSignature,
    Status,
    open_share,
    read_status,
    refusal_of,
)
from keymoot.agent.share_collection import CollectedAnswers, TooFewShares
from keymoot.agent.signable import AskedRequest, Signable
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.contracts.builtin.wallets.record import REFUSED
from keymoot.policy.errors import PolicyRefused
from keymoot.proof.committee import ProvenCommittee

SYNC_SECONDS = 20.0
"""Longest wait for a block in one exchange."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What must be known to read the answer to one request; `kept` came before, from any node."""

    asked: AskedRequest
    wanted: Signable
    kept: CollectedAnswers = field(default_factory=CollectedAnswers)

    def _refusal(self, transport: Rpc, left: float) -> PolicyRefused:
        """Give the refusal as a certified state records it, whatever the node says of it."""
        header, record = self.asked.proven.record(transport, left, self.asked.key)
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

    def _check_given(self, answer: dict[str, Any], transport: Rpc, left: float) -> None:
        """Raise unless there is an answer."""
        status = read_status(answer)
        if status is Status.REFUSED:
            raise self._refusal(transport, left)
        if answer.get("refusal") is not None:
            raise refusal_of(answer.get("refusal"))
        if status is Status.EXPIRED:
            raise RequestExpired(
                "the request expired before its answer was fetched: ask for the very same again"
            )

    def _read(self, answer: dict[str, Any], committee: ProvenCommittee) -> ReleasedSignature:
        asked, nodes = self.asked, committee.identities
        if assembled(answer):
            released = self.wanted.gathering(asked, committee, answer).run(answer, self.kept)
        else:
            released = open_share(answer, asked.network, asked.key, nodes.values(), asked.secret)
        return self.wanted.check(released)

    def settle(
        self, transport: Rpc, answer: dict[str, Any], timeout_seconds: float
    ) -> ReleasedSignature:
        """Give the signature, put together from the committee's shares where it signs.

        Raises:
            TooFewShares: enclaves that held what it was bound to started anew: ask again.
            PolicyRefused, NetworkRefused: the network's no.
            RequestExpired: no answer was released in time.
            WrongAnswer: not genuine, not proved, or a signature of something else.
        """
        left = timeout_seconds
        self._check_given(answer, transport, left)
        committee = self.asked.proven.committee(transport, left)
        try:
            return self._read(answer, committee)
        except (TooFewShares, NotOurNode):
            # Others may keep the keys by now, with other shares.
            newer = self.asked.proven.renewed(transport, left)
            if newer.header == committee.header:
                raise
        return self._read(answer, newer)


def is_final(answer: dict[str, Any]) -> bool:
    """Tell whether an answer will not change: released, refused, expired, or stopped."""
    waits = read_status(answer) in (Status.WAITING, Status.BOUND)
    return not waits or answer.get("refusal") is not None or assembled(answer)


def collect(turn: NodeTurn, request_key: Hash32, idempotency_key: str) -> dict[str, Any]:
    """Fetch the answer to a request that is on the ledger, or about to be.

    Where there are other nodes, this one is asked once. AnswerLost at the end of its turn.
    """
    pause = FIRST_PAUSE_SECONDS
    word = "nothing is known of it"
    while True:
        left = turn.left_seconds
        wait = int(1_000 * min(0.9 * left, SYNC_SECONDS))
        try:
            answer = turn.get(f"/shares/{request_key.hex0x}?wait={wait}", left)
        except NetworkBusy:
            if not turn.alone:
                raise
            answer = None
        if answer is not None:
            if is_final(answer):
                return answer
            word = f"it is {read_status(answer)}"
        if not turn.alone or time.monotonic() + pause > turn.deadline:
            raise AnswerLost(f"after the whole time, {word}", idempotency_key)
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE_SECONDS)
