"""What code runs: SHA-384 over our package's source, as hardware measures memory."""

from hashlib import sha384
from pathlib import Path

from keymoot.base.fixed import Measurement

_VERSION = b"keymoot-source/v1"


def measure(package: Path) -> Measurement:
    """Measure every Python file of a package.

    Each file counts by its path within the package and its content, both with their
    lengths, in the order of paths; so a changed byte, a moved or an added file measures
    differently. The interpreter and the libraries are not in it: hardware measures those.
    """
    state = sha384(_VERSION)
    for path in sorted(package.rglob("*.py"), key=lambda one: one.relative_to(package).as_posix()):
        for part in (path.relative_to(package).as_posix().encode(), path.read_bytes()):
            state.update(len(part).to_bytes(8, "big"))
            state.update(part)
    return Measurement(state.digest())


def own_package() -> Path:
    """Give the folder of this very package."""
    return Path(__file__).resolve().parent.parent
