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

    A class names its code beside its parent, and its message where that is always the same:

        class ReadOnly(Refused, code="READ_ONLY"):
            message = "a view cannot write: send a transaction"

    Attributes:
        code: A stable UPPER_SNAKE word for programs; a class without one has its parent's.
        message: For people, where the raiser gives none; cut to what every receipt and record
            has room for.
    """

    code: ClassVar[str] = "KEYMOOT_ERROR"
    message: ClassVar[str] = ""

    def __init_subclass__(cls, code: str = "") -> None:
        super().__init_subclass__()
        if code:
            cls.code = code

    def __init__(self, message: str = "") -> None:
        super().__init__(bounded(message or self.message, MAX_MESSAGE_BYTES))


class Malformed(KeymootError, code="MALFORMED"):
    """These bytes are not what the format says. Parsers raise nothing else."""

    def __init__(self, message: str, path: str = "") -> None:
        """Tell what was found, what was expected, and where in nested input, as `a.b[2]`.

        An empty path is the whole input. It is kept as it is shown.
        """
        path = shown(path, MAX_PATH_CHARACTERS)
        super().__init__(f"{path}: {message}" if path else message)
        self.reason = message
        self.path = path

    def within(self, outer: str) -> None:
        """Say where in something larger that is, before it is raised again."""
        inner = self.path if not self.path or self.path[0] == "[" else f".{self.path}"
        self.path = f"{outer}{inner}"[:MAX_PATH_CHARACTERS]
        self.args = (bounded(f"{self.path}: {self.reason}", MAX_MESSAGE_BYTES),)


class Refused(KeymootError, code="REFUSED"):
    """Understood, and the answer is no.

    In a transaction: state is undone, gas is kept, the receipt carries the code.
    """


class Relayed(Refused):
    """What somebody else has refused, repeated: the word is his, so it is the error's, not ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # the one error whose class does not know its word


class Fault(KeymootError, code="FAULT"):
    """A peer broke the protocol.

    `blamed` is as the protocol names its parties, empty when unknown; `certainty` is `known`,
    `suspected` (somebody could have framed them) or `unknown`.
    """

    def __init__(self, message: str, blamed: str = "", certainty: str = "unknown") -> None:
        super().__init__(message)
        self.blamed = blamed
        self.certainty = certainty


class BrokenStorage(Fault, code="BROKEN_STORAGE"):
    """What state is kept in is missing, altered, or cannot be read.

    It is this machine's fault and no transaction's, so no transaction is refused over it: the
    node stops.
    """

    def __init__(self, message: str, certainty: str = "known") -> None:
        super().__init__(message, "host", certainty)


class Defect(KeymootError, code="DEFECT"):
    """Our own invariant broke. The node stops: going on would fork the chain."""
