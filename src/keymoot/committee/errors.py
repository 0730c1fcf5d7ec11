"""Why the committee does not take a node's message."""

from keymoot.base.errors import Refused


class Unwanted(Refused, code="UNWANTED"):
    """The message does not fit what the committee is doing; nothing changes."""


class WrongGeneration(Refused, code="WRONG_GENERATION"):
    """The message belongs to another generation."""

    message = "the message belongs to another generation: one-time secrets are wiped"


class NotSeated(Refused, code="NOT_SEATED"):
    """No seat of that number, or a signature that its key did not make."""


class NotReady(Refused, code="NOT_READY"):
    """The committee has no roots yet."""

    message = "the committee is still making its keys: try again in a moment"
