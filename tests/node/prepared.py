"""A node and its enclaves in processes that have imported everything before they begin.

Most of a real start goes to imports: a node's, and in each enclave the compilation of what it has
measured. Here one process has imported both, once for all tests of a worker: the node as Python
finds it, the enclave out of its measured bytes. Each node is forked from it, and has a process
from which each of its enclaves is forked; so they are its children, as they always are.

What no test sees here is what a start does before: reading, measuring and compiling code, Python's
options, and seeds of hashes that differ. Tests of these start a node as a person does.
"""

import asyncio
import ctypes
import json
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from subprocess import TimeoutExpired
from types import ModuleType
from typing import Any

from keymoot.enclave import boot, client
from keymoot.enclave.harden import die_with_parent
from keymoot.enclave.measurement import code_of, own_package

PREPARED = multiprocessing.get_context("forkserver")
"""Its server has imported what commands, nodes and enclaves import; no threads where it forks."""

PREPARED.set_forkserver_preload(
    [
        "keymoot.cli.main",
        "keymoot.agent.owner",
        "keymoot.agent.keystore",
        "keymoot.node.server",
        "tests.node.preparing",
    ]
)

NAME = "prepared"
"""What the process is called from which enclaves are forked: the one child that is none."""

Modules = dict[str, ModuleType]
_START = asyncio.create_subprocess_exec
_MAX_REQUEST_BYTES = 65_536
_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36


class Node:
    """A node's process, as `subprocess.Popen` has one."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        log: Path,
        variables: Mapping[str, str],
    ) -> None:
        """Start a module of that name as a program; what it says is added to `log`."""
        self._process = PREPARED.Process(
            target=_node, args=(module, arguments, log, variables), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise TimeoutExpired(["node"], timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)


@cache
def enclave_modules() -> tuple[boot.Code, boot.MeasuredFinder, Modules]:
    """Import the enclave from what is measured, beside what this process has of ours.

    The libraries are those that are there: an extension can be loaded once.
    """
    code = code_of(own_package())
    finder, ours = boot.MeasuredFinder(code), _take_out()
    sys.meta_path.insert(0, finder)
    try:
        import_module("keymoot.enclave.process")
        return code, finder, _take_out()
    finally:
        sys.meta_path.remove(finder)
        sys.modules.update(ours)


def _take_out() -> Modules:
    """Take our package out of what is imported."""
    names = [name for name in sys.modules if name.partition(".")[0] == boot.PACKAGE]
    return {name: sys.modules.pop(name) for name in names}


# -- in the node's process


def _node(module: str, arguments: Sequence[str], log: Path, variables: Mapping[str, str]) -> None:
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT):
        # As `env --default-signal=HUP,INT` does.
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number in (1, 2):
        os.dup2(said, number)
    os.close(said)
    os.environ.clear()
    os.environ.update(variables)
    _ask_kernel(_PR_SET_CHILD_SUBREAPER, 1)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    node = os.getpid()
    if not os.fork():
        ours.close()
        _end_with(partial(_serve, theirs, node))
    theirs.close()
    asyncio.create_subprocess_exec = _starting(ours)
    sys.argv = [module, *arguments]
    with open(1, "w", 1, closefd=False) as sys.stdout, open(2, "w", 1, closefd=False) as sys.stderr:
        runpy.run_module(module, run_name="__main__")


def _starting(asked: socket.socket) -> Any:
    """Give what starts a process, and has an enclave of our own code be forked instead."""
    beginning = (sys.executable, *client.COMMAND)

    async def start(*command: str, **options: Any) -> Any:
        if command[: len(beginning)] != beginning:
            return await _START(*command, **options)
        answer, theirs = socket.socketpair()
        arguments = command[len(beginning) :]
        # Its own end of the reads' channel is a number among the arguments.
        (reads,) = options["pass_fds"]
        at = arguments.index(str(reads))
        request = json.dumps([arguments[:at], arguments[at + 1 :]]).encode()
        with answer, theirs:
            socket.send_fds(asked, [request], [options["stdin"], reads, theirs.fileno()])
            theirs.close()
            said = answer.recv(20)
        if not said:
            raise ChildProcessError("an enclave could not be forked")
        return Child(int(said))

    return start


class Child:
    """A forked process, as `asyncio.subprocess.Process` has one."""

    def __init__(self, pid: int) -> None:
        """Look after a child of this process."""
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._seen = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._seen, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._seen)
        os.close(self._seen)
        self.ended.set_result(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]))

    def kill(self) -> None:
        if self.ended.done():
            raise ProcessLookupError
        os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)


# -- in the process from which enclaves are forked


def _serve(asked: socket.socket, node: int) -> None:
    """Fork an enclave for each request, until the node has ended."""
    die_with_parent()
    _ask_kernel(_PR_SET_NAME, NAME.encode())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code, finder, modules = enclave_modules()
    _take_out()
    sys.modules.update(modules)
    sys.meta_path.insert(0, finder)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    _close_all_but(asked.fileno())
    while True:
        request, handed, _, _ = socket.recv_fds(asked, _MAX_REQUEST_BYTES, 3)
        if not request:
            return
        between = os.fork()
        if not between:
            # Who ends between is no parent: the node becomes it, which adopts its orphans.
            if not os.fork():
                _end_with(partial(_enclave, code, handed, request, node))
            os._exit(0)
        os.waitpid(between, 0)
        for number in handed:
            os.close(number)


def _enclave(code: boot.Code, handed: Sequence[int], request: bytes, node: int) -> int:
    channel, reads, answer = handed
    while os.getppid() != node:
        time.sleep(0.001)
    _ask_kernel(_PR_SET_NAME, b"enclave")
    os.write(answer, str(os.getpid()).encode())
    os.dup2(channel, 0)
    _close_all_but(reads)
    os.environ.clear()
    before, after = json.loads(request)
    sys.argv = [client.BOOT, *before, str(reads), *after]
    return int(import_module("keymoot.enclave.process").main(code))


def _end_with(work: Any) -> None:
    """Do what a process is forked for, and nothing after."""
    status = 1
    try:
        status = work() or 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _close_all_but(*kept: int) -> None:
    for each in Path("/proc/self/fd").iterdir():
        number = int(each.name)
        if number > 2 and number not in kept:
            with suppress(OSError):  # the listing's own is closed
                os.close(number)


def _ask_kernel(option: int, value: int | bytes) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")
