"""What code runs: SHA-384 over what an enclave may import, as hardware measures memory."""

from importlib.util import find_spec
from pathlib import Path

from keymoot.base.errors import Defect
from keymoot.base.fixed import Measurement
from keymoot.enclave import boot


def measure(package: Path) -> Measurement:
    """Measure what an enclave of this package would run, with the libraries that are installed.

    Each file counts by its path and its content, both with their lengths, in the order of
    paths; so a changed byte, a moved or an added file measures differently. So does another
    version of the interpreter, whose standard library is not in it: hardware measures that.
    """
    return Measurement(boot.measure(code_of(package).parts()))


def code_of(package: Path) -> boot.Code:
    return boot.Code(package.parent, libraries())


def own_package() -> Path:
    return Path(__file__).resolve().parent.parent


def libraries() -> Path:
    """Give the folder in which the libraries of an enclave are installed."""
    module_spec = find_spec("coincurve")
    if module_spec is None or module_spec.origin is None:
        raise Defect("coincurve is not installed: an enclave needs it")
    return Path(module_spec.origin).resolve().parent.parent
