"""What the RPC gives to who wants proof: a certified header, and what its state says.

A bundle is JSON with the header, what certifies it, and one proof; no more is needed than what
was pinned, so it may be kept and checked elsewhere.
"""

from dataclasses import dataclass
from typing import Any

from keymoot.base.strict_json import Json
from keymoot.proof.chain import Shown
from keymoot.proof.shape import fields_of
from keymoot.proof.state import AccountProof

_FIELDS = ("header", "certificate", "proof")


@dataclass(frozen=True, slots=True)
class ProofBundle:
    """A certified header, and a proof under its state root."""

    shown: Shown
    proof: AccountProof

    def to_json(self) -> Json:
        return {**self.shown.to_json(), "proof": self.proof.to_json()}

    @staticmethod
    def from_json(told: Any) -> "ProofBundle":
        """Nothing is checked yet."""
        header, certificate, proof = fields_of(told, _FIELDS, "bundle")
        return ProofBundle(
            Shown.of(header, certificate, "bundle"), AccountProof.from_json(proof, "bundle.proof")
        )
