"""Which blocks are believed: certified ones, and those only that build on the newest one seen.

In one generation no two blocks of a height are certified, and each certified block builds on
the one before; so a newer one needs no more than its certificate. A recovery makes a new
generation, and may leave blocks behind: so a block of another one is believed only with proof
that it descends from the newest that was seen.
"""

from dataclasses import dataclass, replace
from typing import Any

from keymoot.base import hexes
from keymoot.base.strict_json import Json
from keymoot.committee.certified import CertifiedHeader, verify
from keymoot.proof.descent import Descent
from keymoot.proof.errors import DescentMissing, NotProven, OlderHeader, OtherBranch
from keymoot.proof.founding import Anchor
from keymoot.proof.shape import fields_of, items_of
from keymoot.store.header import MAX_HEADER_BYTES, Header
from keymoot.threshold.bls12381 import G1

MAX_STEPS = 256
"""Steps in one answer: two for each recovery that was missed."""

_FIELDS = ("header", "certificate")


@dataclass(frozen=True, slots=True)
class Shown:
    """A header as somebody shows it, with what certifies it.

    `certificate` is the signature under the network's verifying key, 48 bytes; None for the one
    block that the founding record certifies.
    """

    header: Header
    certificate: bytes | None

    def check(self, anchor: Anchor) -> None:
        """Raise unless the network has certified the block.

        NotProven: there is no signature, and the founding record is of another block.
        """
        header = self.header
        if self.certificate is not None:
            verify(anchor.verifying_key, anchor.network, CertifiedHeader(header, self.certificate))
        elif anchor.founded != (header.height, header.hash):
            raise NotProven(
                f"block {header.height} has no certificate, and is not the one of the founding record"
            )

    def to_json(self) -> dict[str, Json]:
        shown = None if self.certificate is None else hexes.data(self.certificate)
        return {"header": hexes.data(self.header.encode()), "certificate": shown}

    @staticmethod
    def from_json(told: Any, path: str = "certified") -> "Shown":
        """Nothing is checked yet."""
        header, certificate = fields_of(told, _FIELDS, path)
        return Shown.of(header, certificate, path)

    @staticmethod
    def of(header: Any, certificate: Any, path: str) -> "Shown":
        raw = hexes.parse_data(header, f"{path}.header", MAX_HEADER_BYTES)
        signature = None
        if certificate is not None:
            signature = hexes.parse_data(certificate, f"{path}.certificate", G1.POINT_BYTES)
        return Shown(Header.decode(raw), signature)


@dataclass(frozen=True, slots=True)
class FollowedChain:
    """How far somebody has followed a network; following gives another one.

    `newest` is the newest header that was believed; None before the first.
    """

    anchor: Anchor
    newest: Header | None = None

    def follow(self, shown: Shown, descent: Descent | None = None) -> "FollowedChain":
        """Believe a header.

        Args:
            shown: The header, and what certifies it.
            descent: Proof that it builds on the newest one; needed at a change of generation.

        Raises:
            NotCertified: the network has not certified it.
            NotProven, BrokenProof, Malformed: what came as a proof is none.
            OlderHeader: it is from before the newest one that was seen.
            OtherBranch: it does not build on that one.
            DescentMissing: it is of another generation, and no proof of descent came.
        """
        # 1. The network certified it.
        shown.check(self.anchor)
        header, seen = shown.header, self.newest
        if seen is None:
            return replace(self, newest=header)
        # 2. It is not from before.
        if header.height < seen.height:
            raise OlderHeader(header.height, seen.height)
        # 3. A height has one block.
        if header.height == seen.height:
            if header.hash != seen.hash:
                same = header.generation == seen.generation
                raise OtherBranch(header.height, seen.height, _FORK if same else _UNDONE)
            return self
        # 4. Another generation builds on what was seen, or is not believed.
        if header.generation != seen.generation:
            if descent is None:
                raise DescentMissing(header.height, seen.height, seen.hash)
            descent.check(header, seen.height, seen.hash)
        return replace(self, newest=header)


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One of the blocks that lead from an older one to the newest.

    `descent` proves that it builds on the one before; None within a generation.
    """

    shown: Shown
    descent: Descent | None

    def to_json(self) -> Json:
        descent = None if self.descent is None else self.descent.to_json()
        return {**self.shown.to_json(), "descent": descent}


def read_steps(told: Any) -> list[ChainStep]:
    """Nothing is checked yet, but that they are not too many."""
    steps = []
    for at, item in enumerate(items_of(told, MAX_STEPS, "steps")):
        path = f"steps[{at}]"
        header, certificate, descent = fields_of(item, (*_FIELDS, "descent"), path)
        proof = None if descent is None else Descent.from_json(descent, f"{path}.descent")
        steps.append(ChainStep(Shown.of(header, certificate, path), proof))
    return steps


_FORK = "both are certified in one generation: more enclaves are broken than may be"
_UNDONE = "a recovery has left behind what was certified before it"
