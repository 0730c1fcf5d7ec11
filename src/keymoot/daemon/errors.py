"""What the daemon refuses, beside what the network does."""

from keymoot.base.errors import Malformed, Refused


class BadRequest(Malformed, code="BAD_REQUEST"):
    """What came over the socket is no request of HTTP/1.1, or too much of one.

    Attributes:
        status: What it is answered with; the connection ends there.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class BadArgument(Malformed, code="BAD_ARGUMENT"):
    """A field of a call is missing, or not what the call's interface says."""


class NotCreatable(Refused, code="SOCKET_NOT_MADE"):
    """A socket cannot be made where it was asked for."""


class AlreadyServed(Refused, code="SOCKET_SERVED"):
    """Another daemon answers on this socket."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"something answers at {path} already: end it, or name another place with --socket"
        )


class NotServed(Refused, code="NOT_SERVED"):
    """A call that this daemon has no meaning for; the message says what there is instead."""


class ReservedReportData(Refused, code="RESERVED_REPORT_DATA"):
    """Evidence over these bytes could register a stranger's keys as an instance of the app."""

    message = (
        "report data that ends as a registration's does is the daemon's own: choose other bytes"
    )


class InstanceOut(Refused, code="INSTANCE_OUT"):
    """The instance counts for nothing now, so nothing is given.

    Attributes:
        reason: The ledger's word for it.
    """

    def __init__(self, reason: str, seconds: int) -> None:
        super().__init__(
            f"this instance counts for nothing now ({reason}): the daemon registers it again as "
            f"soon as the app's policy admits it, and tries next in {seconds} s"
        )
        self.reason = reason


class TransactionRefused(Refused, code="TRANSACTION_REFUSED"):
    """The daemon does not sign this transaction with the instance's key, whatever it costs."""


class CommandNotFound(Refused, code="COMMAND_NOT_FOUND"):
    """The agent's program cannot be started."""


class NoEvidenceHere(Refused, code="NO_EVIDENCE_HERE"):
    """This machine has no door to evidence of itself."""

    message = (
        "this machine gives no evidence of itself: neither /dev/nsm nor configfs-tsm is there. Run "
        "the agent in a confidential machine, or use a network of simulated enclaves"
    )
