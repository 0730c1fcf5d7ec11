"""Files in which commands keep what they know from one to the next."""

import os
from pathlib import Path
from typing import Any, NoReturn

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import parse
from keymoot.cli.output import fail

MAX_KEPT_BYTES = 8 << 20
MODE = 0o666
"""Of a new file, less what the person's umask takes away."""


def read_json(path: Path, what: str) -> Any:
    """Read what commands keep in a file; None where there is none yet."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(MAX_KEPT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        fail(f"{what} {path} cannot be read ({error.strerror})")
    try:
        return parse(raw, MAX_KEPT_BYTES, floats=True)
    except Malformed as error:
        damaged(path, what, error)


def damaged(path: Path, what: str, why: object) -> NoReturn:
    fail(f"{what} {path} is damaged ({why}): repair it or remove it")


def replace_text(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or leave it as it was; its folder has to be there.

    The folder may be a stranger's: what lies in the way there, such as a link to a file of ours,
    is replaced and not written through.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
