"""`keymoot up`: run a node until it is told to stop."""

import asyncio
import faulthandler
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from pathlib import Path
from typing import TextIO, cast

import structlog
import uvicorn
import uvloop

from keymoot.base.errors import Defect, KeymootError, Refused
from keymoot.base.storage import CannotWrite
from keymoot.enclave.harden import forbid_dumps
from keymoot.engine.whereabouts import arose
from keymoot.gateway.app import create_app
from keymoot.gateway.door import Door, url_of
from keymoot.node.admin.control import Control
from keymoot.node.admin.progress import show_founding
from keymoot.node.admin.screen import Screen
from keymoot.node.admin.verbs import verbs_at_start, verbs_of
from keymoot.node.clock import system_clock
from keymoot.node.config import Config, lock_file
from keymoot.node.feed.local import launcher
from keymoot.node.supervisor.holder import FoundingEnded
from keymoot.node.tasks import background
from keymoot.node.wiring import Node, started

GRACE_SECONDS = 3
FOUNDING_TRIES = 3
"""How often a founding is begun, where an enclave ends before all have signed its record."""

CONTROL_AGAIN_SECONDS = 5.0
"""Pause before the control socket is tried again."""


class InUse(Refused, code="IN_USE"):
    """The data folder or the port is somebody else's."""


def serve(config: Config) -> int:
    """Run a node; give the exit status."""
    forbid_dumps()
    trace_crashes()
    _configure_log()
    with hold_folder(config.data), _listen(config) as channel:
        return uvloop.run(_run(config, channel))


def trace_crashes() -> None:
    """Have a crash say where it was: what is mapped and not there is a bus error, without words.

    Where this process's standard error is no file, as in a program that runs us, nothing says so.
    """
    with suppress(UnsupportedOperation, RuntimeError):
        faulthandler.enable()


async def _run(config: Config, channel: socket.socket) -> int:
    _say("starting the enclaves (SIMULATED: processes, their CPUs' fuses are files)")
    control = Control(config.data, verbs_at_start())
    async with background() as tasks:
        tasks.start(_listen_for(control))
        for left in reversed(range(FOUNDING_TRIES)):
            try:
                return await _live(config, control, channel)
            except FoundingEnded as error:
                if not left:
                    _say(f"stopped: {error}")
                    return 1
                _say(
                    f"the enclave of seat {error.seat} ended before the network was founded: the "
                    "founding begins anew, with another id"
                )
                control.verbs = verbs_at_start()
        raise Defect("a founding is tried at least once")


async def _live(config: Config, control: Control, channel: socket.socket) -> int:
    """Run a node from its enclaves' starts to their ends; give the exit status.

    After FoundingEnded its network may be begun anew: nobody has been told of it yet.
    """
    try:
        async with started(config, launcher(config), system_clock) as node:
            control.verbs = verbs_of(node.membership)
            await _serve(config, node, channel)
    except ExceptionGroup as broken:
        reasons = _leaves(broken)
        for error in reasons:
            if isinstance(error, FoundingEnded):
                raise error from None
        _say_why(reasons)
        return 1
    _say("stopped; nothing is lost, `keymoot up` continues here")
    return 0


async def _listen_for(control: Control) -> None:
    """Serve the socket in the data folder; where the disk does not take it, later."""
    log = structlog.get_logger("keymoot.node")
    told = ""
    while True:
        try:
            return await control.run()
        except OSError as error:
            if told != (told := str(CannotWrite("the control socket", error.errno))):
                log.warning("control.not_served", reason=told)
        await asyncio.sleep(CONTROL_AGAIN_SECONDS)


