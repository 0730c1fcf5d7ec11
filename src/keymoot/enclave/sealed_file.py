"""A file that only this code on this machine can open."""

from pathlib import Path

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.storage import CannotWrite
from keymoot.crypto.sealing import NONCE_BYTES, SealBroken, Sealer
from keymoot.enclave.platform import Platform
from keymoot.enclave.whole_file import write_whole

_TAG = b"keymoot-sealed/v1"
MAX_SEALED_BYTES = 65_536


class CannotUnseal(Refused, code="CANNOT_UNSEAL"):
    """A sealed file does not open here."""

    def __init__(self, path: Path, measurement: str) -> None:
        super().__init__(
            f"{path} does not open: it was altered, sealed by other code (this one measures "
            f"{measurement[:16]}…), or on another machine (fuse key). Put back the file, run the "
            "version that sealed it, and use the same fuse file; where that cannot be, start a new "
            "network with another --data"
        )


class CannotRead(Refused, code="CANNOT_READ"):
    def __init__(self, path: Path, why: str | None) -> None:
        super().__init__(
            f"{path} cannot be read ({why}): it has to be a file that the node's user may read"
        )


def write_sealed(path: Path, platform: Platform, purpose: str, content: bytes) -> None:
    """Seal `content` into a file, whole and synced, or leave the file as it was."""
    nonce = platform.entropy(NONCE_BYTES)
    sealed = Sealer(platform.sealing_key(purpose)).seal(nonce, content, _TAG + purpose.encode())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotWrite(str(path), error.errno) from error
    write_whole(path, rlp.encode([_TAG, nonce, sealed]))


def read_sealed(path: Path, platform: Platform, purpose: str) -> bytes | None:
    """Give what was sealed into a file, or None if there is no file."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SEALED_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRead(path, error.strerror) from error
    try:
        tag, nonce, sealed = list_of(rlp.decode(raw[:MAX_SEALED_BYTES]), 3, "sealed")
        if tag != _TAG:
            raise Malformed("not a sealed file")
        return Sealer(platform.sealing_key(purpose)).open(
            bytes_of(nonce, "nonce"),
            bytes_of(sealed, "sealed"),
            _TAG + purpose.encode(),
            path.name,
        )
    except (SealBroken, Malformed) as error:
        raise CannotUnseal(path, platform.measurement.hex()) from error
