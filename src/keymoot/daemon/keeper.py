"""The agent's process, as a state machine: events in, commands out; no process, no clock.

    start ──→ running ──ended──→ waiting ──time──→ running …
                 │ 0: done          │
                 └─ told to stop ───┴──→ stopping ──→ done

It is started again where it fails, later each time; having run well for a minute it begins with the
shortest wait. A process that ends with 0 is done, and so are we.
"""

import signal
from dataclasses import dataclass
from typing import TypeAlias

from keymoot.daemon.backoff import Backoff

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
WELL_SECONDS = 60.0
"""Who ran so long has started well."""

GRACE_SECONDS = 10.0
"""From being told to stop to being killed."""

STOPPING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})


@dataclass(frozen=True, slots=True)
class Began:
    """The keeper's first event."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The process ended: its status, or minus the signal that ended it."""

    status: int


@dataclass(frozen=True, slots=True)
class Told:
    """A signal came to us."""

    number: int


@dataclass(frozen=True, slots=True)
class TimeCame:
    """The time for which `Keeper.wakes_at` asked has come."""


@dataclass(frozen=True, slots=True)
class StartProcess:
    """Start the process."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a signal to the process and its children."""

    number: int


@dataclass(frozen=True, slots=True)
class Restarting:
    """Tell whoever reads the log: it ended with this status, and is started so much later."""

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to keep; end with this status."""

    status: int


Event: TypeAlias = Began | Ended | Told | TimeCame
Command: TypeAlias = StartProcess | Send | Restarting | Done


class Keeper:
    """Keeps one process running.

    Attributes:
        wakes_at: When `TimeCame` is due; None: never.
    """

    def __init__(self) -> None:
        self.wakes_at: float | None = None
        self._backoff = Backoff(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        self._since: float | None = None
        """When the process was started; None: there is none."""
        self._stopped_by: int | None = None

    def handle(self, event: Event, now: float) -> list[Command]:
        """Give what is to be done of an event, at a time that never goes back."""
        if isinstance(event, Ended):
            return self._ended(event.status, now)
        if isinstance(event, Told):
            return self._told(event.number, now)
        if isinstance(event, TimeCame) and (self.wakes_at is None or now < self.wakes_at):
            return []
        if self._stopped_by is not None:
            self.wakes_at = None
            return [Send(signal.SIGKILL)]
        self.wakes_at, self._since = None, now
        return [StartProcess()]

    def _ended(self, status: int, now: float) -> list[Command]:
        ran = now - (self._since if self._since is not None else now)
        self._since = None
        if self._stopped_by is not None or status == 0:
            self.wakes_at = None
            return [Done(_shell_status(status))]
        well = self._backoff.succeeded() if ran >= WELL_SECONDS else self._backoff
        self._backoff = well.failed()
        self.wakes_at = now + self._backoff.seconds
        return [Restarting(status, self._backoff.seconds)]

    def _told(self, number: int, now: float) -> list[Command]:
        if number not in STOPPING:
            return [] if self._since is None else [Send(number)]
        again = self._stopped_by is not None
        self._stopped_by = number
        if self._since is None:
            self.wakes_at = None
            return [Done(128 + number)]
        if not again:
            self.wakes_at = now + GRACE_SECONDS
        return [Send(number)]


def _shell_status(status: int) -> int:
    """Say as shells do by which signal a process ended."""
    return 128 - status if status < 0 else status
