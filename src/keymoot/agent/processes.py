"""What holds connections, locks or keys, when its process forks or sends it to another.

A child of `fork` begins with its parent's open sockets, on which both would speak at once,
and with locks that threads held which it does not have. It lets go of both here, before its
first statement. A pickle is a file that anybody may keep, so no key goes into one.
"""

import os
import weakref
from abc import ABC, abstractmethod
from typing import NoReturn


class Forked(ABC):
    """Whoever has to begin anew in a child."""

    def __init__(self) -> None:
        """Be told of every fork from now on, for as long as this object lives."""
        _all.append(weakref.ref(self, _all.remove))

    @abstractmethod
    def begin_in_child(self) -> None:
        """Let go of the parent's sockets and locks; runs alone, in the child's only thread."""


# A list: what a thread does to it is one step, which no fork sees half done.
_all: list[weakref.ref[Forked]] = []


def _begin_in_child() -> None:
    for each in tuple(_all):
        states = each()
        if states is not None:
            states.begin_in_child()


os.register_at_fork(after_in_child=_begin_in_child)


def stays_here(what: str, instead: str) -> NoReturn:
    """Refuse to pickle or copy what holds a key, with the TypeError that pickle expects."""
    raise TypeError(
        f"{what} cannot be pickled or copied, for it holds a key: {instead} in the other process"
    )
