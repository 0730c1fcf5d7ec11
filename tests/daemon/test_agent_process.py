"""A real process under its keeper: started, restarted, told, and killed; and what leaks of it."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from keymoot.base.secret import Secret
from keymoot.daemon import guard
from keymoot.daemon import keeper as rules
from keymoot.daemon.agent_process import AgentProcess, AgentProgram
from keymoot.daemon.errors import CommandNotFound
from keymoot.daemon.port import OpenedSecrets
from keymoot.daemon.run import Daemon, Sockets, run, variables
from tests.daemon.instance import MemoryInstance

PATIENCE_SECONDS = 240


def program(code: str, *arguments: str, found=None) -> AgentProgram:
    command = (sys.executable, "-c", code, *arguments)
    return AgentProgram(command, lambda: found or dict(os.environ))


def until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def in_thread(process: AgentProcess):
    """Keep it in a thread; give what waits for its status."""
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(process.run()), daemon=True)
    thread.start()

    def ended():
        thread.join(PATIENCE_SECONDS)
        return status[0]

    return ended


def test_its_end_is_ours():
    said = []
    assert AgentProcess(program("pass"), said.append).run() == 0
    assert said == []


def test_what_fails_is_started_again_until_it_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(rules, "LONGEST_WAIT_SECONDS", 0.02)
    code = "import sys,pathlib;f=pathlib.Path(sys.argv[1]);n=len(f.read_text());"
    code += "f.write_text('x'*(n+1));sys.exit(3 if n<2 else 0)"
    file, said = tmp_path / "runs", []
    file.write_text("")
    assert AgentProcess(program(code, str(file)), said.append).run() == 0
    assert file.read_text() == "xxx"
    assert [one.split(":")[0] for one in said] == ["the agent ended with 3"] * 2


READY = "import pathlib,sys,signal,time;"
WAITS = "pathlib.Path(sys.argv[1]).write_text('x');time.sleep(900)"


def test_a_signal_reaches_it(tmp_path):
    code = READY + "signal.signal(15, lambda *a: sys.exit(7));" + WAITS
    process = AgentProcess(program(code, str(tmp_path / "up")), print)
    ended = in_thread(process)
    until((tmp_path / "up").exists)
    process.tell(signal.SIGTERM)
    assert ended() == 7


def test_who_does_not_stop_is_killed_with_his_children(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "GRACE_SECONDS", 0.05)
    child = f"import subprocess;c=subprocess.Popen([{sys.executable!r},'-c','import time;time.sleep(900)']);"
    code = READY + "signal.signal(15, signal.SIG_IGN);" + child
    code += "pathlib.Path(sys.argv[1]+'p').write_text(str(c.pid));" + WAITS
    process = AgentProcess(program(code, str(tmp_path / "up")), print)
    ended = in_thread(process)
    until((tmp_path / "up").exists)
    pid = int((tmp_path / "upp").read_text())
    process.tell(signal.SIGTERM)
    assert ended() == 137
    until(lambda: gone(pid))


GRANDCHILD = (
    "import subprocess;c=subprocess.Popen([sys.executable,'-c','import time;time.sleep(900)'],"
    "start_new_session=True);pathlib.Path(sys.argv[1]+'c').write_text(str(c.pid));"
    "pathlib.Path(sys.argv[1]+'p').write_text(str(os.getpid()));"
)
"""Starts a process in a session of its own, out of reach of signals to the agent's group."""


def pids(up: Path) -> list[int]:
    return [int(Path(f"{up}{which}").read_text()) for which in "cp"]


