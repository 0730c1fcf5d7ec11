"""Where an error arose, in places of ours: for a log, and for whoever reports it."""

import traceback
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = 3
"""Places that are named, the innermost first."""


def arose(error: BaseException) -> str:
    """Give an error's kind, and the lines of our own code that led there.

    Never its words: those of others might hold what nobody should read.
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    ours = [
        f"{Path(frame.filename).relative_to(_PACKAGE)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if _PACKAGE in Path(frame.filename).parents
    ]
    places = " < ".join(reversed(ours[-_PLACES:]))
    return f"{kind} at {places}" if places else kind
