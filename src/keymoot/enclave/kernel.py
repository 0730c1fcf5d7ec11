"""The kernel's two doors to evidence of this machine: folders of configfs-tsm, and /dev/nsm.

`attest.tsm` and `attest.nsm` say what goes through them.
"""

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keymoot.attest.evidence import EvidenceNotMade

REPORTS = Path("/sys/kernel/config/tsm/report")
NSM = Path("/dev/nsm")

_ASK_NSM = 0xC0200A00
"""_IOWR(0x0A, 0, struct nsm_raw): two vectors of address and length."""

_VECTORS = struct.Struct("=QQQQ")

_CAUSES = {
    errno.ENOENT: "there is none: this is no such machine, or its kernel lacks the driver",
    errno.EACCES: "it is not permitted: run as root, or let this user",
    errno.EPERM: "it is not permitted: run as root, or let this user",
    errno.EBUSY: "it is busy: ask again in a moment",
    errno.EINTR: "it was interrupted: ask again",
    errno.EAGAIN: "it is busy: ask again in a moment",
    errno.ETIMEDOUT: "the host's quoting service does not answer: see that it runs",
    errno.EIO: "the host's quoting service failed: see its log",
    errno.ENXIO: "this machine's firmware gives no such report",
}


def _not_made(what: str, error: OSError) -> EvidenceNotMade:
    number = error.errno or 0
    return EvidenceNotMade(f"{what}: {_CAUSES.get(number, f'the system says error {number}')}")


@dataclass(frozen=True, slots=True)
class TsmFolder:
    """One report's folder; what `attest.tsm.produce` takes."""

    path: Path

    def write(self, attribute: str, value: bytes) -> None:
        """Write one attribute by one system call, as the kernel wants it."""
        try:
            descriptor = os.open(self.path / attribute, os.O_WRONLY | os.O_CLOEXEC)
            try:
                taken = os.write(descriptor, value)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _not_made(f"the kernel takes no {attribute}", error) from error
        if taken != len(value):
            raise EvidenceNotMade(f"the kernel took {taken} of {len(value)} bytes of {attribute}")

    def read(self, attribute: str, most: int) -> bytes:
        """Give one attribute."""
        try:
            with (self.path / attribute).open("rb", buffering=0) as file:
                answer = b""
                while len(answer) <= most and (more := file.read(most + 1 - len(answer))):
                    answer += more
        except OSError as error:
            raise _not_made(f"the kernel gives no {attribute}", error) from error
        if len(answer) > most:
            raise EvidenceNotMade(f"{attribute} has over {most} bytes, which are not read")
        return answer


@contextmanager
def report_folder(name: str, reports: Path = REPORTS) -> Iterator[TsmFolder]:
    """Make a report's folder for one question, and remove it after; nobody else uses `name`."""
    path = reports / name
    try:
        path.mkdir(mode=0o700)
    except FileExistsError as error:
        raise EvidenceNotMade(
            f"a report {name} is being made already: take another name"
        ) from error
    except OSError as error:
        raise _not_made("the kernel makes no report", error) from error
    try:
        yield TsmFolder(path)
    finally:
        # Attributes go with their folder; in a folder that the kernel does not keep, nothing does.
        path.rmdir()


def ask_nsm(request: bytes, most: int, device: Path = NSM) -> bytes:
    """Ask the Nitro security module one question in CBOR; its answer has `most` bytes at most."""
    asked = ctypes.create_string_buffer(request, len(request))
    answer = ctypes.create_string_buffer(most)
    vectors = bytearray(
        _VECTORS.pack(ctypes.addressof(asked), len(request), ctypes.addressof(answer), most)
    )
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _ASK_NSM, vectors, True)  # noqa: FBT003  the call's own way
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _not_made("the Nitro security module does not answer", error) from error
    length = _VECTORS.unpack(vectors)[3]
    return answer.raw[: min(length, most)]
