"""`keymoot agent run`: from a folder to a running agent that asks its socket."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keymoot.base.fixed import AppId
from keymoot.daemon.run import Sockets
from keymoot.enclave import harden
from tests.cli.shell import Shell
from tests.image.folders import app_folder
from tests.node.running import Running

pytestmark = pytest.mark.long

PATIENCE_SECONDS = 240

AGENT = """\
import http.client, json, os, pathlib, socket, sys

class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["KEYMOOT_SOCKET"])

def ask(method, path, body=None):
    way = Unix("localhost")
    way.request(method, path, None if body is None else json.dumps(body))
    answer = way.getresponse()
    return answer.status, answer.read().decode()

found = {
    "app": ask("GET", "/rofl/v1/app/id"),
    "key": ask("POST", "/rofl/v1/keys/generate", {"key_id": "a", "kind": "ed25519"}),
    "secret": os.environ.get("API_KEY"),
    "here": sorted(os.listdir()),
    "names": sorted(name for name in os.environ if name.startswith("KEYMOOT")),
}
pathlib.Path(sys.argv[1]).write_text(json.dumps(found))
"""
MANIFEST = """\
name = "hello"
version = "0.1.0"
command = ["{python}", "agent.py", "{out}"]
include = ["agent.py"]
secrets = ["API_KEY"]
"""


class Agents:
    """Somebody with an app on a node, who runs its agent."""

    def __init__(self, folder: Path, node: Running, out: str) -> None:
        self.folder, self.shell = folder, Shell(folder, node)
        manifest = MANIFEST.format(python=sys.executable, out=folder / out)
        app_folder(folder / "app", {"keymoot.toml": manifest, "agent.py": AGENT})
        self.shell.write("password", "correct horse\n")
        secret = ["--password-file", "password"]
        owner = ["--owner", "owner.json", *secret]
        self.shell.json("key", "new", "owner.json", *secret)
        self.app = self.shell.json("app", "create", "app", *owner)["app"]
        self.shell.write("secrets.env", "API_KEY=hush-hush\n")
        (folder / "secrets.env").chmod(0o600)
        self.shell.json("app", "deploy", "app", "--secrets", "secrets.env", *owner)

    def command(self, *more: str) -> list[str]:
        socket = str(self.folder / "rofl.sock")
        return [sys.executable, "-m", "keymoot.cli", "agent", "run", "--socket", socket, *more]

    def run(self, *more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*more),
            env=self.shell.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )


def test_an_agent_of_a_folder_runs_with_what_its_app_may_have(
    tmp_path: Path, node: Running
) -> None:
    agents = Agents(tmp_path, node, "found.json")
    done = agents.run("--app", "app")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["app"] == [200, agents.app]
    status, key = found["key"]
    assert (status, len(json.loads(key)["key"])) == (200, 64)
    assert found["secret"] == "hush-hush"
    assert found["here"] == ["agent.py"]
    assert found["names"] == ["KEYMOOT_SOCKET"]
    assert "hush" not in done.stderr + done.stdout
    assert json.loads(key)["key"] not in done.stderr + done.stdout
    assert "SIMULATED" in done.stderr
    assert not (tmp_path / "rofl.sock").exists()
    assert not (tmp_path / "dstack.sock").exists()
    # the same key for another instance, by the app's id and a command of its own
    (tmp_path / "found.json").unlink()
    measured = agents.shell.json("app", "show", "app")["measurements"][0]
    more = ["--app", agents.app, "--measurement", measured, "--", sys.executable, "app/agent.py"]
    assert agents.run(*more, str(tmp_path / "found.json")).returncode == 0
    assert json.loads((tmp_path / "found.json").read_text())["key"][1] == key


def test_code_that_the_app_does_not_admit_is_not_run(tmp_path: Path, node: Running) -> None:
    agents = Agents(tmp_path, node, "found.json")
    (tmp_path / "app" / "agent.py").write_text("print('another')")
    done = agents.run("--app", "app")
    assert done.returncode == 1
    assert "runs other code" in done.stderr
    assert not (tmp_path / "found.json").exists()


def test_a_signal_ends_agent_and_daemon(tmp_path: Path, node: Running) -> None:
    agents = Agents(tmp_path, node, "found.json")
    code = "import pathlib,sys,time;print('up',flush=True);time.sleep(900)"
    command = agents.command("--app", "app", "--", sys.executable, "-c", code)
    process = subprocess.Popen(
        command, env=agents.shell.environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert (tmp_path / "rofl.sock").exists()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM
    process.stdout.close()
    assert not (tmp_path / "rofl.sock").exists()


def test_a_copy_of_all_that_a_daemon_has_on_disk_is_no_instance(
    tmp_path: Path, node: Running
) -> None:
    agents = Agents(tmp_path, node, "unused")
    out, temporary = tmp_path / "found.json", tmp_path / "temporary"
    temporary.mkdir()
    environment = agents.shell.environment | {"TMPDIR": str(temporary)}
    before = files_under(tmp_path)
    waits = AGENT + "print('up', flush=True); import time; time.sleep(900)"
    command = agents.command("--app", "app", "--", sys.executable, "-c", waits, str(out))
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    now = files_under(tmp_path)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM
    process.stdout.close()
    # The daemon has put down the bundle, which anybody can build, and the newest block that it saw.
    said = now.pop(out)
    (bundled,) = now.keys() - before.keys()
    assert bundled.parent.parent == temporary
    assert now.pop(bundled) == AGENT.encode()
    changed = {path for path, content in now.items() if content != before[path]}
    assert {path.parent.name for path in changed} == {"seen"}
    # The key that the agent was given, and wrote down itself, is nowhere else.
    key = json.loads(json.loads(said)["key"][1])["key"]
    assert key.encode() in said
    assert not [
        path for path, held in now.items() if key.encode() in held or bytes.fromhex(key) in held
    ]
    # After its end the bundle is gone too.
    assert files_under(tmp_path).keys() == {*before, out}


def files_under(folder: Path) -> dict[Path, bytes]:
    """Give what files a copy of a folder has; a socket holds nothing."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_cannot_be_is_said_with_what_to_do(
    tmp_path: Path, node: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This process, which others trace, is no daemon.
    monkeypatch.setattr(harden, "forbid_dumps", lambda: None)
    shell = Shell(tmp_path, node)
    said = shell.run("agent", "run", "--app", "rofl1nonsense", "--", "x")
    assert (said.returncode, "error:" in said.stderr) == (1, True)
    said = shell.run("agent", "run", "--app", "nowhere", "--", "x")
    assert "keymoot app init" in said.stderr
    said = shell.run("agent", "run", "--user", "nobody-at-all", "--", "x")
    assert "no user" in said.stderr
    assert Sockets.at(None) == Sockets()
    assert str(Sockets().dstack) == "/var/run/dstack.sock"

    # a wallet that nobody knows is said before anything is spent
    app = AppId(b"\0" + b"a" * 20).text
    wish = ("--measurement", "0x" + "00" * 48, "--wallet", "nobody", "--", "true")
    said = shell.run("agent", "run", "--app", app, *wish)
    assert 'no wallet "nobody" is known' in said.stderr
    assert "faucet" not in said.stderr
