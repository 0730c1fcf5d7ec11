"""A file of pinned requirements, as pip and uv write it: one version each, and its hashes.

Whoever has the file can install nothing else by it; so measuring the file measures the libraries.
"""

import re
from typing import Final

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown

_PIN: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}(\[[A-Za-z0-9,._-]{1,128}\])?==[A-Za-z0-9.!+_-]{1,64}",
    re.ASCII,
)
_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}", re.ASCII)
_COMMENT: Final = re.compile(r"(^|\s)#.*$")
_OTHER_ENDS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
MAX_LINES = 50_000


def check_pinned(raw: bytes, path: str) -> None:
    """Raise Malformed, with the line, unless everything is pinned to a version and to hashes.

    Stricter than pip wherever they differ: what is read here in one way, pip reads so too.
    """
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("requirements are ASCII", path) from error
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise Malformed(f"at most {MAX_LINES} lines", path)
    begun, whole = 1, ""
    for number, line in enumerate(lines, 1):
        if _OTHER_ENDS.search(line) or "${" in line:
            raise Malformed("no other ends of lines than \\n, and no variables", f"{path}:{number}")
        bare, goes_on = _joined(line, f"{path}:{number}")
        begun = begun if whole else number
        whole += bare + " "
        if not goes_on:
            _check(whole.strip(), f"{path}:{begun}")
            whole = ""
    if whole:
        raise Malformed("the last line goes on: it ends with a backslash", f"{path}:{begun}")


def _joined(line: str, at: str) -> tuple[str, bool]:
    """Give a line without its comment, and whether the next one belongs to it.

    pip joins lines before it looks for comments: a backslash anywhere else would be read twice.
    """
    bare = _COMMENT.sub("", line)
    if not bare.strip():
        return "", False
    goes_on = line.endswith("\\")
    if (goes_on and bare != line) or "\\" in bare.removesuffix("\\" if goes_on else ""):
        raise Malformed("a backslash ends a line that goes on, and stands nowhere else", at)
    return bare.removesuffix("\\"), goes_on


def _check(whole: str, at: str) -> None:
    if not whole:
        return
    pin, _, marked = whole.partition(";")
    name, *rest = pin.split() or [""]
    options = [part for part in (*rest, *marked.split()) if part.startswith("-")]
    if not _PIN.fullmatch(name) or any(not part.startswith("-") for part in rest):
        raise Malformed(
            f"{shown(whole, 64)}: each line pins one library, as name==1.2.3 --hash=sha256:…; "
            "`uv pip compile --generate-hashes` writes such a file",
            at,
        )
    if not options or not all(_HASH.fullmatch(part) for part in options):
        raise Malformed(
            f"{shown(name, 64)} is pinned by --hash=sha256:… and by nothing else: otherwise others "
            "may choose what is installed; `uv pip compile --generate-hashes` writes them",
            at,
        )
