"""A list of what was measured, beside what it sealed: it tells a person what has changed since.

Nothing is decided by it: whoever can edit it can only make an error less helpful.
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from keymoot.base.storage import CannotWrite
from keymoot.enclave.boot import Code
from keymoot.enclave.whole_file import write_whole

NAME = "measured.txt"
SHOWN = 3
"""So many changes are named."""

_MAX_BYTES = 1 << 20


def note(folder: Path, code: Code) -> None:
    """Write the list down, where the disk takes it and it is not there already."""
    text = "".join(f"{digest} {name}\n" for name, digest in _digests(code).items())
    with suppress(CannotWrite, OSError):
        if _read(folder) != text:
            write_whole(folder / NAME, text.encode())


def changes(folder: Path, code: Code) -> str:
    """Send what differs from the list; nothing where there is none, or nothing does."""
    with suppress(OSError, ValueError):
        lines = (line.split(" ", 1) for line in _read(folder).splitlines())
        before = {name: digest for digest, name in lines}
        now = _digests(code)
        names = sorted(
            name for name in before.keys() | now.keys() if before.get(name) != now.get(name)
        )
        if before and names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            return f"since it was sealed, this has changed: {', '.join(names[:SHOWN])}{more}"
    return ""


def _digests(code: Code) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in code.parts()}


def _read(folder: Path) -> str:
    path = folder / NAME
    if not path.is_file() or path.stat().st_size > _MAX_BYTES:
        return ""
    return path.read_text()
