"""Where an enclave does its long arithmetic: one thread beside the one that answers.

The curve libraries release the interpreter's lock, so votes and shares are not held up by
a batch of presignatures.
"""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from keymoot.base.secret import Secret
from keymoot.committee.task import Message, SeatTask
from keymoot.threshold.rng import SEED_BYTES, SeededRng

NICENESS = 10
"""How far the worker stands back behind threads that answer, of any process."""

Report = Callable[[SeatTask, list[Message]], None]


class Worker:
    """Runs tasks in the order in which they came."""

    def __init__(self, report: Report) -> None:
        """Begin; `report` is called in the worker's thread with what each task says."""
        self._report = report
        self._queue: SimpleQueue[SeatTask | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="worker")
        self._thread.start()
        self.failures = 0
        """Duties that ended with an error: they say nothing, and the others go on."""

    def do(self, tasks: list[SeatTask]) -> None:
        for task in tasks:
            self._queue.put(task)

    def close(self) -> None:
        """End after what is queued."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        # On Linux each thread has a priority of its own: whoever answers goes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while True:
            task = self._queue.get()
            if task is None:
                return
            try:
                said = task.run(SeededRng(Secret(os.urandom(SEED_BYTES))))
            except Exception:  # noqa: BLE001  a task over another's bad bytes must not end ours
                self.failures += 1
                said = []
            self._report(task, said)
