"""One question to several nodes: until one answers what is believed, or all have failed.

Each node has its turn. Who withholds, lags or lies is passed over for the next one; the question
stays the same, byte for byte. When all had their turn, what they said is weighed:

1. What is proved ended it before: an answer, or a refusal that a certified state records.
2. A refusal that nothing proves, or "it is lost", holds if more nodes say so than say that the
   answer is still to come. One that said nothing gets a second turn before anything is given up
   for lost.
3. Else it goes round again, more slowly and with longer turns, for as long as there is time and
   somebody who may still answer. Who was caught lying comes last.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TypeVar

from keymoot.agent.errors import (
    AnotherNetwork,
    AnswerLost,
    IdempotencyReused,
    LeftBehind,
    NetworkBusy,
    NetworkRefused,
    NetworkUnreachable,
    NoNodeAnswers,
    NotKeymoot,
    RequestExpired,
    SignedElse,
    Unproven,
    WrongAnswer,
    each_of,
)
from keymoot.agent.nodes import NodeSet, NodeTurn
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base.errors import KeymootError, Malformed
from keymoot.policy.errors import PolicyRefused
from keymoot.proof.errors import OlderHeader

T = TypeVar("T")

TURN_SECONDS = 3.0
"""How long one node has in the first round before the next is asked; twice as long in the next."""

UNREACHABLE_SECONDS = 2.0
"""How long nodes of which none can even be reached are tried."""

FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.25
"""Between two looks of a client; they come further apart."""

STILL_COMING = (4, 5)
"""Errors of EIP-7966 that mean: accepted, but no receipt within the time."""


class UnderWay(ConnectionLost):
    """A node has the transaction, and says nothing final of it yet but `error`."""

    def __init__(self, error: KeymootError) -> None:
        super().__init__(str(error))
        self.error = error


class FailureKind(IntEnum):
    """What a node's failure means for the others; who is asked first in the next round."""

    COMING = 0
    BUSY = 1
    GONE = 2
    REFUSED = 3
    UNREACHABLE = 4
    SILENT = 5
    FALSE = 6


_KINDS: tuple[tuple[tuple[type[KeymootError], ...], FailureKind], ...] = (
    ((AnswerLost, UnderWay), FailureKind.COMING),
    ((NetworkBusy,), FailureKind.BUSY),
    ((TooFewShares, RequestExpired), FailureKind.GONE),
    ((PolicyRefused, NetworkRefused, IdempotencyReused, SignedElse), FailureKind.REFUSED),
    ((NetworkUnreachable,), FailureKind.UNREACHABLE),
    ((ConnectionLost,), FailureKind.SILENT),
    ((WrongAnswer, Malformed), FailureKind.FALSE),
)
FAILURES = tuple(kind for kinds, _ in _KINDS for kind in kinds)


def kind_of(error: KeymootError) -> FailureKind:
    if isinstance(error, NetworkRefused) and error.rpc_code in STILL_COMING:
        return FailureKind.COMING
    return next(kind for kinds, kind in _KINDS if isinstance(error, kinds))


_WORDS: tuple[tuple[type[KeymootError], str], ...] = (
    (AnswerLost, "has the request, and gives no answer to it"),
    (UnderWay, "has the transaction, and puts it into no block"),
    (NetworkBusy, "is too busy"),
    (TooFewShares, "gives too few good shares"),
    (RequestExpired, "says that the request has expired"),
    (IdempotencyReused, "says that the name was used for something else"),
    (SignedElse, "shows the signature of something else"),
    (NetworkUnreachable, "cannot be reached"),
    (ConnectionLost, "gives no whole answer in its time"),
    (AnotherNetwork, "shows another network"),
    (NotKeymoot, "is not this network's Keymoot RPC"),
    (LeftBehind, "shows a branch that does not build on what was seen"),
    (Unproven, "does not prove what it says"),
    (WrongAnswer, "gives no answer to what it was asked"),
    (Malformed, "gives an answer of another form"),
)


def words_of(error: KeymootError) -> str:
    """Say what was wrong with a node in our own words, never in the node's."""
    if kind_of(error) is FailureKind.COMING and isinstance(error, NetworkRefused):
        return _WORDS[1][1]
    if isinstance(error, Unproven) and isinstance(error.why, OlderHeader):
        return f"shows block {error.why.shown}, older than block {error.why.seen}, which was seen"
    if isinstance(error, PolicyRefused | NetworkRefused):
        return "refuses, which nothing proves"
    return next(words for kind, words in _WORDS if isinstance(error, kind))


