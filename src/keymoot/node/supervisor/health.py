"""How the enclave of a seat is: whether it answers, keeps ending, or cannot write."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from keymoot.base.errors import KeymootError
from keymoot.base.storage import CannotWrite
from keymoot.base.strict_json import Json
from keymoot.node.clock import Clock

SILENT_SECONDS = 10.0
"""How long a question may wait before its enclave counts as one that hangs."""

OFTEN, WITHIN_SECONDS = 3, 600
"""An enclave that ended so many times within so many seconds will not get well by itself."""

log = structlog.get_logger("keymoot.seats")


@dataclass
class Health:
    """What is known of one enclave's process; every change goes to the log once.

    Attributes:
        seat: Its seat.
        clock: The time of day.
        silent_since: When it was asked what it has not answered, in seconds since 1970; None while
            it answers.
        down_since: When its process ended, likewise; None while it runs.
        trouble: Why it does not start, or what it cannot write; empty where nothing is known.
    """

    seat: int
    clock: Clock
    silent_since: float | None = None
    down_since: float | None = None
    trouble: str = ""
    _ends: deque[float] = field(default_factory=deque)

    def observe(self, asked_at: float | None) -> None:
        """Learn when the oldest question was asked that has no answer, on the loop's clock."""
        waits = 0.0 if asked_at is None else _elapsed() - asked_at
        late = waits > SILENT_SECONDS
        if late and self.silent_since is None:
            self.silent_since = self._now() - waits
            log.error(
                "enclave.hangs",
                seat=self.seat,
                since=_date(self.silent_since),
                reason="its process runs and answers nothing: see what stopped it, or kill it",
            )
        elif not late and self.silent_since is not None:
            self.silent_since = None
            log.info("enclave.answers_again", seat=self.seat)

    def ended(self, status: int) -> None:
        log.warning("enclave.ended", seat=self.seat, status=status)
        self._is_down()

    def starts_not(self, error: Exception) -> None:
        """Learn why it does not start; said once, however often it is tried.

        It counts as an end.
        """
        self._is_down()
        if self.trouble != str(error):
            log.warning("enclave.does_not_start", seat=self.seat, reason=str(error))
        self.trouble = str(error)

    def started(self) -> None:
        self.down_since, self.trouble = None, ""
        log.info("enclave.started", seat=self.seat)

    def refused(self, error: KeymootError) -> None:
        """Learn what it said no with: that its disk takes nothing is a state of its own."""
        if error.code == CannotWrite.code:
            if self.trouble != str(error):
                log.error("enclave.cannot_write", seat=self.seat, reason=str(error))
            self.trouble = str(error)

    def well(self) -> None:
        """Learn that it did what it was asked, and wrote what it had to."""
        if self.trouble:
            self.trouble = ""
            log.info("enclave.writes_again", seat=self.seat)

    @property
    def ends(self) -> int:
        while self._ends and _elapsed() - self._ends[0] > WITHIN_SECONDS:
            self._ends.popleft()
        return len(self._ends)

    def to_json(self) -> dict[str, Json]:
        return {
            "silentSince": None if self.silent_since is None else int(self.silent_since),
            "downSince": None if self.down_since is None else int(self.down_since),
            "endedLately": self.ends,
            "trouble": self.trouble or None,
        }

    def _is_down(self) -> None:
        self.silent_since = None
        if self.down_since is None:
            self.down_since = self._now()
        self._ends.append(_elapsed())
        if self.ends == OFTEN:
            log.error(
                "enclave.keeps_ending",
                seat=self.seat,
                times=self.ends,
                seconds=WITHIN_SECONDS,
                reason="starting it again does not help: look at what it says above",
            )

    def _now(self) -> float:
        return self.clock() / 10**9


def _elapsed() -> float:
    return asyncio.get_running_loop().time()


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
