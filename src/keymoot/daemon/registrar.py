"""Keeps the instance registered: the thread that renews, and what everybody asks of it.

It looks now and then, and at once where something was refused, whether the instance still counts.
One that does not is registered again, later each time; one that was put out for ever goes on
under new keys.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from keymoot.agent.errors import NetworkRefused
from keymoot.agent.query import QueryReverted
from keymoot.agent.submission import TransactionFailed
from keymoot.base.errors import KeymootError
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.errors import InstanceEvicted, KeyTaken, RegistrationExpired
from keymoot.daemon.port import RegisteredInstance
from keymoot.daemon.renewal import Renewal
from keymoot.policy.errors import PolicyRefused

Note = Callable[[str], None]

LOOK_SECONDS = 30.0
"""Between two looks at a registration that nobody doubts."""

DOUBT_SECONDS = 2.0
"""Between two looks, however often we are refused."""

WANT_NEW_KEYS: Final = frozenset({InstanceEvicted.code, KeyTaken.code})
"""What no registration under the same keys mends."""


@dataclass(slots=True)
class Registrar:
    """Registers an instance again and again.

    Attributes:
        entries: Gives the metadata that stand in the registration.
        note: Is told what changes.
        now: Seconds that pass, from any moment on.
        out: The ledger's word for why the instance counts for nothing; empty while it counts.
    """

    instance: RegisteredInstance
    entries: Callable[[], Mapping[str, bytes]]
    note: Note
    now: Callable[[], float] = time.monotonic
    out: str = ""
    _wake: threading.Event = field(default_factory=threading.Event)
    _stopped: bool = False
    _renewal: Renewal = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _why: str = ""
    _looked_at: float = field(init=False)
    _look_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._renewal = Renewal.of(
            self.instance.expires_at, self.instance.counts_seconds, self.now()
        )
        self._looked_at = self.now()
        self._look_at = self._looked_at + LOOK_SECONDS

    @property
    def expires_at(self) -> UnixSeconds:
        return self._renewal.expires_at

    @property
    def tries_in_seconds(self) -> int:
        """Until the next attempt to register, rounded up."""
        return max(0, ceil(self._renewal.due_at - self.now()))

    def register(self, entries: Mapping[str, bytes] | None = None) -> None:
        """Register now, with these metadata or those that stand.

        Raises:
            TransactionFailed, NetworkRefused, and what else the network says.
        """
        with self._lock:
            told = self.entries() if entries is None else entries
            if self.out in WANT_NEW_KEYS:
                self.instance.begin_anew()
                self.out = "NOT_REGISTERED"
            made = self.instance.register(told)
            self._renewal = self._renewal.renewed(made, self.instance.counts_seconds, self.now())
            self.out = ""
            if self._why:
                self.note("registered again")
                self._why = ""

    def start(self) -> None:
        """Renew from now on, in a thread of its own."""
        threading.Thread(target=self._run, name="registrar", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def doubt(self) -> None:
        """Look soon, because something was refused."""
        self._look_at = min(self._look_at, self._looked_at + DOUBT_SECONDS)
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(max(0.0, min(self._renewal.due_at, self._look_at) - self.now()))
            self._wake.clear()
            if not self._stopped:
                self.step()

    def step(self) -> None:
        """Do what is due."""
        if self.now() >= self._look_at:
            self.look()
        if self.now() >= self._renewal.due_at:
            self.tend()

    def look(self) -> None:
        """See whether the instance counts, and register soon where it does not."""
        self._looked_at = self.now()
        self._look_at = self._looked_at + LOOK_SECONDS
        try:
            with self._lock:
                objection = self.instance.objection()
                lost, self.out = objection and not self.out, objection
                if lost:
                    self._renewal = self._renewal.failed(self.now())
        except Exception:  # noqa: BLE001  who does not answer has not put us out
            return
        if lost:
            self._say(objection, f"this instance counts for nothing now ({objection}): it is "
                      f"registered again as soon as the app's policy admits it")  # fmt: skip

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
            if why in WANT_NEW_KEYS or (self.now() > self._renewal.ends_at and not self.out):
                self.out = why if why in WANT_NEW_KEYS else RegistrationExpired.code
        self._say(why, f"the registration is not renewed ({why}): {words}")

    def _say(self, why: str, line: str) -> None:
        # Said once: a network that is away for a night does not fill a log.
        if self._why != why:
            self._why = why
            self.note(line)


def reason_of(error: KeymootError) -> str:
    """Give the contract's word for a refusal, where it was a contract's."""
    if isinstance(error, TransactionFailed):
        return error.reason
    if isinstance(error, NetworkRefused | PolicyRefused | QueryReverted):
        return error.reason or error.code
    return error.code
