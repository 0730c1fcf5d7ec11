"""How a program of an agent's ends: an error is one line that says what to do, and a status.

    from keymoot.agent.program import program

    if __name__ == "__main__":
        with program():
            main()

What was raised on purpose, by us, by the system, or with Ctrl-C, needs no traceback; a defect keeps
its own.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from keymoot.base.errors import KeymootError, Refused
from keymoot.base.shown import unarmed
from keymoot.policy.errors import PolicyRefused

EXIT_ERROR, EXIT_REFUSED, EXIT_STOPPED = 1, 3, 130
"""As the command line's: failed, refused by policy, stopped with Ctrl-C."""


@contextmanager
def program(*others: type[Exception]) -> Iterator[None]:
    """End the program with a line and a status where the block raises an error.

    Args:
        others: What packages beside ours raise on purpose, such as web3's Web3Exception.

    Raises:
        SystemExit: with status 3 where a policy refused, 130 after Ctrl-C, else 1.
    """
    try:
        yield
    except PolicyRefused as error:
        _end(str(error), EXIT_REFUSED)
    except KeymootError as error:
        _end(str(error), EXIT_ERROR)
    except others as error:
        _end(" ".join(map(str, error.args)) or type(error).__name__, EXIT_ERROR)
    except KeyboardInterrupt:
        raise SystemExit(EXIT_STOPPED) from None
    except BrokenPipeError:
        # Whoever read our output has gone: nobody is left to be told.
        raise SystemExit(EXIT_ERROR) from None
    except OSError as error:
        _end(str(error.strerror or error), EXIT_ERROR)


def setting(name: str, what: str) -> str:
    """Give a variable of the environment; Refused where it is not set, with what it is."""
    value = os.environ.get(name)
    if not value:
        raise Refused(f"{name} is not set: {what}")
    return value


def _end(message: str, status: int) -> None:
    sys.stderr.write(unarmed(f"error: {message}\n"))
    raise SystemExit(status)
