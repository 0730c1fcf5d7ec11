"""A policy's two kinds of no: the document is wrong, or the wish is refused."""

from typing import Any

from keymoot.base.errors import Malformed, Refused

REFUSED_CODE = 4100
"""JSON-RPC error code of a refusal by policy (EIP-1193: unauthorized)."""


class BadPolicy(Malformed, code="BAD_POLICY"):
    """A policy document is not one; `path` is where, as in `rules[2].args.spender`."""


class PolicyRefused(Refused, code="POLICY_REFUSED"):
    """The network refused to sign. The refusal is on the ledger, with its reason.

    Attributes:
        data: The fields of the refusal as JSON, `reason` always among them.
        proved: Height of the certified block whose state is proved to hold this very refusal, as
            the client has checked; None where it is the node's word: what was never recorded, as
            an unknown credential, or stopped since, as a paused wallet.
    """

    jsonrpc_code = REFUSED_CODE

    def __init__(self, message: str, data: dict[str, Any], proved: int | None = None) -> None:
        super().__init__(message)
        self.data = data
        self.proved = proved

    @property
    def reason(self) -> str:
        """The refusal's word, such as LIMIT_EXCEEDED."""
        return str(self.data.get("reason", "REFUSED"))

    def to_json(self) -> dict[str, Any]:
        return {"code": REFUSED_CODE, "message": str(self), "data": self.data}
