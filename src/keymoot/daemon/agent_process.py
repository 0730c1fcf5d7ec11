"""The agent's process itself: started, told, and waited for, as its keeper says.

One thread has the keeper; the others, and signals, put events into its queue. Between us and the
agent stands its guard, which kills it where we end without having told it.
"""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from keymoot.base.errors import KeymootError
from keymoot.daemon import guard
from keymoot.daemon.errors import CommandNotFound
from keymoot.daemon.keeper import (
    STOPPING,
    Began,
    Command,
    Done,
    Ended,
    Event,
    Keeper,
    Restarting,
    Send,
    StartProcess,
    TimeCame,
    Told,
)

FORWARDED: Final = (*sorted(STOPPING), signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""Signals that reach the agent through us."""

_GUARDS: Final = ("PATH", "LD_LIBRARY_PATH")
"""What the guard's interpreter may need to start."""

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AgentProgram:
    """What is run.

    Attributes:
        command: The program and its arguments, which the whole machine may read.
        variables: Its environment, asked for at each start; secret.
        user, group: Whom it runs as; None: as we do.
        folder: Where it begins; None: where we are.
    """

    command: Sequence[str]
    variables: Callable[[], Mapping[str, str]]
    user: int | None = None
    group: int | None = None
    folder: Path | None = None

    def start(self) -> "GuardedAgent":
        """Start it in a process group of its own, under a guard.

        Raises:
            CommandNotFound: there is no such program, or it is none.
        """
        order = guard.encode_order(
            [os.fsencode(word) for word in self.command],
            {os.fsencode(name): os.fsencode(value) for name, value in self.variables().items()},
            self.user,
            self.group,
        )
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603  our own program
                    [sys.executable, "-I", "-S", guard.__file__, str(theirs.fileno())],
                    # Not ours: whoever is the agent's user reads it.
                    env={name: os.environ[name] for name in _GUARDS if name in os.environ},
                    pass_fds=(theirs.fileno(),),
                    process_group=0,
                    cwd=self.folder,
                )
            except OSError as error:
                ours.close()
                raise self._not_started(error.strerror or "no process can be made") from error
        started = GuardedAgent(process, ours)
        why = started.begin(order)
        if why:
            started.wait()
            raise self._not_started(why)
        return started

    def _not_started(self, why: str) -> CommandNotFound:
        return CommandNotFound(
            f"{self.command[0]} cannot be started ({why}): name a program behind --"
        )


class GuardedAgent:
    """An agent that was started, and its guard.

    Attributes:
        pid: The agent's process, and its group's number.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", channel: socket.socket) -> None:
        self.pid = 0
        self._guard, self._channel = process, channel
        self._lines = channel.makefile("rb")

    def begin(self, order: bytes) -> str:
        """Hand over the order; give why nothing was started, or nothing."""
        with suppress(OSError):
            self._channel.sendall(order)
        told = self._told()
        self.pid = int(told.get("started", 0))
        return "" if self.pid else str(told.get("error", "its guard ended"))

    def wait(self) -> int:
        """Give how it ended: its status, or minus the signal that ended it."""
        status = self._told().get("ended")
        self._lines.close()
        self._channel.close()
        of_guard = self._guard.wait()
        # Where the guard was killed, the kernel killed the agent.
        return int(status) if status is not None else (of_guard or -signal.SIGKILL)

    def _told(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError:
            return {}
        return dict(json.loads(line)) if line else {}


@dataclass(slots=True)
class AgentProcess:
    """Keeps a program running until it is done, or we are told to stop."""

    program: AgentProgram
    note: Note
    now: Callable[[], float] = time.monotonic
    _events: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue)
    _process: GuardedAgent | None = None

    def tell(self, number: int) -> None:
        """Hand over a signal that came to us; may be called by a handler of signals."""
        self._events.put(Told(number))

    def run(self) -> int:
        """Keep it; give the status with which we end.

        Raises:
            CommandNotFound: at the first start.
        """
        keeper, first = Keeper(), True
        event: Event = Began()
        while True:
            for command in keeper.handle(event, self.now()):
                if isinstance(command, Done):
                    return command.status
                self._do(command, first=first)
                first = False
            event = self._next(keeper)

    def _next(self, keeper: Keeper) -> Event:
        if keeper.wakes_at is None:
            return self._events.get()
        try:
            return self._events.get(timeout=max(0.0, keeper.wakes_at - self.now()))
        except queue.Empty:
            return TimeCame()

    def _do(self, command: Command, *, first: bool) -> None:
        if isinstance(command, StartProcess):
            self._start(first=first)
        elif isinstance(command, Send) and self._process is not None:
            # Its children, too; one that has ended meanwhile is told by its end.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, command.number)
        elif isinstance(command, Restarting):
            how = f"by signal {-command.status}" if command.status < 0 else f"with {command.status}"
            self.note(f"the agent ended {how}: it is started again in {command.seconds:g} s")

    def _start(self, *, first: bool) -> None:
        try:
            self._process = process = self.program.start()
        except KeymootError as error:  # no program, or no secrets: the network is away, we are out
            if first:
                raise
            self.note(f"error: {error}")
            self._events.put(Ended(127))
            return

        def wait() -> None:
            self._events.put(Ended(process.wait()))

        threading.Thread(target=wait, name="agent", daemon=True).start()