class Rounds:
    """Asks the nodes of one network, within one time for all of them."""

    def __init__(self, nodes: NodeSet, timeout_seconds: float, *, patient: bool = True) -> None:
        """Begin now; `patient` asks again where there is only one node, too."""
        self._nodes = nodes
        self._rests = not patient and len(nodes) == 1
        self._start = time.monotonic()
        self.deadline = self._start + timeout_seconds

    def ask(self, question: Callable[[NodeTurn], T]) -> T:
        """Give the first answer that is believed.

        Args:
            question: Asks one node in its turn, and believes nothing that is not proved. Runs again
                with the same node in the next round.

        Raises:
            PolicyRefused, NetworkRefused, IdempotencyReused: the network's no.
            TooFewShares, RequestExpired: nobody has an answer any more.
            NoNodeAnswers: of several nodes none gave an answer; it says what was wrong with each.
            NetworkUnreachable, ConnectionLost, NetworkBusy, AnswerLost, WrongAnswer: of the only
                node that there is.
        """
        said: dict[str, KeymootError] = {}
        seconds, pause, silent_before = TURN_SECONDS, FIRST_PAUSE_SECONDS, False
        while True:
            line = sorted(self._nodes.line, key=lambda way: _rank(said.get(way.url)))
            for behind, way in enumerate(line):
                turn = self._turn(len(line) - behind, seconds, way)
                if way.url in said and turn.deadline <= time.monotonic():
                    # What it said before says more than that there was no time left.
                    continue
                try:
                    answer = question(turn)
                except PolicyRefused as error:
                    if error.proved is not None:
                        self._nodes.answered(way)
                        raise
                    said[way.url] = error
                except FAILURES as error:
                    said[way.url] = error
                else:
                    self._nodes.answered(way)
                    return answer
            silent = any(kind_of(error) is FailureKind.SILENT for error in said.values())
            no = _verdict(said, final=silent_before or not silent)
            if no is not None:
                if len(said) > 1:
                    no.add_note(each_of(_words_of(said)))
                raise no
            if not self._goes_on(said, pause):
                raise self._failed(said)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            seconds, silent_before = 2 * seconds, silent

    def _turn(self, waiting: int, seconds: float, way: Transport) -> NodeTurn:
        """Give a node its turn, and leave something for those that wait behind it."""
        now = time.monotonic()
        left, alone = self.deadline - now, len(self._nodes) == 1
        return NodeTurn(way, now + (left if alone else min(seconds, left / waiting)), alone)

    def _goes_on(self, said: Mapping[str, KeymootError], pause: float) -> bool:
        now = time.monotonic()
        if self._rests or now + pause > self.deadline:
            return False
        kinds = {kind_of(error) for error in said.values()}
        if kinds & {FailureKind.COMING, FailureKind.BUSY, FailureKind.SILENT}:
            return True
        return FailureKind.UNREACHABLE in kinds and now - self._start <= UNREACHABLE_SECONDS

    def _failed(self, said: Mapping[str, KeymootError]) -> KeymootError:
        errors = list(said.values())
        if len(errors) == 1:
            (only,) = errors
            return only.error if isinstance(only, UnderWay) else only
        reached = [error for error in errors if not isinstance(error, NetworkUnreachable)]
        if not reached:
            return NetworkUnreachable(self._nodes.url, "none of them can be reached")
        if all(isinstance(error, NetworkBusy) for error in reached):
            return NetworkBusy(each_of(_words_of(said)))
        if all(isinstance(error, LeftBehind) for error in reached):
            # Everybody says so: it is no node's doing, and there is advice for it.
            return reached[0]
        return NoNodeAnswers(_words_of(said))


def _words_of(said: Mapping[str, KeymootError]) -> dict[str, str]:
    return {url: words_of(error) for url, error in said.items()}


def _rank(error: KeymootError | None) -> FailureKind:
    return FailureKind.COMING if error is None else kind_of(error)


def _verdict(said: Mapping[str, KeymootError], *, final: bool) -> KeymootError | None:
    """Give the no that more nodes say than say that the answer is still to come, if any."""
    kinds = {url: kind_of(error) for url, error in said.items()}
    coming = sum(kind is FailureKind.COMING for kind in kinds.values())
    busy = sum(kind is FailureKind.BUSY for kind in kinds.values())
    gone = [said[url] for url, kind in kinds.items() if kind is FailureKind.GONE]
    refused = [said[url] for url, kind in kinds.items() if kind is FailureKind.REFUSED]
    if final and len(gone) > coming + busy and len(gone) >= len(refused):
        return _agreed(gone)
    if len(refused) > coming and len(refused) > len(gone):
        names = [_name(error) for error in refused]
        return max(refused, key=lambda error: names.count(_name(error)))
    return None


def _agreed(gone: Sequence[KeymootError]) -> KeymootError:
    """Give the first; of silent seats only those that nobody who names some leaves out.

    A node that hides the shares of honest seats must not get them left out next time.
    """
    first = next((error for error in gone if isinstance(error, TooFewShares)), None)
    if first is None:
        return gone[0]
    named = [error.silent for error in gone if isinstance(error, TooFewShares) and error.silent]
    return TooFewShares(str(first), frozenset.intersection(*named)) if named else first


def _name(error: KeymootError) -> tuple[str, str]:
    reason = error.reason if isinstance(error, PolicyRefused) else ""
    return error.code, reason


def asked_of_each(
    nodes: NodeSet,
    timeout_seconds: float,
    question: Callable[[NodeTurn], T],
    enough: Callable[[list[T]], bool] = lambda _: False,
) -> list[T]:
    """Ask every node; give what those say that answer in time, at least one.

    `enough` tells from what came that the others need not be asked.

    Raises:
        PolicyRefused, NetworkRefused: more nodes refuse than answer.
        What was wrong with one of them, if none answers.
    """
    answers: list[T] = []
    failed: list[KeymootError] = []
    for way in nodes.line:
        seconds = min(timeout_seconds / len(nodes), TURN_SECONDS)
        try:
            answers.append(question(NodeTurn(way, time.monotonic() + seconds, alone=False)))
        except FAILURES as error:
            failed.append(error)
        if enough(answers):
            break
    refused = [error for error in failed if kind_of(error) is FailureKind.REFUSED]
    if len(refused) > len(answers):
        raise refused[0]
    if not answers:
        raise failed[-1]
    return answers
