"""Passwords: from a file, or typed where nobody sees them; never from the command line."""

import getpass
import os
import stat
import sys
import warnings
from pathlib import Path

from keymoot.cli.output import fail, note

MAX_FILE_BYTES = 4_096


def password(file: Path | None) -> str:
    return _typed("Password: ") if file is None else _first_line(file)


def new_password(file: Path | None) -> str:
    """Read the password of a new keystore, typed twice; it may not be empty."""
    given = password(file)
    if not given:
        where = "" if file is None else f": the first line of {file} is empty"
        fail(f"an empty password protects nothing{where}; choose one")
    if file is None and _typed("Again: ") != given:
        fail("the two passwords differ: nothing was written")
    return given


def _typed(prompt: str) -> str:
    if not sys.stdin.isatty():
        fail("no terminal to ask for the password: use --password-file FILE")
    try:
        with warnings.catch_warnings():
            # It would go on, and show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(prompt)
    except getpass.GetPassWarning:
        fail("this terminal would show the password: use --password-file FILE")
    except EOFError:
        note("")
        fail("no password was given: type one, or use --password-file FILE")
    except UnicodeDecodeError:
        fail("the password is no UTF-8 text: use --password-file FILE")


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        fail(f"the password file {file} cannot be read ({error.strerror}): name one that can")
    if len(raw) > MAX_FILE_BYTES:
        fail(f"the password file {file} has over {MAX_FILE_BYTES} bytes: it is another file")
    if not raw:
        fail(f"the password file {file} is empty: write the password into its first line")
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        note(f"warning: others on this machine can read {file}: chmod 600 {file}")
    # Windows' editors write a mark before the first line, and two bytes after it.
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        fail(f"the password file {file} is no UTF-8 text: write it anew")
    return text.split("\n", 1)[0].removesuffix("\r")
