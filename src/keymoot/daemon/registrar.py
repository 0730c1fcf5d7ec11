"""Keeps the instance registered: the thread that renews, and what everybody asks of it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keymoot.agent.errors import NetworkRefused
from keymoot.agent.submission import TransactionFailed
from keymoot.base.errors import KeymootError
from keymoot.base.units import UnixSeconds
from keymoot.daemon.port import RegisteredInstance
from keymoot.daemon.renewal import Renewal

Note = Callable[[str], None]


@dataclass(slots=True)
class Registrar:
    """Registers an instance again and again.

    Attributes:
        entries: Gives the metadata that stand in the registration.
        note: Is told what changes.
        now: Seconds since 1970.
    """

    instance: RegisteredInstance
    entries: Callable[[], Mapping[str, bytes]]
    note: Note
    now: Callable[[], float] = time.time
    _stop: threading.Event = field(default_factory=threading.Event)
    _renewal: Renewal = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _why: str = ""

    def __post_init__(self) -> None:
        self._renewal = Renewal.of(self.instance.expires_at, self.now())

    @property
    def expires_at(self) -> UnixSeconds:
        return self._renewal.expires_at

    def register(self, entries: Mapping[str, bytes] | None = None) -> None:
        """Register now, with these metadata or those that stand.

        Raises:
            TransactionFailed, NetworkRefused, and what else the network says.
        """
        with self._lock:
            told = self.entries() if entries is None else entries
            self._renewal = Renewal.of(self.instance.register(told), self.now())
            if self._why:
                self.note("registered again")
                self._why = ""

    def start(self) -> None:
        """Renew from now on, in a thread of its own."""
        threading.Thread(target=self._run, name="registrar", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(max(0.0, self._renewal.due_at - self.now())):
            self.tend()

    def tend(self) -> None:
        """Renew, and put up with what is refused: it is tried again later."""
        try:
            self.register()
        except KeymootError as error:
            with self._lock:
                self._renewal = self._renewal.failed(self.now())
            # Said once: a network that is away for a night does not fill a log.
            if self._why != (why := reason_of(error)):
                self._why = why
                self.note(f"the registration is not renewed ({why}): {error}")


def reason_of(error: KeymootError) -> str:
    """Give the contract's word for a refusal, where it was a contract's."""
    if isinstance(error, TransactionFailed):
        return error.reason
    if isinstance(error, NetworkRefused) and isinstance(error.data, dict):
        return str(error.data.get("code") or error.data.get("reason") or error.code)
    return error.code
