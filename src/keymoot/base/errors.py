"""The four families of error; whatever Keymoot raises has one of them as a parent.

Each family answers one question: are these bytes what the format says
(`Malformed`), may this be done (`Refused`), did a peer break the protocol
(`Fault`), did we (`Defect`)?  A concrete error is a class with typed fields; its
message says what happened, what was allowed, and what to do.
"""

from typing import Any, ClassVar

from keymoot.base.shown import bounded, shown

MAX_MESSAGE_BYTES = 4_096
"""Longest message of an error, in UTF-8; longer ones are cut."""

MAX_PATH_CHARACTERS = 512
"""Longest path that is shown: its parts may be a stranger's words."""


class Portable(Exception):
    """An exception that pickles and copies as it is, whatever its class is made from.

    Python makes a pickled exception anew by calling its class with the message. A class with
    typed fields takes other arguments, so a process that should have told of a refusal would
    die of reading it.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Give class, message and fields; a `Secret` among them refuses."""
        return _restored, (type(self), self.args), vars(self)  # consensus: for processes' pipes


def _restored(kind: type[Portable], arguments: tuple[Any, ...]) -> Portable:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class KeymootError(Portable):
    """Everything that Keymoot raises on purpose.

    Attributes:
        code: A stable UPPER_SNAKE word for programs; the message is for people.
    """

    code: ClassVar[str] = "KEYMOOT_ERROR"

    def __init__(self, message: str = "") -> None:
        """Take the message, cut to what every receipt and record has room for."""
        super().__init__(bounded(message, MAX_MESSAGE_BYTES))


class Malformed(KeymootError):
    """These bytes are not what the format says. Parsers raise nothing else."""

    code = "MALFORMED"

    def __init__(self, message: str, path: str = "") -> None:
        """Say what is wrong and, for nested input, where.

        Args:
            message: What was found, what was expected.
            path: Where in the input, as `a.b[2]`; empty for the whole. It is kept as it is shown.
        """
        path = shown(path, MAX_PATH_CHARACTERS)
        super().__init__(f"{path}: {message}" if path else message)
        self.reason = message
        self.path = path


class Refused(KeymootError):
    """Understood, and the answer is no.

    In a transaction: state is undone, gas is kept, the receipt carries the code.
    """

    code = "REFUSED"


class Fault(KeymootError):
    """A peer broke the protocol.

    Attributes:
        blamed: Who did it, as the protocol names its parties; empty when unknown.
        certainty: `known`, `suspected` (somebody could have framed them) or `unknown`.
    """

    code = "FAULT"

    def __init__(self, message: str, blamed: str = "", certainty: str = "unknown") -> None:
        """Say what was broken, by whom, and how surely.

        Args:
            message: Which rule of which protocol was broken.
            blamed: The party, or empty.
            certainty: `known`, `suspected` or `unknown`.
        """
        super().__init__(message)
        self.blamed = blamed
        self.certainty = certainty


class BrokenStorage(Fault):
    """What state is kept in is missing, altered, or cannot be read.

    It is this machine's fault and no transaction's, so no transaction is refused over it: the
    node stops.
    """

    code = "BROKEN_STORAGE"

    def __init__(self, message: str, certainty: str = "known") -> None:
        """Say what is broken and what to do."""
        super().__init__(message, "host", certainty)


class Defect(KeymootError):
    """Our own invariant broke. The node stops: going on would fork the chain."""

    code = "DEFECT"
