"""A file of an app's secrets, one NAME=value a line, as `.env` files are: never shown."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.cli.output import fail

if TYPE_CHECKING:
    from keymoot.base.secret import Secret

MAX_FILE_BYTES = 1 << 20


def read_secrets(path: Path) -> "dict[str, Secret]":
    """Read names and values, or end the command with the line; no value is repeated.

    A value is what stands behind the first `=`, as it is; quotes are a part of it.
    """
    from keymoot.base.secret import Secret
    from keymoot.image.variables import value_of

    secrets: dict[str, Secret] = {}
    for number, line in enumerate(_text(path).split("\n"), 1):
        name, between, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not between or name != name.strip() or name in secrets:
            fail(f"{path}:{number}: a line is NAME=value, each name once; no blanks before =")
        raw = value.removesuffix("\r").encode()
        if value_of(raw) is None:
            fail(f"{path}:{number}: no variable holds a zero byte")
        secrets[name] = Secret(raw)
    return secrets


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        fail(f"{path} cannot be read ({error.strerror}): name a file that can")
    if stat.S_ISREG(mode) and mode & 0o077:
        fail(f"others may read {path}: chmod 600 {path}")
    if len(raw) > MAX_FILE_BYTES:
        fail(f"{path} has over {MAX_FILE_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8")
