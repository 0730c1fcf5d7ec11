"""A simulated CPU: its fuses are a file, which whoever is root can read.

It protects nothing against the machine's owner; it behaves like the real thing towards
everybody else.
The fuse file stands outside the data folder, so that a copy of the folder, or a backup
of it, is as useless as a disk without its CPU.
"""

import os
import stat
from pathlib import Path

from keymoot.attest import simulated
from keymoot.attest.evidence import ReportData
from keymoot.base.errors import Refused
from keymoot.base.fixed import Measurement
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.crypto.kdf import derive
from keymoot.enclave.whole_file import write_whole

FUSE_BYTES = 32


class FuseRefused(Refused, code="FUSE_REFUSED"):
    """The simulated CPU's fuse file cannot be used as it is."""


class SimulatedPlatform:
    """A platform whose root of trust is a 0600 file."""

    simulated = True

    def __init__(self, fuse: Secret, measurement: Measurement) -> None:
        self._fuse = fuse
        self.measurement = measurement

    def sealing_key(self, purpose: str) -> Secret:
        return derive(self._fuse, "simulated/seal", self.measurement, purpose.encode())

    def entropy(self, count: int) -> bytes:
        return os.urandom(count)

    def quote(self, report_data: bytes) -> bytes:
        return simulated.quote(self.measurement, ReportData(report_data))


def read_fuse(path: Path, data: Path, folder: Path | None = None) -> Secret:
    """Give the fuse key, made on first use, but not where `folder` holds something sealed already.

    A fuse file in the data folder, a link, or one that others can read is refused.
    """
    if data.resolve() in path.resolve().parents:
        raise FuseRefused(f"the fuse file {path} must not be inside the data folder {data}")
    if not os.path.lexists(path):
        sealed = sorted(folder.glob("*.sealed")) if folder is not None else []
        if sealed:
            # A new one would open nothing, and the old one might be written over later.
            raise FuseRefused(
                f"the fuse file {path} is missing, and {sealed[0]} was sealed with it: put the "
                f"file back (another path is named with KEYMOOT_SIMULATED_CPU); without it {folder} "
                "never opens again, and only a new network with another --data is left"
            )
        _create(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise FuseRefused(f"the fuse file {path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise FuseRefused(f"the fuse file {path} must be a file of mode 0600: chmod 600 it")
        fuse = file.read(FUSE_BYTES + 1)
    if len(fuse) != FUSE_BYTES:
        raise FuseRefused(f"the fuse file {path} is not {FUSE_BYTES} bytes: restore it")
    return Secret(fuse)


def _create(path: Path) -> None:
    """Burn the fuses; whole, or not at all, for half a file would be refused for ever."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotWrite(str(path), error.errno) from error
    write_whole(path, os.urandom(FUSE_BYTES))
