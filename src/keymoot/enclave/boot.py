"""Starts an enclave: measures its code, and runs what it has measured and nothing else.

Run by its path, isolated (`python -I -S boot.py LIBRARIES ARGUMENTS…`), so that neither the
environment, nor the current folder, nor a file that Python runs by itself has a say. It needs the
standard library only, which counts as part of the interpreter.

1. It reads the packages of ours that an enclave is made of, and the libraries that they need:
   every file, but no bytecode that Python keeps beside them.
2. From then on those packages come out of the bytes that were read. Nothing else of ours can be
   imported, nor anything of the libraries' folder that is not measured.
3. It begins the enclave, with the measurement of what was read.

Enclaves on hardware are measured by the CPU; this stands in its place for simulated ones.
"""

import sys
import warnings
from collections.abc import Iterator, Sequence
from hashlib import sha384
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "keymoot"

MEASURED = (
    "attest",
    "base",
    "committee",
    "contracts",
    "crypto",
    "enclave",
    "policy",
    "runtime",
    "store",
    "threshold",
)
"""Packages of ours that an enclave may import."""

LIBRARIES = (
    "Crypto",
    "_cffi_backend",
    "_pysha3",
    "cbor2",
    "coincurve",
    "cryptography",
    "dcap_qvl",
    "nacl",
    "pyblst",
    "sha3",
)
"""Modules and packages of others that it may import.

cffi is not one, whose parser of C comes with it: its backend alone serves what was built with it,
and pycryptodome, which would take it, has ctypes where it is not.
"""

_BYTECODE_FOLDER = "__pycache__"


class NotMeasured(ImportError):
    """Something that is no part of an enclave was to be imported into one."""


class Code:
    """All that an enclave may run, as it was read once.

    Attributes:
        root: The folder in which our package stands.
        libraries: The folder of the libraries.
        sources: Content of each file of our packages, by its path from `root`.
        digests: SHA-384 of each file of the libraries, by its path from `libraries`.
    """

    def __init__(self, root: Path, libraries: Path) -> None:
        self.root, self.libraries = root, libraries
        ours = [root / PACKAGE / "__init__.py"]
        for name in MEASURED:
            ours += _files(root / PACKAGE / name)
        self.sources = {_name(path, root): path.read_bytes() for path in ours}
        self.digests: dict[str, bytes] = {}
        for name in LIBRARIES:
            for path in (libraries / name, *libraries.glob(f"{name}.*")):
                # What is installed beside a package, and is none: its records.
                if path.suffix in (".dist-info", ".egg-info"):
                    continue
                for file in _files(path):
                    self.digests[_name(file, libraries)] = sha384(file.read_bytes()).digest()

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Give what is measured, by name, in one order."""
        yield "python", sys.version.encode()
        for name in sorted(self.sources):
            yield name, self.sources[name]
        for name in sorted(self.digests):
            yield f"libraries/{name}", self.digests[name]


class MeasuredFinder:
    """Finds what was measured, and refuses what only looks like it."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of ours, or of the libraries; leave the standard library to others."""
        del path, target
        first, code = name.partition(".")[0], self._code
        place = name.replace(".", "/")
        if first == PACKAGE:
            for candidate in (f"{place}/__init__.py", f"{place}.py"):
                if candidate in code.sources:
                    return _spec(name, code.root / candidate, code.sources[candidate])
            raise NotMeasured(f"{name} is no part of an enclave")
        if first not in LIBRARIES:
            return None
        for candidate in (f"{place}/__init__.py", f"{place}.py"):
            if candidate in code.digests:
                raw = (code.libraries / candidate).read_bytes()
                if sha384(raw).digest() != code.digests[candidate]:
                    raise NotMeasured(f"{name} was changed while the enclave started")
                return _spec(name, code.libraries / candidate, raw)
        for suffix in EXTENSION_SUFFIXES:
            if place + suffix in code.digests:
                file = str(code.libraries / (place + suffix))
                return spec_from_file_location(name, file, loader=ExtensionFileLoader(name, file))
        raise NotMeasured(f"{name} is not among the libraries of an enclave")

    def find_distributions(self, _: Any) -> Iterator[Any]:
        """Tell a library that asks for its own version; what stands beside it is not measured."""
        from importlib.metadata import Distribution  # noqa: PLC0415  where one asks, it is loaded

        class Measured(Distribution):
            def read_text(self, filename: str) -> str | None:
                return "Name: measured\nVersion: 0\n" if filename == "METADATA" else None

            def locate_file(self, path: Any) -> Any:
                raise NotMeasured(f"{path} is no part of an enclave")

        yield Measured()


class _MeasuredLoader:
    """Loads a module from bytes that were measured: no file is read, no bytecode kept."""

    def __init__(self, path: Path, source: bytes) -> None:
        self._path, self._source = path, source

    def create_module(self, _: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        made = compile(self._source, str(self._path), "exec", dont_inherit=True)
        exec(made, module.__dict__)  # noqa: S102  as every import does


def measure(parts: Iterator[tuple[str, bytes]]) -> bytes:
    """Measure named contents: SHA-384 of each name and content, with their lengths."""
    state = sha384(b"keymoot-source/v2")
    for name, content in parts:
        for part in (name.encode(), content):
            state.update(len(part).to_bytes(8, "big"))
            state.update(part)
    return state.digest()


def _spec(name: str, path: Path, source: bytes) -> ModuleSpec:
    loader: Any = _MeasuredLoader(path, source)
    package = path.name == "__init__.py"
    spec = ModuleSpec(name, loader, origin=str(path), is_package=package)
    spec.has_location = True
    return spec


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [
        file for file in path.rglob("*") if file.is_file() and _BYTECODE_FOLDER not in file.parts
    ]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def main() -> int:
    here = Path(__file__).resolve()
    code = Code(here.parents[2], Path(sys.argv.pop(1)))
    sys.meta_path.insert(0, MeasuredFinder(code))
    # What a library warns of is no error here, whatever options the host gave (`-W error`): else
    # evidence that one enclave takes, another would refuse.
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    from keymoot.enclave.process import main as serve  # noqa: PLC0415  from what was measured

    return serve(code)


if __name__ == "__main__":
    sys.exit(main())
