"""Keep what goes wrong in one transaction inside it.

A transaction is a stranger's bytes. Whatever they make our code raise, the transaction is
refused and undone, and the next one runs; a node that stopped over it would stop at every
start, and all others with it (docs/decisions/0022).
"""

from types import TracebackType

from keymoot.base.errors import BrokenStorage, Defect, Malformed, Refused


class Unexecutable(Refused, code="UNEXECUTABLE"):
    """Our own code did not expect this transaction; it is undone, and all of its gas is kept."""

    message = "this transaction met a fault in the ledger's code: it is undone; please report it"


class contained:
    """Run what a transaction asks for; what nobody expected of it becomes a refusal.

    What is not the transaction's comes out as it is: a `Defect` of ours, broken storage, and
    what depends on the machine (memory, depth of the stack, the operating system): another
    replica may not meet it, so refusing would fork the chain, and the node stops.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, _KNOWN):
            raise Unexecutable from error


_KNOWN = (Refused, Malformed, Defect, BrokenStorage, MemoryError, RecursionError, OSError)