def test_an_agent_does_not_outlive_its_daemon(tmp_path):
    """Nobody can catch SIGKILL, so it has to work without the daemon's doing."""
    up = tmp_path / "up"
    agent = "import os;" + READY + GRANDCHILD + "signal.signal(15, signal.SIG_IGN);" + WAITS
    keeping = (
        "import sys; from keymoot.daemon.agent_process import AgentProcess, AgentProgram;"
        "AgentProcess(AgentProgram(sys.argv[1:], dict), print).run()"
    )
    daemon = subprocess.Popen([sys.executable, "-c", keeping, sys.executable, "-c", agent, str(up)])
    until(up.exists)
    assert not any(gone(pid) for pid in pids(up))
    daemon.kill()
    daemon.wait()
    until(lambda: all(gone(pid) for pid in pids(up)))


def test_an_agent_does_not_outlive_its_guard_and_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "FIRST_WAIT_SECONDS", 0.01)
    up, said = tmp_path / "up", []
    agent = "import os;" + READY + GRANDCHILD
    agent += "pathlib.Path(sys.argv[1]+'g').write_text(str(os.getppid()));" + WAITS
    process = AgentProcess(program(agent, str(up)), said.append)
    ended = in_thread(process)
    until(up.exists)
    orphan, first = pids(up)
    up.unlink()
    os.kill(int(Path(f"{up}g").read_text()), signal.SIGKILL)
    until(lambda: gone(first))
    until(up.exists)
    assert any("ended by signal 9" in line for line in said)
    # What the agent put out of its session's reach is ended by a guard alone.
    with suppress(ProcessLookupError):
        os.kill(orphan, signal.SIGKILL)
    process.tell(signal.SIGTERM)
    assert ended() == 128 + signal.SIGTERM


def test_what_an_agent_leaves_ends_with_it(tmp_path):
    up = tmp_path / "up"
    code = "import os;" + READY + GRANDCHILD
    assert AgentProcess(program(code, str(up)), print).run() == 0
    assert gone(pids(up)[0])


def test_a_guard_whose_daemon_is_gone_starts_nothing(tmp_path):
    ours, theirs = socket.socketpair()
    with theirs:
        order = guard.encode_order([b"touch", bytes(tmp_path / "up")], {}, None, None)
        ours.sendall(order[:-1])
        ours.close()
        line = (sys.executable, "-I", "-S", guard.__file__, str(theirs.fileno()))
        assert subprocess.run(line, pass_fds=[theirs.fileno()], check=False).returncode == 0
    assert not (tmp_path / "up").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run an agent as another user")
def test_as_another_user_it_dies_with_its_daemon_too():
    with tempfile.TemporaryDirectory() as folder:
        _as_another_user(Path(folder))


def _as_another_user(folder: Path) -> None:
    folder.chmod(0o777)
    up, nobody = folder / "up", 65_534
    keeping = (
        "import sys; from keymoot.daemon.agent_process import AgentProcess, AgentProgram;"
        f"AgentProcess(AgentProgram(sys.argv[1:], dict, {nobody}, {nobody}), print).run()"
    )
    script = (
        'echo $$ > "$0p"; sleep 900 & echo $! > "$0c"; id -u > "$0u"; id -G >> "$0u"; > "$0"; wait'
    )
    line = [sys.executable, "-c", keeping, "/bin/sh", "-c", script, str(up)]
    daemon = subprocess.Popen(line)
    until(up.exists)
    assert Path(f"{up}u").read_text().split() == [str(nobody)] * 2
    daemon.kill()
    daemon.wait()
    until(lambda: all(gone(pid) for pid in pids(up)))


def test_the_guard_has_nothing_of_the_daemons_environment(tmp_path, monkeypatch):
    """Whoever runs as its user reads it; of the daemon he cannot."""
    monkeypatch.setenv("KEYMOOT_CREDENTIAL", "hush")
    code = READY + "import os;"
    code += "told=pathlib.Path(f'/proc/{os.getppid()}/environ').read_bytes();"
    code += "pathlib.Path(sys.argv[1]).write_bytes(told)"
    found = {"PATH": os.environ["PATH"], "API_KEY": "hush"}
    assert AgentProcess(program(code, str(tmp_path / "told"), found=found), print).run() == 0
    assert b"hush" not in (tmp_path / "told").read_bytes()


