"""How a requester puts together what enclaves gave: open, tell good from bad, combine.

All answers come at once, gathered by the node that was asked; none of them is believed. Each
is signed by a member's identity, and what they make is checked before anybody sees it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from keymoot.agent.errors import WrongAnswer
from keymoot.agent.share import MAX_SEALED_BYTES
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.committee import MAX_SIZE, Committee

T = TypeVar("T")

_MAX_OF_SEAT = 4
"""Different answers of one seat that are kept: an honest one gives the same again."""

_LOST = "what the request was bound to is lost: enclaves started anew"


class TooFewShares(WrongAnswer, code="TOO_FEW_SHARES"):
    """Too few enclaves hold what the request was bound to: ask again."""

    def __init__(self, why: str, silent: frozenset[int] = frozenset()) -> None:
        """Say why; `silent` are the seats to leave out when asking again, where they are known."""
        super().__init__(why)
        self.silent = silent


class Declined(Exception):
    """What an enclave said instead of an answer."""


class CollectedAnswers:
    """Answers to one request that several nodes handed on: they add up, whoever brought them."""

    def __init__(self) -> None:
        self._by_seat: dict[int, dict[str, Any]] = {}

    def add(self, genuine: Iterable[tuple[int, Any]]) -> bool:
        """Keep answers, each signed by its seat; tell whether there are others beside them."""
        came = 0
        for seat, answer in genuine:
            known = self._by_seat.setdefault(seat, {})
            if answer["sealed"] in known or len(known) < _MAX_OF_SEAT:
                known[answer["sealed"]] = answer
                came += 1
        return len(self.answers) > came

    @property
    def answers(self) -> list[Any]:
        return [answer for known in self._by_seat.values() for answer in known.values()]


@dataclass(frozen=True, slots=True)
class ShareCollection(ABC, Generic[T]):
    """What must be known to put the answers to one request together; `nodes` by seat, as proved."""

    network: NetworkId
    key: Hash32
    nodes: Mapping[int, Bytes32]

    @abstractmethod
    def combine(self, answers: list[Any], committee: Committee) -> T:
        """Put answers together; TooFewShares where too few of them are good."""

    def run(self, answer: Mapping[str, Any], kept: CollectedAnswers | None = None) -> T:
        """Give what the answers make, together with those that came before.

        `kept` is what other nodes handed on; what this one adds is put there. TooFewShares: not
        enough good ones came, or they are lost.
        """
        lost = answer.get("lost") is True
        answers = [] if lost and answer.get("answers") is None else answer.get("answers")
        if not isinstance(answers, list) or len(answers) > MAX_SIZE:
            raise TooFewShares(f"answers come in a list of at most {MAX_SIZE}")
        committee = Committee.among(self.nodes)
        try:
            return self.combine(answers, committee)
        except TooFewShares as error:
            why = error
        if kept is not None and kept.add(self._genuine(answers)):
            try:
                return self.combine(kept.answers, committee)
            except TooFewShares as error:
                why = error
        raise TooFewShares(_LOST) if lost else why

    def _genuine(self, answers: list[Any]) -> Iterator[tuple[int, Any]]:
        """Give those that our nodes signed, with their seats."""
        for answer in answers:
            with suppress(Malformed, Declined):
                yield self._content(answer)[0], answer

    def _content(self, answer: Any) -> tuple[int, bytes]:
        """Give a seat and what it says, once it is known to say it."""
        if not isinstance(answer, dict):
            raise Malformed("an answer is a JSON object")
        if "code" in answer:
            raise Declined(f"seat {answer.get('seat')}: {answer.get('message')}")
        node = Bytes32(hexes.parse_data(answer.get("node"), "node", Bytes32.LENGTH))
        content = hexes.parse_data(answer.get("sealed"), "sealed", MAX_SEALED_BYTES)
        signature = hexes.parse_data(answer.get("signature"), "signature", ed25519.SIGNATURE_BYTES)
        # One of our nodes gave it; its seat is the one that we know it by.
        seat = next((at for at, identity in self.nodes.items() if identity == node), None)
        if seat is None:
            raise Malformed(f"node {node.hex0x} answered, which is none of ours")
        if not ed25519.verify(node, keccak256(self.network + self.key + content), signature):
            raise Malformed(f"the answer is not signed by node {node.hex0x}, which it names")
        return seat, content
