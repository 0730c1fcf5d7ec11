"""HTTP on a UNIX socket, for one user of this machine.

The socket has mode 0600 and belongs to the agent's user; who connects is asked of the kernel
(SO_PEERCRED), and anybody else is hung up on. A thread a connection, at most `MAX_CONNECTIONS`
on all sockets of a daemon; what is slow ends at a deadline. So whoever owns the socket can make
its own calls wait, and nothing else of the daemon's.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from keymoot.base.unix_socket import listening_at
from keymoot.daemon.errors import AlreadyServed, BadRequest, NotCreatable
from keymoot.daemon.http_request import HttpRequest, RequestReader
from keymoot.daemon.http_response import CONTINUE, HttpResponse

MAX_CONNECTIONS = 64
HEAD_SECONDS = 15.0
"""From a request's first byte to its last."""

IDLE_SECONDS = 75.0
"""How long a connection waits for its next request."""

SEND_SECONDS = 15.0
_PIECE = 16_384
_BACKLOG = 64
_MAX_PATH_BYTES = 107
"""Of a socket's path (unix(7))."""

_PEER = struct.Struct("iII")

Answer = Callable[[HttpRequest], HttpResponse]
Failed = Callable[[Exception], None]


class SocketServer:
    """Serves requests on some sockets, until it is closed."""

    def __init__(self, answer: Answer, user: int, failed: Failed) -> None:
        """Take what answers, the user who may ask, and who is told of our own defects."""
        self._answer, self._user, self._failed = answer, user, failed
        self._free = threading.Semaphore(MAX_CONNECTIONS)
        self._open: list[tuple[socket.socket, Path, int]] = []
        self._closing = False

    def open(self, path: Path, group: int = -1) -> None:
        """Make a socket there, and serve it from now on.

        Raises:
            AlreadyServed: another process does.
            NotCreatable: the folder is not there, or not ours to write to.
        """
        channel = listening(path, self._user, group)
        self._open.append((channel, path, path.stat().st_ino))
        threading.Thread(target=self._accept, args=(channel,), name="accept", daemon=True).start()

    def close(self) -> None:
        """Take no more connections; remove the sockets, where they are still ours."""
        self._closing = True
        for channel, path, inode in self._open:
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
            channel.close()
            with suppress(OSError):
                if path.lstat().st_ino == inode:
                    path.unlink()

    def _accept(self, channel: socket.socket) -> None:
        while not self._closing:
            try:
                connection, _ = channel.accept()
            except OSError:
                if self._closing:
                    return
                time.sleep(0.05)  # no file is free: one may be soon
                continue
            if not self._free.acquire(blocking=False):
                self._turn_away(connection)
                continue
            answering = threading.Thread(
                target=self._converse, args=(connection,), name="connection", daemon=True
            )
            try:
                answering.start()
            except RuntimeError:  # no thread is free: one may be soon
                self._free.release()
                connection.close()

    def _turn_away(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(0.2)
            busy = HttpResponse.text("too many connections: close some", 503)
            connection.sendall(busy.encode(stays=False))

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                if peer_of(connection) == self._user:
                    self._serve(connection)
        finally:
            self._free.release()

    def _serve(self, connection: socket.socket) -> None:
        reader = RequestReader()
        while not self._closing:
            try:
                request = _next(connection, reader)
            except BadRequest as error:
                response = HttpResponse.text(str(error), error.status)
                connection.sendall(response.encode(stays=False))
                return
            if request is None:
                return
            response = self._answered(request)
            connection.settimeout(SEND_SECONDS)
            connection.sendall(response.encode(stays=request.stays))
            if not request.stays:
                return

    def _answered(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001  one call's defect does not end the agent's socket
            self._failed(error)
            return HttpResponse.text("the daemon failed over this: see its log", 500)


def _next(connection: socket.socket, reader: RequestReader) -> HttpRequest | None:
    """Read one request; None where the other side has closed, or waited too long."""
    request = reader.give(b"")
    deadline = None if reader.empty else time.monotonic() + HEAD_SECONDS
    while request is None:
        left = IDLE_SECONDS if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise BadRequest("the request took too long", 408)
        connection.settimeout(left)
        try:
            piece = connection.recv(_PIECE)
        except TimeoutError:
            if deadline is None:
                return None
            continue
        if not piece:
            return None
        if deadline is None:
            deadline = time.monotonic() + HEAD_SECONDS
        request = reader.give(piece)
        if reader.continues:
            reader.continues = False
            connection.sendall(CONTINUE)
    return request


def peer_of(connection: socket.socket) -> int:
    """Give the user who has connected, by the kernel's word."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(raw)[1])


def listening(path: Path, user: int, group: int = -1) -> socket.socket:
    """Make a socket at a path, for a user alone; one that nobody serves is replaced."""
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise NotCreatable(f"{path} is too long for a socket: at most {_MAX_PATH_BYTES} bytes")
    _clear(path)
    owner = (user, group) if user != os.geteuid() else None
    try:
        return listening_at(path, _BACKLOG, owner)
    except OSError as error:
        raise NotCreatable(
            f"no socket can be made at {path} ({error.strerror}): make the folder writable for the "
            f"user who runs this, or name another place with --socket"
        ) from error


def _clear(path: Path) -> None:
    """Remove what a daemon left that was killed; anything else stays."""
    try:
        is_socket = path.is_socket()
    except OSError:
        return
    if not is_socket:
        if os.path.lexists(path):
            raise NotCreatable(f"{path} is there, and is no socket: remove it, or name another")
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with probe, suppress(ConnectionRefusedError, FileNotFoundError):
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (TimeoutError, BlockingIOError):
            pass
        except PermissionError as error:
            raise NotCreatable(f"{path} is another user's: name another with --socket") from error
        raise AlreadyServed(str(path))