def test_an_agent_has_no_file_of_its_guards(tmp_path):
    """It could say there that it has ended."""
    code = READY + "import os;"
    code += "told=[n for n in range(3, 99) if os.path.islink(f'/proc/self/fd/{n}')];"
    code += "pathlib.Path(sys.argv[1]).write_text(repr(told))"
    assert AgentProcess(program(code, str(tmp_path / "told")), print).run() == 0
    assert (tmp_path / "told").read_text() == "[]"


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("command", [["/nowhere/agent"], ["a\0b"], ["/"]])
def test_what_cannot_be_started_says_so(command):
    with pytest.raises(CommandNotFound, match="name a program"):
        AgentProcess(AgentProgram(command, dict), print).run()


def test_a_program_that_is_gone_later_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(rules, "FIRST_WAIT_SECONDS", 0.01)
    file, said = tmp_path / "agent", []
    file.write_text(f"#!{sys.executable}\nimport os;os.remove({str(file)!r});raise SystemExit(1)")
    file.chmod(0o700)
    process = AgentProcess(AgentProgram([str(file)], lambda: dict(os.environ)), said.append)
    ended = in_thread(process)
    until(lambda: any("cannot be started" in one for one in said))
    process.tell(signal.SIGTERM)
    assert ended() == 128 + signal.SIGTERM


def test_a_secret_reaches_the_agent_and_nobody_else(tmp_path, capfd):
    """It is in the process's environment, and in no argument, log, error or file."""
    instance, said = MemoryInstance(), []
    instance.opened = OpenedSecrets({"API_KEY": Secret(b"hush-hush")}, ("torn\n",))
    daemon, sockets = Daemon(instance, said.append), Sockets.at(tmp_path / "r.sock")
    code = (
        "import os,sys,hashlib,pathlib;"
        "told=hashlib.sha256(os.environ['API_KEY'].encode()).hexdigest();"
        "line=pathlib.Path('/proc/self/cmdline').read_bytes();"
        "up=os.path.exists(os.environ['KEYMOOT_SOCKET'])"
        " and os.path.exists(os.environ['DSTACK_SIMULATOR_ENDPOINT']);"
        "pathlib.Path(sys.argv[1]).write_text(told+str((b'hu'+b'sh') in line)+str(up))"
    )
    made = variables(daemon, sockets, {"PATH": os.environ["PATH"]}, said.append)
    agent = AgentProgram((sys.executable, "-c", code, str(tmp_path / "told")), made)
    assert "hush" not in repr(agent)
    assert run(daemon, agent, sockets, said.append) == 0
    hashed = hashlib.sha256(b"hush-hush").hexdigest()
    assert (tmp_path / "told").read_text() == hashed + "FalseTrue"
    captured = capfd.readouterr()
    assert "hush" not in "".join([*said, captured.out, captured.err])
    assert any("does not open" in one and "\n" not in one for one in said)
    assert [one.name for one in tmp_path.iterdir()] == ["told"]
    # nothing of it is in the daemon's reach of words, either
    with pytest.raises(CommandNotFound) as caught:
        AgentProgram(("/nowhere",), made).start()
    assert "hush" not in str(caught.value)


def test_signals_of_ours_are_forwarded_and_put_back(tmp_path):
    before = signal.getsignal(signal.SIGUSR1)
    daemon, sockets = Daemon(MemoryInstance(), print), Sockets.at(tmp_path / "r.sock")
    code = READY + "signal.signal(signal.SIGUSR1, lambda *a: sys.exit(0));" + WAITS
    agent = program(code, str(tmp_path / "up"))
    threading.Thread(
        target=lambda: (until((tmp_path / "up").exists), os.kill(os.getpid(), signal.SIGUSR1)),
        daemon=True,
    ).start()
    assert run(daemon, agent, sockets, lambda line: None) == 0
    assert signal.getsignal(signal.SIGUSR1) == before
