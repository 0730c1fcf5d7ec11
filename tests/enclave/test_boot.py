"""What is measured is what runs: nothing that lies around has a say in an enclave.

Each attack is a host's: it may write any file and set any variable. What it plants would say so
in a file.
"""

import ast
import importlib.util
import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keymoot.enclave import boot, listing
from keymoot.enclave.measurement import code_of, libraries, measure, own_package

SAYS = "from pathlib import Path\nPath({said!r}).write_text('planted')\n"


class Copy:
    """Our package, copied, that a host does things to."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said"
        self.package = folder / "src" / "keymoot"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(own_package(), self.package, ignore=ignored)

    @property
    def words(self) -> str:
        """Give code that says that it ran."""
        return SAYS.format(said=str(self.said))

    def begin(self, ends: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Start an enclave that ends at once, or runs `ends` after everything is imported."""
        script = self.package / "enclave" / "boot.py"
        arguments = [str(script), str(libraries()), "--reads", "9"]
        for each in ("--folder", "--data", "--fuse"):
            arguments += [each, "nowhere"]
        if ends:
            run = f"import runpy, sys; sys.argv = {arguments!r}\n"
            arguments = ["-c", run + ends]
        return subprocess.run(
            [sys.executable, "-I", "-S", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.package.parent,
        )


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def started(done: subprocess.CompletedProcess[str]) -> bool:
    """Tell whether everything was imported, up to the point where there is no socket."""
    return done.returncode == 2 and "`keymoot up` starts enclaves" in done.stderr


def test_an_enclave_starts_out_of_what_was_measured(copy: Copy) -> None:
    done = copy.begin()
    assert started(done), done.stderr
    assert not copy.said.exists()


def test_bytecode_beside_the_source_is_not_run(copy: Copy) -> None:
    before = measure(copy.package)
    for module in (copy.package / "base" / "rlp.py", copy.package / "enclave" / "process.py"):
        source, honest = module.read_text(), module.stat()
        module.write_text(copy.words + source)
        planted = importlib.util.cache_from_source(str(module))
        py_compile.compile(str(module), planted, doraise=True)
        module.write_text(source)
        os.utime(module, ns=(honest.st_atime_ns, honest.st_mtime_ns))
        # As Python checks it: the time and the length of the source that it names.
        raw = bytearray(Path(planted).read_bytes())
        raw[8:12] = int(honest.st_mtime).to_bytes(4, "little")
        raw[12:16] = honest.st_size.to_bytes(4, "little")
        Path(planted).write_bytes(raw)
    # The attack is one: whoever imports the package as Python does, runs it.
    believes = [sys.executable, "-c", "import keymoot.base.rlp"]
    subprocess.run(believes, cwd=copy.package.parent, check=True)
    assert copy.said.exists()
    copy.said.unlink()
    assert measure(copy.package) == before
    assert started(copy.begin())
    assert not copy.said.exists()


def test_neither_variables_nor_files_that_python_runs_by_itself_have_a_say(
    copy: Copy, tmp_path: Path
) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("sitecustomize", "usercustomize", "hashlib", "sha3", "selectors"):
        (planted / f"{name}.py").write_text(copy.words)
        (copy.package.parent / f"{name}.py").write_text(copy.words)
        (copy.package / "enclave" / f"{name}.py").write_text(copy.words)
    (planted / "startup.py").write_text(copy.words)
    done = copy.begin(
        PYTHONPATH=str(planted), PYTHONSTARTUP=str(planted / "startup.py"), PYTHONINSPECT="1"
    )
    assert started(done), done.stderr
    assert not copy.said.exists()


def test_what_is_added_to_a_measured_package_measures_differently(copy: Copy) -> None:
    honest = measure(copy.package)
    for name in ("base/rlp.cpython-311-x86_64-linux-gnu.so", "base/rlp.pyc", "committee/more.py"):
        path = copy.package / name
        path.write_bytes(b"")
        assert measure(copy.package) != honest, name
        path.unlink()
    assert measure(copy.package) == honest


@pytest.mark.parametrize("name", ["cli/main.py", "gateway/app.py", "node/server.py", "py.typed"])
def test_what_no_enclave_imports_may_change(copy: Copy, name: str) -> None:
    honest = measure(copy.package)
    path = copy.package / name
    path.write_text(path.read_text() + "\n# changed\n")
    assert measure(copy.package) == honest


def test_nothing_else_of_ours_can_be_imported_into_an_enclave(copy: Copy) -> None:
    script = str(copy.package / "enclave" / "boot.py")
    asks = f"""
sys.path.insert(0, {str(copy.package.parent)!r})
code = runpy.run_path({script!r})
found = code['Code'](code['Path']({str(copy.package.parent)!r}), code['Path'](sys.argv[1]))
sys.meta_path.insert(0, code['MeasuredFinder'](found))
import keymoot.enclave.process
for name in ('keymoot.node', 'keymoot.cli.main', 'coincurve.nothing', 'keymoot.base.nothing'):
    try:
        __import__(name)
    except ImportError as error:
        print(type(error).__name__, name)
"""
    done = copy.begin(asks)
    assert done.stdout.split() == [
        *("NotMeasured", "keymoot.node", "NotMeasured", "keymoot.cli.main"),
        *("NotMeasured", "coincurve.nothing", "NotMeasured", "keymoot.base.nothing"),
    ], done.stderr


def test_every_import_of_a_measured_package_is_measured() -> None:
    """Also those within functions, which no run need meet."""
    unmeasured = set()
    for name in boot.MEASURED:
        for path in sorted((own_package() / name).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [one.name for one in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [str(node.module)]
                for each in names:
                    first, *rest = each.split(".")
                    if first == boot.PACKAGE:
                        assert not rest or rest[0] in boot.MEASURED, f"{path}: {each}"
                    else:
                        known = first in boot.LIBRARIES or first in sys.stdlib_module_names
                        if not known:
                            unmeasured.add((path.relative_to(own_package()).as_posix(), each))
    assert unmeasured == set()


def test_an_error_can_name_what_has_changed(copy: Copy, tmp_path: Path) -> None:
    folder = tmp_path / "enclave"
    folder.mkdir()
    assert listing.changes(folder, code_of(copy.package)) == ""
    listing.note(folder, code_of(copy.package))
    assert listing.changes(folder, code_of(copy.package)) == ""
    (copy.package / "committee" / "state.py").write_text("")
    (copy.package / "committee" / "more.py").write_text("")
    said = listing.changes(folder, code_of(copy.package))
    assert said.endswith("has changed: keymoot/committee/more.py, keymoot/committee/state.py")
    (folder / listing.NAME).write_bytes(b"\xff\n\n")
    assert listing.changes(folder, code_of(copy.package)) == ""


def test_libraries_that_warn_do_so_to_nobody_whatever_the_host_asks_for(copy: Copy) -> None:
    """Else one enclave would refuse evidence that another takes."""
    script = copy.package / "enclave" / "process.py"
    script.write_text("import warnings\ndef main(code):\n    warnings.warn('x')\n    return 7\n")
    boot_file = str(copy.package / "enclave" / "boot.py")
    for options in ([], ["-W", "error"], ["-W", "default", "-X", "dev"]):
        command = [sys.executable, *options, "-I", "-S", boot_file, str(libraries())]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (7, ""), options


def test_an_enclave_has_what_reads_evidence_of_hardware(copy: Copy) -> None:
    asks = f"""
code = runpy.run_path({str(copy.package / "enclave" / "boot.py")!r})
found = code['Code'](code['Path']({str(copy.package.parent)!r}), code['Path'](sys.argv[1]))
sys.meta_path.insert(0, code['MeasuredFinder'](found))
import keymoot.enclave.process
print(*sorted(one for one in sys.modules if one in ('keymoot.attest.nitro', 'keymoot.attest.snp', 'keymoot.attest.tdx')))
print(*sorted(name for name in found.digests if name.endswith('.so') and ('cbor' in name or 'dcap' in name)))
"""
    done = copy.begin(asks)
    vendors = [f"keymoot.attest.{name}" for name in ("nitro", "snp", "tdx")]
    assert done.stdout.split()[:3] == vendors, done.stderr
    assert {"_cbor2", "_dcap_qvl"} <= set(re.findall(r"/(\w+)\.", done.stdout)), done.stdout
