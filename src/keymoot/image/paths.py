"""Paths within a bundle, and patterns of them: the same on every file system.

A path is of ASCII and has no case but its own, so that no disk folds two into one; a pattern's
`*` is any part of one name, and `**` any folders or none.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown

MAX_PATH_CHARACTERS = 200

_PART = r"[A-Za-z0-9_+@=.-]+"
_PATH = re.compile(rf"{_PART}(/{_PART})*", re.ASCII)
_GLOB = re.compile(r"[A-Za-z0-9_+@=.*-]+(/[A-Za-z0-9_+@=.*-]+)*", re.ASCII)


def check_path(path: str, at: str = "") -> None:
    """Raise Malformed unless it names a file below the folder, in one way only."""
    if len(path) > MAX_PATH_CHARACTERS:
        raise Malformed(f"a path has at most {MAX_PATH_CHARACTERS} characters", at)
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise Malformed(
            f"{shown(path)}: a path is of letters, digits and _ + @ = . - of ASCII, with / "
            "between, below the manifest's folder",
            at,
        )


def check_apart(paths: Iterable[str]) -> None:
    """Raise Malformed where two paths cannot both be on some disks: one folds case, say."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.lower(), path)
        if other is not path:
            raise Malformed(f"{other} and {path} are one file on some disks: rename one of them")
    for path in seen:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in seen:
                raise Malformed(f"{seen[folder]} is a file and a folder: rename one of them")
            folder = folder.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Which paths are meant, as `agent.py`, `src/*.py` or `src/**`."""

    text: str

    @classmethod
    def parse(cls, text: str, at: str = "") -> Self:
        """Read a pattern; Malformed if it could mean what is not below the folder."""
        if len(text) > MAX_PATH_CHARACTERS:
            raise Malformed(f"a pattern has at most {MAX_PATH_CHARACTERS} characters", at)
        parts = text.split("/")
        if not _GLOB.fullmatch(text) or {".", ".."} & set(parts):
            raise Malformed(
                f"{shown(text)}: a pattern is a path below the manifest's folder, with * for a "
                "part of a name and ** for any folders",
                at,
            )
        if any("**" in part and part != "**" for part in parts):
            raise Malformed(f"{shown(text)}: ** stands for whole folders: write a/**/b", at)
        return cls(text)

    @property
    def exact(self) -> bool:
        """Whether it names one file."""
        return "*" not in self.text

    def matches(self, path: str) -> bool:
        """Tell whether a path is meant, in steps that grow with both lengths and no faster.

        The pattern is a stranger's, and so are the names: nothing here is tried twice.
        """
        parts = self.text.split("/")
        if parts[-1] == "**":
            parts.append("*")
        return _matches(parts, path.split("/"), "**", _named)


def _named(part: str, name: str) -> bool:
    return _matches(part, name, "*", str.__eq__)


def _matches(
    pattern: Sequence[str], things: Sequence[str], any_number: str, fits: Callable[[str, str], bool]
) -> bool:
    """Match one by one; where it fails, let the last `any_number` stand for one thing more.

    What an earlier one stood for need not be tried again: a later one may stand for as much.
    """
    at = reached = begun = 0
    wild = -1
    while reached < len(things):
        if at < len(pattern) and pattern[at] == any_number:
            wild, begun, at = at, reached, at + 1
        elif at < len(pattern) and fits(pattern[at], things[reached]):
            at, reached = at + 1, reached + 1
        elif wild >= 0:
            begun += 1
            at, reached = wild + 1, begun
        else:
            return False
    return all(part == any_number for part in pattern[at:])
