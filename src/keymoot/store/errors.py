"""What a store refuses."""

from keymoot.base.errors import Refused


class ReadOnly(Refused, code="READ_ONLY"):
    message = "a view cannot write: send a transaction"


class NoStateKeys(Refused, code="NO_STATE_KEYS"):
    message = (
        "confidential state opens in a transaction of a block, and in a query to views "
        "that an enclave runs"
    )


class StateKeyAwaited(Refused, code="STATE_KEY_AWAITED"):
    message = (
        "the committee has not handed out the key of confidential state yet: try again in a moment"
    )
