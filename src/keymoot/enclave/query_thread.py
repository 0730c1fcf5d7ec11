"""Where an enclave answers queries: one at a time, in a thread that makes way for blocks.

A query is pure Python, which keeps the interpreter for itself. So it stops wherever gas is
charged while there is a message to be answered, and rests as long as it runs, whether there is
one or not. The thread has the priority of the others: one that held the interpreter while the
machine let it wait would hold up who needs it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from keymoot.base.errors import Refused
from keymoot.enclave.queries import QueryStopped, Watch

MAX_WAITING = 2
"""Queries that wait here; a host asks one at a time anyway."""

QUERY_SECONDS = 4.0
"""How long one query may take, rests and waiting for blocks included."""

SLICE_SECONDS = 0.004
"""How long a query runs before it rests."""

REST_SECONDS = 0.004
"""How long it rests then."""

Work = Callable[[Watch], None]
"""Answers one query; what it is given it calls often."""


class QueriesWait(Refused, code="BUSY"):
    message = f"{MAX_WAITING} queries wait for this enclave already: ask again later"


class QueryThread:
    """Answers queries beside the thread that answers everything else."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Work] = SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        threading.Thread(target=self._run, daemon=True, name="sideline").start()

    @contextmanager
    def makes_way(self) -> Iterator[None]:
        """Have queries stand still meanwhile."""
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()

    def put(self, work: Work) -> None:
        """Answer a query after those that wait."""
        if self._queue.qsize() >= MAX_WAITING:
            raise QueriesWait
        self._queue.put(work)

    def _run(self) -> None:
        while True:
            self._queue.get()(_Watching(self._idle))


class _Watching:
    """Looks on as one query runs."""

    def __init__(self, idle: threading.Event) -> None:
        self._idle = idle
        self._end = time.monotonic() + QUERY_SECONDS
        self._slice = 0.0

    def __call__(self) -> None:
        """Wait until nobody else is to be answered; raise when time is up."""
        now = time.monotonic()
        if now >= self._slice:
            time.sleep(REST_SECONDS if self._slice else 0)
            now = time.monotonic()
            self._slice = now + SLICE_SECONDS
        if not self._idle.is_set():
            self._idle.wait(max(0.0, self._end - now))
            now = time.monotonic()
        if now >= self._end:
            raise QueryStopped(QUERY_SECONDS)
