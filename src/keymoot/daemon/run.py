"""`keymoot agent run`: sockets, registration and the agent's process, until it is done."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.shown import shown
from keymoot.base.units import UnixSeconds
from keymoot.daemon.agent_process import FORWARDED, AgentProcess, AgentProgram
from keymoot.daemon.attended import AttendedInstance
from keymoot.daemon.dstack_api import DstackApi, DstackGuest
from keymoot.daemon.environment import environment
from keymoot.daemon.event_log import EventLog
from keymoot.daemon.instance_metadata import InstanceMetadata
from keymoot.daemon.own_api import OwnApi
from keymoot.daemon.port import RegisteredInstance
from keymoot.daemon.registrar import Registrar
from keymoot.daemon.rofl_api import RoflApi
from keymoot.daemon.router import Router
from keymoot.daemon.socket_server import SocketServer
from keymoot.daemon.tappd_api import TappdApi

ROFL_SOCKET, DSTACK_SOCKET = Path("/run/rofl-appd.sock"), Path("/var/run/dstack.sock")

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where the daemon answers; both places answer everything."""

    rofl: Path = ROFL_SOCKET
    dstack: Path = DSTACK_SOCKET

    @classmethod
    def at(cls, path: Path | None) -> "Sockets":
        """Give the usual places, or one that was named and dstack's beside it."""
        return (
            cls()
            if path is None
            else cls(path.absolute(), path.absolute().with_name("dstack.sock"))
        )


class Daemon:
    """One instance's servers, registration and metadata."""

    def __init__(self, instance: RegisteredInstance, note: Note, user: int | None = None) -> None:
        """Take the instance, whoever is told what happens, and the user who may ask."""
        self.note = note
        self.metadata = InstanceMetadata(self._registered_anew)
        self.registrar = Registrar(instance, self.metadata.entries, note)
        self.instance = instance = AttendedInstance(instance, self.registrar)
        log = EventLog(extends=instance.identity.simulated)
        guest = DstackGuest(instance, log, lambda: UnixSeconds(int(time.time())))
        self.router = Router(
            RoflApi(instance, self.metadata).routes(),
            DstackApi(guest).routes(),
            TappdApi(guest).routes(),
            OwnApi(instance, self.registrar).routes(),
        )
        owner = os.geteuid() if user is None else user
        self.server = SocketServer(self.router.answer, owner, self._failed)

    @contextmanager
    def serving(self, sockets: Sockets, group: int = -1) -> Iterator[None]:
        """Serve both sockets, and renew; the sockets are gone after."""
        try:
            for path in dict.fromkeys((sockets.rofl, sockets.dstack)):
                self.server.open(path, group)
            self.registrar.start()
            yield
        finally:
            self.registrar.stop()
            self.server.close()

    def _registered_anew(self, entries: Mapping[str, bytes]) -> None:
        self.registrar.register(entries)

    def _failed(self, error: Exception) -> None:
        """Say where a defect arose, and nothing of what was in its hands."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        self.note(f"a defect of ours, {type(error).__name__} at {place}: please report it")


def run(
    daemon: Daemon,
    program: AgentProgram,
    sockets: Sockets,
    note: Note,
) -> int:
    """Serve, renew, and keep the program; give the status to end with.

    Raises:
        NotCreatable, AlreadyServed, CommandNotFound: nothing was left behind.
    """
    process = AgentProcess(program, note)
    group = -1 if program.group is None else program.group
    with daemon.serving(sockets, group), _forwarding(process):
        identity = daemon.instance.identity
        until = time.strftime("%H:%M:%S", time.gmtime(daemon.registrar.expires_at))
        note(f"{identity.app.text}: instance {identity.key.hex0x} is registered until {until} UTC")
        note(f"serving {sockets.rofl} and {sockets.dstack}")
        return process.run()


def variables(
    daemon: Daemon, sockets: Sockets, inherited: Mapping[str, str], note: Note
) -> Callable[[], Mapping[str, str]]:
    """Give what the program finds at each start: secrets are read anew, for they change."""

    def made() -> Mapping[str, str]:
        opened = daemon.instance.secrets()
        for name in opened.closed:
            note(f'the secret "{shown(name)}" does not open: seal it to this app anew')
        given = environment(inherited, sockets.rofl, sockets.dstack, opened.values)
        for name in given.left_out:
            note(f'the secret "{shown(name)}" is left out: its name or value is none of a variable')
        return given.variables

    return made


@contextmanager
def _forwarding(process: AgentProcess) -> Iterator[None]:
    before = {}
    try:
        for number in FORWARDED:
            before[number] = signal.signal(number, lambda came, _: process.tell(came))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
