"""Keeps the instance registered: the thread that renews, and what everybody asks of it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keymoot.agent.errors import NetworkRefused
from keymoot.agent.submission import TransactionFailed
from keymoot.base.errors import KeymootError
from keymoot.base.units import UnixSeconds
from keymoot.daemon.port import Instance
from keymoot.daemon.renewal import Renewal

Note = Callable[[str], None]


@dataclass(slots=True)
class Registrar:
    """Registers an instance again and again.

    Attributes:
        entries: Gives the metadata that stand in the registration.
        note: Is told what changes.
        now: Seconds that pass, from any moment on.
    """

    instance: Instance
    entries: Callable[[], Mapping[str, bytes]]
    note: Note
    now: Callable[[], float] = time.monotonic
    _stop: threading.Event = field(default_factory=threading.Event)
    _renewal: Renewal = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _why: str = ""

    def __post_init__(self) -> None:
        self._renewal = self._taken(self.instance.expires_at)

    def _taken(self, expires_at: UnixSeconds) -> Renewal:
        return Renewal.of(expires_at, self.instance.counts_seconds, self.now())

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
            self._renewal = self._taken(self.instance.register(told))
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
        """Renew, and put up with what is refused, or with what breaks: it is tried again later."""
        try:
            self.register()
        except KeymootError as error:
            self._not_renewed(reason_of(error), str(error))
        except Exception as error:  # noqa: BLE001  a device's hiccup does not end the registration
            self._not_renewed(type(error).__name__, "a defect of ours: please report it")

    def _not_renewed(self, why: str, words: str) -> None:
        with self._lock:
            self._renewal = self._renewal.failed(self.now())
        # Said once: a network that is away for a night does not fill a log.
        if self._why != why:
            self._why = why
            self.note(f"the registration is not renewed ({why}): {words}")


def reason_of(error: KeymootError) -> str:
    """Give the contract's word for a refusal, where it was a contract's."""
    if isinstance(error, TransactionFailed):
        return error.reason
    if isinstance(error, NetworkRefused) and isinstance(error.data, dict):
        return str(error.data.get("code") or error.data.get("reason") or error.code)
    return error.code
