"""What a store refuses."""

from keymoot.base.errors import Refused


class ReadOnly(Refused):
    """A view or query tried to write."""

    code = "READ_ONLY"

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__("a view cannot write: send a transaction")


class NoStateKeys(Refused):
    """Confidential state was asked for where its keys are not."""

    code = "NO_STATE_KEYS"

    def __init__(self) -> None:
        """Say where the keys are."""
        super().__init__(
            "confidential state opens in a transaction of a block, and in a query to views "
            "that an enclave runs"
        )


class StateKeyAwaited(Refused):
    """Confidential state was asked for before the assembly has handed its key out."""

    code = "STATE_KEY_AWAITED"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "the assembly has not handed out the key of confidential state yet: "
            "try again in a moment"
        )