async def _serve(config: Config, node: Node, channel: socket.socket) -> None:
    """Answer requests until a signal asks to stop, or cancelled."""
    log, loop, stop = (
        structlog.get_logger("keymoot.node"),
        asyncio.get_running_loop(),
        asyncio.Event(),
    )
    server = _http(config, node)

    def ask_to_stop(number: signal.Signals) -> None:
        log.info("node.stops", signal=number.name)
        stop.set()
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What `nohup` has the terminal's end ignored for stays ignored.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ask_to_stop, number)
    async with background() as tasks:
        # The door opens when the committee has its keys: before that nobody could be served.
        founded = tasks.start(show_founding(node.membership, node.store, _say))
        asked = tasks.start(stop.wait())
        await asyncio.wait({founded, asked}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return
        _greet(config, node, channel)
        http = tasks.start(server.serve(sockets=[channel]))
        try:
            await asyncio.wait({http})
        finally:
            server.should_exit = True
            await asyncio.wait({http}, timeout=GRACE_SECONDS)


def _http(config: Config, node: Node) -> uvicorn.Server:
    log = structlog.get_logger("keymoot.gateway")

    def report(name: str, error: Exception) -> None:
        log.error("call.failed", method=name, error=type(error).__name__)

    settings = uvicorn.Config(
        create_app(node.services, report, Door(config.allow_hosts, config.allow_origins)),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )
    return _Server(settings)


class _Server(uvicorn.Server):
    """uvicorn, with signals left to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _greet(config: Config, node: Node, channel: socket.socket) -> None:
    host, port = channel.getsockname()[:2]
    ledger, committee = node.membership.ledger, node.membership.roster.committee
    _say(
        "",
        "  SIMULATED enclaves, unaudited: test funds only.",
        "  Whoever is root on this machine can read every key.",
        f"  {committee.size} enclaves keep the keys together; any {committee.ecdsa_degree + 1} "
        "broken ones could sign for a wallet.",
        "",
        f"  Keymoot RPC   {url_of(host, port)}",
        *_elsewhere(host),
        f"  network       {ledger.network.hex0x}",
        f"  chain id      {ledger.genesis.chain_id} (0x{ledger.genesis.chain_id:x})",
        f"  height        {ledger.height()}",
        f"  data          {config.data}",
        f"  fuse files    {config.fuse_of(1)} …",
        "",
        "  Next: keymoot wallet create NAME --owner owner.json   (Ctrl-C stops; nothing is lost)",
        "",
    )


def _elsewhere(host: str) -> list[str]:
    """Say how others reach a node that listens everywhere."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104  asked, not listened on
        return []
    return [
        "                and at this machine's other addresses; a name for it, or a web page",
        "                that may use it, needs --allow-host NAME, --allow-origin ORIGIN",
    ]


def _say_why(reasons: list[BaseException]) -> None:
    log = structlog.get_logger("keymoot.node")
    for error in reasons:
        log.error("node.stopped", error=type(error).__name__, reason=_public(error))
        _say(f"stopped: {_public(error)}")


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for exception in error.exceptions for leaf in _leaves(exception)]
    return [] if error is None else [error]


def _public(error: BaseException) -> str:
    """Give an error's words where they are ours; where not, its kind and where it arose.

    The words of others might hold what nobody should read.
    """
    if isinstance(error, KeymootError):
        return str(error)
    return f"a defect of ours, {arose(error)}: please report it"


@contextmanager
def hold_folder(data: Path) -> Iterator[None]:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(lock_file(data), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = "it is a file" if data.is_file() else error.strerror
        raise InUse(
            f"the data folder {data} cannot be used ({why}): choose another with --data"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InUse(
            f"another node runs on {data}: stop it, or choose another folder with --data"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _listen(config: Config) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle off on what it accepts.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as channel:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            channel.bind((config.host, config.port))
        except OSError as error:
            raise InUse(
                f"port {config.port} on {config.host} is taken or not ours ({error.strerror}): "
                "choose another with --port, or --port 0 for any free one"
            ) from error
        channel.listen(512)
        yield channel


def _configure_log() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Screen())),
    )


def _say(*lines: str) -> None:
    screen = Screen()
    for line in lines:
        screen.write(line + "\n")
