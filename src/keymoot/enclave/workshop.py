"""Where an enclave does its long arithmetic: one thread beside the one that answers.

The curve libraries release the interpreter's lock, so votes and shares are not held up by
a batch of presignatures.
"""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

from keymoot.base.secret import Secret
from keymoot.moot.duty import Duty, Message
from keymoot.threshold.dice import SEED_BYTES, Dice

NICENESS = 10
"""How far the workshop stands back behind threads that answer, of any process."""

Report = Callable[[Duty, list[Message]], None]


class Workshop:
    """Runs duties in the order in which they came."""

    def __init__(self, report: Report) -> None:
        """Begin; `report` is called in the workshop's thread with what each duty says."""
        self._report = report
        self._queue: SimpleQueue[Duty | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="workshop")
        self._thread.start()
        self.failures = 0
        """Duties that ended with an error: they say nothing, and the others go on."""

    def do(self, duties: list[Duty]) -> None:
        """Put duties at the end of the queue."""
        for duty in duties:
            self._queue.put(duty)

    def close(self) -> None:
        """End after what is queued."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        # On Linux each thread has a priority of its own: whoever answers goes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while True:
            duty = self._queue.get()
            if duty is None:
                return
            try:
                said = duty.run(Dice(Secret(os.urandom(SEED_BYTES))))
            except Exception:  # noqa: BLE001  a duty over another's bad bytes must not end ours
                self.failures += 1
                said = []
            self._report(duty, said)
