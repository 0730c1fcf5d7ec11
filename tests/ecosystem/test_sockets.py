"""Clients of ROFL and dstack, as they are, in an agent that the daemon runs beside itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account as EthAccount

from keymoot.attest.simulated import VENDOR_ROOT, verify_simulated
from keymoot.base.fixed import AppId
from keymoot.base.units import UnixSeconds
from tests.cli.shell import Shell
from tests.ecosystem.fresh import fresh
from tests.image.folders import app_folder
from tests.node.running import running

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]

HERE = Path(__file__).parent
PATIENCE_SECONDS = 600
MANIFEST = """\
name = "clients"
version = "0.1.0"
command = ["python3", "once.py"]
include = ["speak_sockets.py", "once.py"]
"""
ONCE = """\
import runpy, sys, traceback
try:
    runpy.run_path("speak_sockets.py")
except BaseException:
    traceback.print_exc()  # and no start anew, as of any agent that fails
"""


def test_clients_of_rofl_and_dstack_work_as_they_are(tmp_path: Path) -> None:
    made = fresh(tmp_path / "env")
    made.install("--require-hashes", "-r", str(HERE / "clients.lock"))
    script = (HERE / "speak_sockets.py").read_text()
    files = {"keymoot.toml": MANIFEST, "speak_sockets.py": script, "once.py": ONCE}
    app_folder(tmp_path / "app", files)
    with running(tmp_path / "node") as node:
        shell = Shell(tmp_path, node)
        shell.write("password", "correct horse\n")
        owner = ["--owner", "owner.json", "--password-file", "password"]
        shell.json("key", "new", *owner[1:])
        app = shell.json("app", "create", "app", *owner)["app"]
        shell.json("app", "deploy", "app", *owner)
        found = []
        # Two instances of one app, one after the other.
        for name in ("first.json", "second.json"):
            command = [sys.executable, "-m", "keymoot.cli", "agent", "run", "--app", "app"]
            command += ["--socket", str(tmp_path / "rofl.sock"), "--", str(made.python)]
            done = subprocess.run(
                [*command, "once.py", str(tmp_path / name)],
                env=shell.environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
            )
            assert done.returncode == 0, done.stderr
            assert (tmp_path / name).exists(), done.stderr
            found.append(json.loads((tmp_path / name).read_text()))
    first, second = found
    assert first["app"] == app
    assert first["dstackApp"] == bytes(AppId.from_text(app))[1:].hex()
    # Keys are the app's: the same in both, of each kind another.
    for name in ("keys", "key", "solana", "ethereum", "tappdKey"):
        assert first[name] == second[name]
    assert sorted(map(len, first["keys"].values())) == [64, 64, 64, 96]
    assert len(set(first["keys"].values())) == 4
    assert first["again"] == first["keys"]["secp256k1"]
    assert first["async"] == first["key"]
    assert first["ethereum"] == EthAccount.from_key(first["key"]).address
    # What was sent is on the ledger, from either.
    assert (first["sent"], first["balance"], second["balance"]) == (True, 11, 22)
    assert first["limits"] == 64
    # Evidence binds what was asked for; the log leads to the register.
    claims = verify_simulated(
        bytes.fromhex(first["quote"]), VENDOR_ROOT, UnixSeconds(1_790_000_000)
    )
    assert claims.report_data.hex() == first["report"] == b"mine".ljust(64, b"\0").hex()
    assert first["rtmr3"] == "00" * 48
    assert first["replayed"] == first["now"] != first["rtmr3"]
    assert (first["chain"], first["verified"]) == ([65, 65], [True, True])
    assert (first["certificates"], first["tappd"]) == (2, [2, True])
    assert (first["attested"], first["reachable"]) == (True, [True, "0.5.11"])
    assert first["tappdInfo"] == "clients"
