"""Why the assembly does not take a node's message."""

from keymoot.base.errors import Refused


class Unwanted(Refused):
    """The message does not fit what the assembly is doing; nothing changes."""

    code = "UNWANTED"


class WrongGeneration(Refused):
    """The message belongs to another generation."""

    code = "WRONG_GENERATION"

    def __init__(self) -> None:
        """Say what happened."""
        super().__init__("the message belongs to another generation: one-time secrets are wiped")


class NotSeated(Refused):
    """No seat of that number, or a signature that its key did not make."""

    code = "NOT_SEATED"


class NotReady(Refused):
    """The assembly has no roots yet."""

    code = "NOT_READY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the assembly is still making its keys: try again in a moment")
