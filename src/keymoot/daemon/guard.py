"""Stands between the daemon and its agent, so that no agent outlives its daemon.

A program of its own, run by path with Python's standard library alone: it starts at once and
has nothing of the daemon's in memory or environment. Over one socket comes the order, and go two
lines of JSON: `{"started": PID}` or `{"error": "…"}`, and later `{"ended": STATUS}`, minus the
signal if one ended it.

    daemon ──socket── guard ──parent of── agent ── whatever the agent starts

* The daemon ends, however: the socket closes, and all of them are killed.
* The guard ends, however: the kernel kills the agent (PR_SET_PDEATHSIG).
* The agent ends: what it left is killed, also where it went into a session of its own, for
  orphans become the guard's children (PR_SET_CHILD_SUBREAPER).

Linux; elsewhere the agent's process group is all that is killed.
"""

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LENGTH_BYTES = 4
"""Before the order: how long it is, big-endian."""

MAX_ORDER_BYTES = 1 << 26

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
         signal.SIGUSR2)  # fmt: skip
"""Signals that are the agent's affair: the guard ends when the daemon or the agent does."""

_NOT_STARTED = 127
_PAUSE_SECONDS = 0.01


def encode_order(
    command: list[bytes], variables: dict[bytes, bytes], user: int | None, group: int | None
) -> bytes:
    """Write what to start: a program and its arguments, its environment, and as whom."""
    order = {
        "command": [word.decode("latin-1") for word in command],
        "variables": {
            name.decode("latin-1"): value.decode("latin-1") for name, value in variables.items()
        },
        "user": user,
        "group": group,
    }
    raw = json.dumps(order).encode()
    return len(raw).to_bytes(LENGTH_BYTES, "big") + raw


def main(channel: socket.socket) -> None:
    """Start what is ordered, and be there until it has ended and nothing is left of it."""
    channel.set_inheritable(False)  # or the agent could say that it has ended
    for number in _OURS:
        signal.signal(number, signal.SIG_IGN)
    raw = _received(channel, int.from_bytes(_received(channel, LENGTH_BYTES), "big"))
    if not raw:
        return  # the daemon is gone already: nobody waits for an agent
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    agent, why = _started(json.loads(raw))
    if why:
        _tell(channel, {"error": why})
        return
    _tell(channel, {"started": agent})
    status, daemon = None, channel.fileno()
    while status is None:
        ready, _, _ = select.select([daemon, ended], [], [])
        if daemon in ready and not _heard(channel):
            break
        if ended in ready:
            os.read(ended, 4096)
            status = dict(_reaped()).get(agent)
    _end_all(agent)
    if status is not None:
        _tell(channel, {"ended": status})


def _received(channel: socket.socket, count: int) -> bytes:
    """Give so many bytes, or none where the other side is gone before."""
    received = b""
    while len(received) < count <= MAX_ORDER_BYTES:
        part = _heard(channel, count - len(received))
        if not part:
            return b""
        received += part
    return received


def _heard(channel: socket.socket, most: int = 4096) -> bytes:
    try:
        return channel.recv(most)
    except ConnectionError:
        return b""


def _tell(channel: socket.socket, told: dict[str, Any]) -> None:
    with suppress(OSError):
        channel.sendall(json.dumps(told).encode() + b"\n")


def _started(order: dict[str, Any]) -> tuple[int, str]:
    """Start the agent: give its process, or why there is none."""
    read, write = os.pipe()  # closed by what is executed
    guard = os.getpid()
    agent = os.fork()
    if not agent:
        _become(order, guard, write)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        why = answers.read().decode()
    if why:
        os.waitpid(agent, 0)
    return agent, why


def _become(order: dict[str, Any], guard: int, write: int) -> NoReturn:
    """Be the agent from here on; runs in its process."""
    try:
        os.setpgid(0, 0)
        if order["user"] is not None:
            os.setgroups([])
        if order["group"] is not None:
            os.setregid(order["group"], order["group"])
        if order["user"] is not None:
            os.setreuid(order["user"], order["user"])
        # After the user: the kernel forgets it when that changes.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(_NOT_STARTED)  # the guard ended before it was asked for
        signal.set_wakeup_fd(-1)
        for number in (*_OURS, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        command = [word.encode("latin-1") for word in order["command"]]
        variables = {
            name.encode("latin-1"): value.encode("latin-1")
            for name, value in order["variables"].items()
        }
        os.execvpe(command[0], command, variables)  # noqa: S606  the owner's word
    except OSError as error:
        os.write(write, (error.strerror or "it cannot be executed").encode())
    except BaseException:  # noqa: BLE001  whatever it is, the guard goes on in one process only
        os.write(write, b"it is no command")
    os._exit(_NOT_STARTED)


def _reaped() -> Iterator[tuple[int, int]]:
    """Take the children that have ended, and how: their status, or minus a signal."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            yield ended[0], os.waitstatus_to_exitcode(ended[1])


def _end_all(agent: int) -> None:
    """Kill the agent's group and everybody who descends from it, but who may not be killed."""
    _killed(os.killpg, agent)
    # Whose parent was killed is our child at the next look.
    while sum(_killed(os.kill, pid) for pid in _children()):
        time.sleep(_PAUSE_SECONDS)
        for _ in _reaped():
            pass


def _killed(send: Callable[[int, int], None], pid: int) -> bool:
    try:
        send(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _children() -> list[int]:
    """Give the processes whose parent is this one."""
    us, children = str(os.getpid()), []
    for entry in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if after_name[1] == us:
                children.append(int(entry.name))
    return children


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
