"""How a requester gets what enclaves give under a beacon: collect, combine, ask, hold together.

The requester is the transport. It combines the beacon of the block that holds its request,
shows it to the enclaves, and puts their answers together; no single one of them is believed.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Generic, TypeVar

from keymoot.agent.errors import WrongAnswer
from keymoot.agent.share import MAX_SEALED_BYTES
from keymoot.agent.transport import Transport
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee
from keymoot.threshold.polynomial import interpolate_points

T = TypeVar("T")

MAX_COMBINATIONS = 4
"""Sets of beacon shares that are tried before the node is asked which are bad."""

CHECK_SECONDS = 2.0
"""How long the node may wait for good ones."""

_BAD_BEACON = "BAD_BEACON"


class TooFewShares(WrongAnswer):
    """Too few enclaves hold what the request was bound to: ask again."""

    code = "TOO_FEW_SHARES"

    def __init__(self, why: str, silent: frozenset[int] = frozenset()) -> None:
        """Say why; `silent` are the seats to leave out when asking again, where they are known."""
        super().__init__(why)
        self.silent = silent


class Said(Exception):
    """What an enclave said instead of an answer."""


@dataclass(frozen=True, slots=True)
class Gathering(ABC, Generic[T]):
    """What must be known to gather the answers to one request.

    Attributes:
        network: Our network.
        key: The request's name on the ledger.
        nodes: Identity keys by seat, as the asker has followed them.
    """

    network: NetworkId
    key: Hash32
    nodes: Mapping[int, Bytes32]

    @abstractmethod
    def combine(self, answers: list[Any], committee: Committee) -> T:
        """Put answers together.

        Raises:
            TooFewShares: too few of them are good.
        """

    def run(self, transport: Transport, answer: Mapping[str, Any], timeout_seconds: float) -> T:
        """Give what the answers make.

        Args:
            transport: Keymoot RPC.
            answer: The answer of keymoot_ask or /shares, with the shares of the beacon.
            timeout_seconds: For each exchange.

        Raises:
            TooFewShares: not enough good shares came.
            WrongAnswer: what came is nothing that enclaves of ours say.
        """
        committee = Committee.among(self.nodes)
        answers = answer.get("answers")
        if isinstance(answers, list):
            return self.combine(answers, committee)
        if answer.get("lost") is True:
            raise TooFewShares("too many enclaves started anew since the request was bound")
        made = self._under_beacon(transport, answer, committee, timeout_seconds)
        if made is None:
            # One of the shares is bad, and more may have come since: have them looked at.
            wait = int(1_000 * min(timeout_seconds, CHECK_SECONDS))
            path = f"/shares/{self.key.hex0x}?wait={wait}&checked=1"
            told = transport.get(path, timeout_seconds)
            if told is not None:
                made = self._under_beacon(transport, told, committee, timeout_seconds)
        if made is None:
            raise TooFewShares("no set of the beacon's shares makes a beacon")
        return made

    def _under_beacon(
        self,
        transport: Transport,
        answer: Mapping[str, Any],
        committee: Committee,
        timeout_seconds: float,
    ) -> T | None:
        """Combine the beacon, and under it the shares; None if no set of them makes a beacon."""
        shares = self._beacon_shares(answer)
        need = committee.degree + 1
        if len(shares) < need:
            return None
        for chosen in islice(combinations(sorted(shares), need), MAX_COMBINATIONS):
            point = interpolate_points(G1, {seat: shares[seat] for seat in chosen})
            if G1.is_identity(point):
                # Whoever saw the others' shares before it gave its own can cancel them.
                continue
            told = transport.call(
                "keymoot_cosign",
                [self.key.hex0x, hexes.data(G1.encode(point))],
                timeout_seconds,
            )
            answers = told.get("answers") if isinstance(told, dict) else None
            if not isinstance(answers, list):
                raise WrongAnswer("keymoot_cosign was answered by something else")
            try:
                return self.combine(answers, committee)
            except TooFewShares:
                # One enclave's word that the beacon is bad is worth nothing while others sign.
                codes = {one.get("code") for one in answers if isinstance(one, dict)}
                if _BAD_BEACON not in codes:
                    raise
        return None

    def _beacon_shares(self, answer: Mapping[str, Any]) -> dict[int, Any]:
        found = answer.get("beacon")
        shares = {}
        for seat, text in (found if isinstance(found, dict) else {}).items():
            try:
                index = int(seat)
                if index in self.nodes:
                    shares[index] = G1.decode(hexes.parse_data(text, "beacon", G1.POINT_BYTES))
            except (Malformed, ValueError):
                continue
        return shares

    def _content(self, answer: Any) -> tuple[int, bytes]:
        """Give a seat and what it says, once it is known to say it.

        Raises:
            Malformed: it is no answer of one of our nodes.
            Said: it is a refusal.
        """
        if not isinstance(answer, dict):
            raise Malformed("an answer is a JSON object")
        if "code" in answer:
            raise Said(f"seat {answer.get('seat')}: {answer.get('message')}")
        node = Bytes32(hexes.parse_data(answer.get("node"), "node", Bytes32.LENGTH))
        content = hexes.parse_data(answer.get("sealed"), "sealed", MAX_SEALED_BYTES)
        signature = hexes.parse_data(answer.get("signature"), "signature", ed25519.SIGNATURE_BYTES)
        # One of our nodes gave it; its seat is the one that we know it by.
        seat = next((at for at, one in self.nodes.items() if one == node), None)
        if seat is None:
            raise Malformed(f"node {node.hex0x} answered, which is none of ours")
        if not ed25519.verify(node, keccak256(self.network + self.key + content), signature):
            raise Malformed(f"the answer is not signed by node {node.hex0x}, which it names")
        return seat, content
