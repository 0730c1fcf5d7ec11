"""JSON-RPC errors: the standard's, Ethereum's (EIP-1474), and ours."""

from keymoot.base.errors import Defect, Fault, KeymootError, Malformed, Portable, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.strict_json import Json
from keymoot.base.transaction import UnsupportedType
from keymoot.base.units import Height
from keymoot.contracts.framework.errors import revert_data_of
from keymoot.engine.dealings import KEPT_DEALINGS
from keymoot.gateway.services import QueriesBusy
from keymoot.policy.errors import REFUSED_CODE
from keymoot.runtime.asked import QueryResult
from keymoot.runtime.gas import OutOfGas
from keymoot.runtime.leash import LeashBroken
from keymoot.runtime.query import CannotRun

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REJECTED = -32000
"""What Ethereum's nodes answer to all that they understand and do not do.

Clients read the words.
"""
RESOURCE_UNAVAILABLE = -32002
LIMIT_EXCEEDED = -32005
REVERTED = 3
"""What Ethereum's nodes answer when a call reverts; the revert data is beside it."""
NOT_IN_TIME = 4
"""EIP-7966: the transaction waits, but was in no block in time; its hash is beside it."""

PRUNED = 4444
"""Ethereum's nodes: history that this node does not keep any more (EIP-4444)."""


_NOT_REVERTED = frozenset({OutOfGas.code, LeashBroken.code, "INTRINSIC_GAS", "MALFORMED"})
"""Why a call in an enclave failed where no contract said so."""


class RpcError(Portable):
    """An error object to answer with."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Json]:
        fields: dict[str, Json] = {"code": self.code, "message": self.message}
        if self.data is not None:
            fields["data"] = self.data
        return fields


def invalid_params(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message)


def erased(name: Hash32, height: Height) -> RpcError:
    """A dealing that is wanted whole is not kept any more."""
    return RpcError(
        PRUNED,
        f"pruned history unavailable: transaction {name.hex0x} of block {height} is a dealing of "
        f"an enclave, and this node keeps those of the newest {KEPT_DEALINGS} blocks. Its receipt "
        "is kept, and the block with the hashes of its transactions: ask for those, or ask a node "
        "that runs with --keep-dealings",
        {"reason": "DEALING_ERASED", "transactionHash": name.hex0x},
    )


def of_storage(error: CannotWrite) -> RpcError:
    """The node's disk takes nothing now: what was asked may be asked again, and is not lost."""
    return RpcError(
        RESOURCE_UNAVAILABLE,
        f"the node takes nothing new for now: {error.what} cannot be written ({error.why}). Nothing "
        "that was acknowledged is lost, and reads are answered: ask again later; its operator can "
        "see what to do with `keymoot net status`",
        {"reason": error.code},
    )


def of_call(error: KeymootError) -> RpcError:
    if isinstance(error, CannotRun | OutOfGas):
        return RpcError(REJECTED, str(error))
    data = "0x" + revert_data_of(error).hex()
    return RpcError(REVERTED, f"execution reverted: {error}", data)


def of_found(query_result: QueryResult) -> RpcError:
    """Give the error of a call that failed in an enclave, in the same words."""
    if query_result.code in _NOT_REVERTED:
        return RpcError(REJECTED, query_result.message)
    return RpcError(
        REVERTED, f"execution reverted: {query_result.message}", "0x" + query_result.revert.hex()
    )


def of_submission(error: KeymootError, *, request: bool) -> RpcError:
    if isinstance(error, CannotWrite):
        return of_storage(error)
    if isinstance(error, UnsupportedType):
        return RpcError(REJECTED, f"transaction type not valid: {error}")
    if isinstance(error, Malformed):
        return invalid_params(f"{error}")
    if request and isinstance(error, Refused):
        return RpcError(REFUSED_CODE, f"keymoot refused: {error}", {"reason": error.code})
    return RpcError(REJECTED, str(error))


def of_anything(error: Exception) -> RpcError:
    """Give the error of whatever else came up; never its internals."""
    if isinstance(error, RpcError):
        return error
    if isinstance(error, CannotWrite):
        return of_storage(error)
    if isinstance(error, Malformed):
        return invalid_params(str(error))
    if isinstance(error, QueriesBusy):
        return RpcError(LIMIT_EXCEEDED, str(error))
    if isinstance(error, Refused):
        return RpcError(REJECTED, str(error))
    if isinstance(error, (Fault, Defect)):
        return RpcError(INTERNAL_ERROR, "the node cannot answer: its operator has to look")
    return RpcError(INTERNAL_ERROR, "internal error")
