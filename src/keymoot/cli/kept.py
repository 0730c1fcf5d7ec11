"""Files in which commands keep what they know from one to the next."""

import json
from pathlib import Path
from typing import Any, NoReturn

from keymoot.cli.output import fail


def read_json(path: Path, what: str) -> Any:
    """Read what commands keep in a file; None where there is none yet."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        fail(f"{what} {path} cannot be read ({error.strerror})")
    except ValueError as error:
        damaged(path, what, error)


def damaged(path: Path, what: str, why: object) -> NoReturn:
    fail(f"{what} {path} is damaged ({why}): repair it or remove it")


def replace_text(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or leave it as it was; its folder has to be there."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
