"""What differs between two bundles, in words: for whoever rebuilt one and got another."""

from collections.abc import Iterator

from keymoot.image.bundle import Bundle, File

MAX_SHOWN = 20
"""So many differences are told."""


def differences(ours: Bundle, theirs: Bundle) -> list[str]:
    """Say how `theirs` differs from `ours`; nothing if both measure the same."""
    lines = list(_differences(ours, theirs))
    more = [f"and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    return lines[:MAX_SHOWN] + more


def _differences(ours: Bundle, theirs: Bundle) -> Iterator[str]:
    said, other = ours.described.to_json(), theirs.described.to_json()
    for name in sorted(said):
        if said[name] != other[name]:
            yield f"{name}: {said[name]} here, {other[name]} there"
    for path in sorted(ours.files.keys() | theirs.files.keys()):
        mine, others = ours.files.get(path), theirs.files.get(path)
        if mine is None:
            yield f"{path}: not here"
        elif others is None:
            yield f"{path}: not there"
        elif mine != others:
            yield f"{path}: {_how(mine, others)}"


def _how(mine: File, others: File) -> str:
    if mine.content == others.content:
        return "executable here, not there" if mine.executable else "executable there, not here"
    if _lines(mine) == _lines(others):
        return "other ends of lines: see `core.autocrlf` of git"
    return f"other content: {len(mine.content)} bytes here, {len(others.content)} there"


def _lines(file: File) -> bytes:
    return file.content.replace(b"\r\n", b"\n")
