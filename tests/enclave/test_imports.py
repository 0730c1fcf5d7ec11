"""What an enclave imports is what its owner has to trust: few libraries, and none of the host's."""

import json
import subprocess
import sys

import pytest

from keymoot.enclave.measurement import libraries, own_package

LIBRARIES = {
    "Crypto",
    "_cffi_backend",
    "cbor2",
    "coincurve",
    "cryptography",
    "dcap_qvl",
    "nacl",
    "pyblst",
    "sha3",
}
"""Cryptography, by what it is bound to C, and what reads documents of AWS."""

HOST = {"agent", "cli", "engine", "gateway", "node"}
"""Our own packages that are for the host and for clients."""

STRANGE = {
    "asyncio",
    "http",
    "logging",
    "multiprocessing",
    "pickle",
    "sqlite3",
    "ssl",
    "unittest",
    "xml",
}
"""What nothing in an enclave has a use for. Certificates of X.509 bring `email`, for names in
them, and a library that asks for its own version brings `tempfile`."""

SCRIPT = """
import json, sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("boot", sys.argv[1])
boot = module_from_spec(spec)
spec.loader.exec_module(boot)
before = set(sys.modules)
code = boot.Code(Path(sys.argv[2]), Path(sys.argv[3]))
sys.meta_path.insert(0, boot.MeasuredFinder(code))
import keymoot.enclave.process
print(json.dumps(sorted(set(sys.modules) - before)))
"""
"""Imports an enclave as its boot does: isolated, of what is measured."""


@pytest.fixture(scope="module")
def imported() -> list[str]:
    package = own_package()
    places = [str(one) for one in (package / "enclave/boot.py", package.parent, libraries())]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SCRIPT, *places],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_an_enclave_imports_cryptography_and_no_other_library(imported: list[str]) -> None:
    tops = {one.partition(".")[0] for one in imported}
    foreign = {one for one in tops if one not in sys.stdlib_module_names and one != "keymoot"}
    public = {one for one in foreign if not one.startswith("_") or one == "_cffi_backend"}
    assert public == LIBRARIES


def test_an_enclave_imports_nothing_of_the_host(imported: list[str]) -> None:
    ours = {one.split(".")[1] for one in imported if one.startswith("keymoot.")}
    assert "enclave" in ours
    assert not ours & HOST


def test_an_enclave_imports_no_servers_and_no_pickles(imported: list[str]) -> None:
    assert "selectors" in imported
    assert not {one.partition(".")[0] for one in imported} & STRANGE
