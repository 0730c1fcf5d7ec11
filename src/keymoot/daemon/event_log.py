"""Events that an agent adds to its instance's log, as dstack's guest extends RTMR3 by them.

The log is dstack's JSON, which `keymoot.attest.eventlog` reads and replays. On SIMULATED machines
the register is a number in this process; on real ones this daemon extends none, and refuses:
dstack itself has given the call up.
"""

import threading
from hashlib import sha384

from keymoot.attest.eventlog import DIGEST_BYTES, LoggedEvent, replay
from keymoot.daemon.errors import NotServed

REGISTER = 3
KIND = 0x08000001
"""Type of events that dstack's guest adds at run time."""

MAX_EVENTS = 256
MAX_NAME_BYTES, MAX_PAYLOAD_BYTES = 256, 4_096


class EventLog:
    """The log of one start, from empty."""

    def __init__(self, *, extends: bool) -> None:
        """Take whether there is a register to extend: SIMULATED machines have one here."""
        self._extends, self._events = extends, list[LoggedEvent]()
        self._lock = threading.Lock()

    def add(self, name: str, payload: bytes) -> None:
        """Extend the register by an event.

        Raises:
            NotServed: there is no register, or the log is full.
        """
        if not self._extends:
            raise NotServed(
                "this machine's registers are not extended by agents: bind your own data by the "
                "report data of a quote"
            )
        parts = (KIND.to_bytes(4, "little"), name.encode(), payload)
        event = LoggedEvent(REGISTER, KIND, sha384(b":".join(parts)).digest(), name, payload)
        with self._lock:
            if len(self._events) >= MAX_EVENTS:
                raise NotServed(f"a log has at most {MAX_EVENTS} events")
            self._events.append(event)

    def registers(self) -> list[str]:
        """Give RTMR0 to RTMR3 in hex."""
        replayed = replay(self._events)
        return [replayed.get(number, bytes(DIGEST_BYTES)).hex() for number in range(REGISTER + 1)]

    def to_json(self) -> list[dict[str, str | int]]:
        return [
            {
                "imr": event.register,
                "event_type": event.kind,
                "digest": event.digest.hex(),
                "event": event.name,
                "event_payload": event.data.hex(),
            }
            for event in tuple(self._events)
        ]
