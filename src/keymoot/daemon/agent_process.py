"""The agent's process itself: started, told, and waited for, as its keeper says.

One thread has the keeper; the others, and signals, put events into its queue.
"""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keymoot.base.errors import Refused
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
    Start,
    TimeCame,
    Told,
)

FORWARDED: Final = (*sorted(STOPPING), signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""Signals that reach the agent through us."""

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

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it in a process group of its own.

        Raises:
            CommandNotFound: there is no such program, or it is none.
        """
        other = None if self.user is None else ()
        try:
            return subprocess.Popen(  # noqa: S603  what is run is the owner's word
                list(self.command),
                env=dict(self.variables()),
                process_group=0,
                user=self.user,
                group=self.group,
                extra_groups=other,
                cwd=self.folder,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no command"
            raise CommandNotFound(
                f"{self.command[0]} cannot be started ({why}): name a program behind --"
            ) from error


@dataclass(slots=True)
class AgentProcess:
    """Keeps a program running until it is done, or we are told to stop."""

    program: AgentProgram
    note: Note
    now: Callable[[], float] = time.monotonic
    _events: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue)
    _process: "subprocess.Popen[bytes] | None" = None

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
        if isinstance(command, Start):
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
        except Refused as error:
            if first:
                raise
            self.note(f"error: {error}")
            self._events.put(Ended(127))
            return

        def wait() -> None:
            self._events.put(Ended(process.wait()))

        threading.Thread(target=wait, name="agent", daemon=True).start()
