"""Programs that people start by hand end with a line that says what to do: never a traceback."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.program import program, setting
from keymoot.agent.socket_account import SocketAccount
from keymoot.base.errors import Refused
from keymoot.image.starter import starter_files
from keymoot.policy.errors import PolicyRefused
from tests.agent.fake_network import FakeNetwork

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
NO_WALLET = "0x" + "00" * 32
NOWHERE = "http://127.0.0.1:1"
PAYEE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

RUN = """
import runpy, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
sys.argv = sys.argv[2:]
if sys.argv[0] == "-m":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program where some packages are not installed."""


def ran(
    *command: str, missing: str = "none_of_them", **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", RUN, missing, *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=kept | variables,
        timeout=PATIENCE_SECONDS,
    )


@pytest.mark.parametrize(
    ("command", "missing", "told"),
    [
        (["examples/agent.py", "0x01", "5"], "web3", "web3 is missing: pip install keymoot web3"),
        (["examples/agent.py", "0x01", "5"], "keymoot", "keymoot is missing: pip install keymoot"),
        (["examples/private_view.py"], "keymoot", "keymoot is missing: pip install keymoot"),
        (["examples/perps"], "hyperliquid", "hyperliquid is missing: pip install 'keymoot[node]' "),
        (["-m", "examples.yields"], "demo", "demo is missing: `make setup`"),
        (["examples/yields"], "demo", "demo is missing: `make setup`"),
        (["examples/yields/agent.py"], "eth_abi", "eth_abi is missing: pip install keymoot"),
    ],
)
def test_what_is_not_installed_is_named_with_what_to_install(
    command: list[str], missing: str, told: str
) -> None:
    done = ran(*command, missing=missing)
    assert (done.returncode, done.stdout) == (1, "")
    name, _, instead = told.partition(" ")
    assert re.match(rf"{name}[.a-z]* {re.escape(instead)}", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "variables", "status", "told"),
    [
        (["examples/agent.py"], {}, 2, "python examples/agent.py 0xRECIPIENT"),
        (["examples/agent.py", "0x01", "5"], {}, 1, "KEYMOOT_CREDENTIAL"),
        (["examples/private_view.py"], {}, 2, "python examples/private_view.py http"),
        (["examples/private_view.py", NOWHERE, "0x01"], {}, 1, "64 hex digits"),
        (["examples/private_view.py", NOWHERE, NO_WALLET], {}, 1, "`keymoot up`"),
        (["examples/private_view.py", "ftp://x", NO_WALLET], {}, 1, "KEYMOOT_URL"),
        (["examples/yields/agent.py"], {}, 1, "KEYMOOT_SOCKET is not set"),
        (
            ["examples/yields/agent.py"],
            {"KEYMOOT_SOCKET": "/nonexistent/s"},
            1,
            "`keymoot agent run",
        ),
    ],
)
def test_a_mistake_is_told_in_a_line(
    command: list[str], variables: dict[str, str], status: int, told: str
) -> None:
    done = ran(*command, **variables)
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (Refused("no room"), 1, "error: no room\n"),
        (PolicyRefused("too much", {"reason": "LIMIT_EXCEEDED"}), 3, "error: too much\n"),
        (KeyboardInterrupt(), 130, ""),
        (ConnectionRefusedError(111, "Connection refused"), 1, "error: Connection refused\n"),
        (OSError("HTTP Error 401"), 1, "error: HTTP Error 401\n"),
        (Refused("a\x1b[2Jb"), 1, "error: a\\u{1b}[2Jb\n"),
        (BrokenPipeError(), 1, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_program_raises_on_purpose_ends_it_quietly(
    error: BaseException, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, program():
        raise error
    assert ended.value.code == status
    assert capsys.readouterr().err == told


class Theirs(Exception):
    """What another's package raises on purpose."""


def test_what_anothers_package_raises_on_purpose_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, program(Theirs):
        raise Theirs("no such address", "0x01")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: no such address 0x01\n"
    with pytest.raises(Theirs), program():
        raise Theirs


@pytest.fixture(scope="module")
def credential(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("agent") / "yield.cred"
    replace(FakeNetwork().credential(), urls=(NOWHERE,)).save(path)
    return str(path)


@pytest.mark.parametrize(
    ("recipient", "rpc", "told"),
    [
        ("0x01", NOWHERE, "0x01"),
        ("0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1a1A1A1a1A1a1", NOWHERE, "checksum"),
        (PAYEE, NOWHERE, "Connection refused"),
        (PAYEE, "nonsense", "nonsense"),
    ],
)
def test_what_web3_finds_wrong_is_told_in_a_line(
    credential: str, recipient: str, rpc: str, told: str
) -> None:
    command = ["examples/agent.py", recipient, "5"]
    done = ran(*command, KEYMOOT_CREDENTIAL=credential, TARGET_RPC=rpc)
    assert (done.returncode, told in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), program():
        _ = 1 // 0
    with program():
        pass


def test_a_setting_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_RPC", "http://x")
    assert setting("TARGET_RPC", "the chain") == "http://x"
    monkeypatch.delenv("TARGET_RPC")
    with pytest.raises(Refused, match="TARGET_RPC is not set: the chain"):
        setting("TARGET_RPC", "the chain")


def test_an_account_without_its_daemon_says_how_to_start_one(tmp_path: Path) -> None:
    for path, why in [("", "KEYMOOT_SOCKET is not set"), (str(tmp_path / "no.sock"), "No such")]:
        with pytest.raises(NetworkUnreachable, match=why) as told:
            SocketAccount.connect("yield", socket=path)
        assert "`keymoot agent run" in str(told.value)
        assert "keymoot up" not in str(told.value)


@contextmanager
def daemon(path: Path, answer: bytes) -> Iterator[None]:
    """Answer on a socket as the daemon does, or not."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()

        def serve() -> None:
            while True:
                try:
                    way, _ = door.accept()
                except OSError:
                    return
                with way:
                    way.recv(65_536)
                    way.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    for name, content in starter_files("mine").items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def started(starter: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # Tests that run in the background ignore Ctrl-C; their agent does not.
        ["env", "--default-signal=INT", sys.executable, "-u", "agent.py"],
        cwd=starter,
        env={"PATH": os.environ["PATH"]} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_first_agent_ends_quietly_on_ctrl_c(starter: Path) -> None:
    path = starter / "s"
    with daemon(path, b"HTTP/1.1 200 OK\r\n\r\nrofl1mine"):
        process = started(starter, KEYMOOT_SOCKET=str(path))
        assert process.stdout is not None
        assert process.stdout.readline() == "I am rofl1mine\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (130, "")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "keymoot agent run"),
        (b"", "nothing"),
        (b"HTTP/1.1 503 Busy\r\n\r\nwait a moment", "503: wait a moment"),
    ],
)
def test_the_first_agent_says_what_is_wrong_with_its_daemon(
    starter: Path, answer: bytes | None, told: str
) -> None:
    path = starter / "s"
    if answer is None:
        done = started(starter, KEYMOOT_SOCKET=str(path)).communicate(timeout=PATIENCE_SECONDS)
        unset = started(starter).communicate(timeout=PATIENCE_SECONDS)
        assert "KEYMOOT_SOCKET" in unset[1]
        assert told in unset[1]
    else:
        with daemon(path, answer):
            done = started(starter, KEYMOOT_SOCKET=str(path)).communicate(timeout=PATIENCE_SECONDS)
    assert told in done[1]
    assert "Traceback" not in done[1]
    assert done[0] == ""
