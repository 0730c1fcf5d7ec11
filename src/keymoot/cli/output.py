"""How commands speak: results on stdout, everything else on stderr, JSON where asked for."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from keymoot.base.errors import Portable
from keymoot.base.shown import unarmed

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
"""A policy said no: not an error of the program, but not a yes either."""

EXIT_WARNED = 4
"""Nothing was refused, but there are warnings that nobody has accepted."""
EXIT_NOT_YET = 75
"""What was asked for has not happened in time, and still may: EX_TEMPFAIL of sysexits.h."""

EXIT_STOPPED = 130
"""Ctrl-C, as shells say it."""

SIMULATED = "SIMULATED enclave: test funds only"


class CommandFailed(Portable):
    """End the command with this status; the message has been shown."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


def result(value: Any, lines: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(value, indent=2, sort_keys=True))
    else:
        for line in lines:
            # Whoever had a word with an end of line in it shown, would write lines of his own.
            say(line.replace("\n", "\\u{a}"))


def fields(pairs: Mapping[str, Any]) -> list[str]:
    width = max(map(len, pairs), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in pairs.items()]


def say(line: str) -> None:
    """Print a line of the result; text of strangers in it steers no terminal."""
    print(unarmed(line))


def note(line: str) -> None:
    """Print a line beside the result, as `say` does."""
    print(unarmed(line), file=sys.stderr)


def warn_simulated(*, simulated: bool) -> None:
    if simulated:
        note(SIMULATED)


def fail(message: str, status: int = EXIT_ERROR) -> NoReturn:
    """Show an error and end the command."""
    note(f"error: {message}")
    raise CommandFailed(status)


def confirm(question: str, *, yes: bool, option: str = "--yes") -> None:
    """Go on if the person says yes, here or with an option; end the command otherwise.

    Without a terminal nobody can be asked, so only the option goes on.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"nothing was changed: nobody can be asked here, so say {option}", EXIT_WARNED)
    print(f"{unarmed(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):  # Ctrl-D leaves the cursor behind the question.
        note("")
    if answer.strip().lower() not in ("y", "yes"):
        fail("nothing was changed", EXIT_WARNED)


def tokens(wei: int) -> str:
    """Write an amount of wei in whole tokens."""
    whole, rest = divmod(wei, 10**18)
    return str(whole) if not rest else f"{whole}.{str(rest).zfill(18).rstrip('0')}"
