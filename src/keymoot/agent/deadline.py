"""HTTP that ends at a deadline, however slowly the other side opens, speaks or drips.

The standard library's timeouts are for each step: one byte in time keeps a connection alive for
ever, and a name with many addresses is tried for as long as each of them takes.
"""

import http.client
import io
import socket
import time
from typing import Any

MAX_ADDRESSES = 4
"""Addresses of one name that are tried."""


def left(deadline: float) -> float:
    """Give the seconds until a deadline of the monotonic clock.

    TimeoutError where there are none.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def connect(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Open a connection, TLS included, or raise OSError.

    Looking up the name is the system's, and takes as long as that takes.
    """

    def opened(address: tuple[str, int], *_: Any) -> socket.socket:
        addresses = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[:MAX_ADDRESSES]
        why: OSError = TimeoutError("timed out")
        for at, (family, kind, protocol, _name, where) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                # One that is silent leaves the others their part.
                sock.settimeout(left(deadline) / (len(addresses) - at))
                sock.connect(where)
                sock.settimeout(left(deadline))
            except OSError as error:
                sock.close()
                why = error
            else:
                return sock
        raise why

    connection._create_connection = opened  # type: ignore[attr-defined]  # noqa: SLF001
    connection.connect()


class _Until(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = sock.makefile("rb", 0), sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """A response that is there, whole, at a deadline, or is none."""

    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Until(sock, deadline))
