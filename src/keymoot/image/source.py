"""An app's folder: its manifest, and the files of it that are in the bundle.

A bundle is public, and the same wherever it is built. So a link, a file that looks like a secret,
or a pattern that names nothing ends the build, with the file's name.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown
from keymoot.base.strict_json import parse
from keymoot.image.bundle import LISTING, MAX_BUNDLE_BYTES, MAX_FILES, Bundle, File
from keymoot.image.errors import NoBundle
from keymoot.image.manifest import FILE, MAX_MANIFEST_BYTES, Manifest, parse_manifest
from keymoot.image.requirements import check_pinned

SUFFIX = ".bundle"
"""Ends the names of bundles, which are never part of one."""

MAX_ENTRIES = 100_000
"""So many names are looked at in a folder, at most."""

_MADE_BY_TOOLS: Final = frozenset(
    {"__pycache__", ".git", ".hg", ".venv", "node_modules", ".mypy_cache", ".pytest_cache"}
)
_SECRET_NAMES: Final = (".cred", ".key", ".pem", ".p12", ".pfx", ".keystore", ".age")
_SECRET_WORDS: Final = (
    b"-----BEGIN PRIVATE KEY",
    b"-----BEGIN RSA PRIVATE",
    b"-----BEGIN EC PR",
    b"-----BEGIN OPENSSH PRI",
    b"AGE-SECRET-KEY-1",
)
_MAX_SECRET_BYTES = 65_536


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder (NoBundle: there is none; Malformed: it names the field)."""
    path = folder / FILE
    try:
        raw, _ = _ordinary(path, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise NoBundle(
            f"{path} cannot be read ({error.strerror}): name an app's folder, or let "
            "`keymoot app init` write one"
        ) from error
    try:
        return parse_manifest(raw)
    except Malformed as error:
        error.within(FILE)
        raise


def build(folder: Path) -> Bundle:
    """Make the bundle of a folder.

    Raises:
        Malformed: the manifest, a name or the requirements are not in their form.
        NoBundle: a file that may not be in it, or one that is not there.
    """
    manifest = read_manifest(folder)
    files = {path: _file(folder, path) for path in _included(folder, manifest)}
    bundle = Bundle.make(manifest.described, files)
    requirements = manifest.described.requirements
    if requirements is not None:
        check_pinned(files[requirements].content, requirements)
    return bundle


def _included(folder: Path, manifest: Manifest) -> list[str]:
    """Give the paths that the manifest's patterns mean; each has to mean one."""
    paths = sorted(_paths(folder))
    meant: set[str] = set()
    for pattern in manifest.include:
        matching = {path for path in paths if pattern.matches(path)}
        if not matching:
            raise NoBundle(f"{FILE} includes {pattern.text}, and there is no such file here")
        meant |= matching
    if len(meant) > MAX_FILES:
        raise NoBundle(f"{len(meant)} files, at most {MAX_FILES}: name fewer in `include`")
    return sorted(meant)


def _paths(folder: Path) -> Iterator[str]:
    """Give the paths of all files and links, without what tools make and what we write."""
    seen = 0
    for here, folders, names in os.walk(folder, onerror=_unreadable):
        linked = [name for name in folders if (Path(here) / name).is_symlink()]
        folders[:] = sorted(set(folders) - _MADE_BY_TOOLS - set(linked))
        seen += len(folders) + len(names)
        if seen > MAX_ENTRIES:
            raise NoBundle(f"{folder} has over {MAX_ENTRIES} files: build from a smaller folder")
        for name in (*names, *linked):
            path = (Path(here) / name).relative_to(folder).as_posix()
            if not name.endswith((SUFFIX, ".pyc")) and path not in (FILE, LISTING):
                yield path


def _unreadable(error: OSError) -> None:
    raise NoBundle(
        f"{shown(str(error.filename), 512)} cannot be read ({error.strerror})"
    ) from error


def _file(folder: Path, path: str) -> File:
    """Read one file, once; never through a link at its end."""
    try:
        content, mode = _ordinary(folder / path, MAX_BUNDLE_BYTES)
    except OSError as error:
        raise NoBundle(
            f"{shown(path)} cannot be read, or is a link ({error.strerror}): bundles hold "
            "ordinary files; leave it out of `include`"
        ) from error
    if len(content) > MAX_BUNDLE_BYTES:
        raise NoBundle(f"{shown(path)} has over {MAX_BUNDLE_BYTES} bytes")
    _check_public(path, content)
    return File(content, bool(mode & stat.S_IXUSR))


def _ordinary(path: Path, most: int) -> tuple[bytes, int]:
    """Give at most one byte over `most` of a file, and its mode.

    Raises:
        OSError: it cannot be read, is a link, or no file whose end comes: nobody waits for it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "no ordinary file", str(path))
        return file.read(most + 1), mode


def _check_public(path: str, content: bytes) -> None:
    """Refuse what looks like a secret: whoever wants to can read a bundle."""
    name = PurePosixPath(path).name.lower()
    if (
        name.startswith((".env", "id_rsa", "id_ed25519", "id_ecdsa"))
        or name.endswith(_SECRET_NAMES)
        or any(word in content for word in _SECRET_WORDS)
        or _is_keystore(content)
    ):
        raise NoBundle(
            f"{shown(path)} looks like a secret, and everybody can read a bundle: leave it out of "
            "`include`, and name the variable in `secrets`"
        )


def _is_keystore(content: bytes) -> bool:
    """Tell an Ethereum keystore, or a credential of ours, whatever its name is."""
    if len(content) > _MAX_SECRET_BYTES or not content.lstrip().startswith(b"{"):
        return False
    try:
        told = parse(content, _MAX_SECRET_BYTES, floats=True)
    except Malformed:
        return False
    return isinstance(told, dict) and (
        bool({"crypto", "Crypto"} & told.keys()) or {"wallet", "key", "network"} <= told.keys()
    )
