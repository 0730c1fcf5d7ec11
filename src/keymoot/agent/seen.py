"""The newest certified block that was seen, in a file: the next process begins with it.

Without it a client that was restarted could be shown a branch that a recovery has left behind,
or an old state, as if it had seen nothing. The file lies beside the credential (`FILE.seen`),
or, for an owner, under the user's own state, one for each network. It holds no secret:

    {"version": 1, "network": "0x…", "header": "0x…"}

It is written whole, with mode 0600, and at most once a second; what a recovery begins, and what
is open when its holder closes, at once. Where it cannot be written, it is remembered in this
process only, and a warning says so.
"""

import os
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from keymoot.agent.errors import SeenUnusable
from keymoot.agent.processes import Forked
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import NetworkId
from keymoot.base.strict_json import canonical, parse
from keymoot.store.header import MAX_HEADER_BYTES, Header

VERSION = 1
SUFFIX = ".seen"
MAX_FILE_BYTES = 4_096

WRITE_SECONDS = 1.0
"""How long it lies between two writes, at least."""

_FIELDS = {"version", "network", "header"}


class NotRemembered(UserWarning):
    """The file cannot be written: what was seen is remembered in this process only."""


def beside(credential: Path) -> Path:
    """The file that belongs to a credential's."""
    return credential.with_name(credential.name + SUFFIX)


@dataclass(frozen=True, slots=True)
class Remembered:
    network: NetworkId
    header: Header

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a file; None where there is none."""
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SeenUnusable(path, f"it cannot be read: {error.strerror}") from error
        try:
            return cls._decode(raw)
        except Malformed as error:
            raise SeenUnusable(path, str(error)) from error

    @classmethod
    def _decode(cls, raw: bytes) -> Self:
        fields = parse(raw[: MAX_FILE_BYTES + 1], MAX_FILE_BYTES)
        if not isinstance(fields, dict) or fields.keys() != _FIELDS:
            raise Malformed("it has other fields")
        if fields["version"] != VERSION:
            raise Malformed(f"this program reads version {VERSION}")
        network = hexes.parse_data(fields["network"], "network", NetworkId.LENGTH)
        header = hexes.parse_data(fields["header"], "header", MAX_HEADER_BYTES)
        return cls(NetworkId(network), Header.decode(header))

    def encode(self) -> bytes:
        header, network = hexes.data(self.header.encode()), self.network.hex0x
        return canonical({"version": VERSION, "network": network, "header": header})


def forget(path: Path) -> Remembered:
    """Remove a file, so that a recovery is accepted; give what it remembered."""
    remembered = Remembered.read(path)
    if remembered is None:
        raise SeenUnusable(path, "it is not there")
    try:
        path.unlink()
    except OSError as error:
        raise SeenUnusable(path, f"it cannot be removed: {error.strerror}") from error
    return remembered


class Seen(Forked):
    """What was seen of one network, and the file that keeps it."""

    def __init__(self, path: Path, network: NetworkId) -> None:
        """Read what earlier processes saw."""
        super().__init__()
        self.path, self._network = path, network
        self._lock = threading.Lock()
        self._open, self._written_at, self._warned = False, -WRITE_SECONDS, False
        self.newest: Header | None = self._read()

    def begin_in_child(self) -> None:
        """Take a new lock: a thread of the parent may hold the old one."""
        self._lock = threading.Lock()

    def note(self, header: Header) -> None:
        """Remember a block that is believed, newer than the one before or the same."""
        with self._lock:
            before = self.newest
            if before == header:
                return
            self.newest, self._open = header, True
            early = time.monotonic() - self._written_at < WRITE_SECONDS
            if before is None or before.generation != header.generation or not early:
                self._write()

    def flush(self) -> None:
        with self._lock:
            if self._open:
                self._write()

    def _read(self) -> Header | None:
        remembered = Remembered.read(self.path)
        if remembered is not None and remembered.network != self._network:
            raise SeenUnusable(self.path, f"it is of network {remembered.network.hex0x}")
        return None if remembered is None else remembered.header

    def _write(self) -> None:
        """Write the newest block, unless another process has written a newer one."""
        header = self.newest
        if header is None:
            return
        self._open, self._written_at = False, time.monotonic()
        with suppress(SeenUnusable):
            theirs = self._read()
            if theirs is not None and _later(theirs, header):
                return
        try:
            _replace(self.path, Remembered(self._network, header).encode())
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"{self.path} cannot be written ({error.strerror}): which block of the network "
                    "was seen last is remembered in this process only. A restart could be shown a "
                    "branch that a recovery has left behind: keep the credential in a folder that "
                    "you may write to",
                    NotRemembered,
                    stacklevel=2,
                )


def _later(theirs: Header, ours: Header) -> bool:
    return theirs.generation == ours.generation and theirs.height > ours.height


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another one: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(fresh).unlink()
        raise
