"""How whoever runs a node tells it something: a socket in its data folder.

One JSON object a line, one answer for each; a closed list of verbs. The socket has mode
0600 in a folder of mode 0700: nobody else on the machine can ask, and nobody over the network.

    {"verb": "network"}              → {"ok": true, "network": "0x…"}
    {"verb": "turn"}                 → {"ok": true}
    {"verb": "join"}                 → {"ok": true, "seat": 5}
    {"verb": "leave", "seat": 2}     → {"ok": true}
    anything refused                 → {"ok": false, "code": "…", "message": "…"}
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from keymoot.base.errors import KeymootError, Malformed, Refused
from keymoot.base.strict_json import Json, canonical, parse

FILE_NAME = "control"
MAX_LINE_BYTES = 4_096
ASK_SECONDS = 60.0
"""How long an answer may take: a new enclave has to start."""

Verb = Callable[[Mapping[str, Json]], Awaitable[dict[str, Json]]]


class NoNode(Refused):
    """No node runs on that folder."""

    code = "NO_NODE"

    def __init__(self, data: Path) -> None:
        """Say what to do."""
        super().__init__(
            f"no node of yours runs on {data}: name the folder of `keymoot up` with --data"
        )


class NodeRefused(Refused):
    """The node said no; its word and message are its own."""

    def __init__(self, code: str, message: str) -> None:
        """Carry both."""
        super().__init__(message)
        self.code = code  # type: ignore[misc]


class Control:
    """The node's end of the socket."""

    def __init__(self, data: Path, verbs: Mapping[str, Verb]) -> None:
        """Serve these verbs in a data folder."""
        self._data = data
        self._verbs = dict(verbs)

    async def run(self) -> None:
        """Answer until cancelled."""
        (self._data / FILE_NAME).unlink(missing_ok=True)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with _short(self._data) as path:
                channel.bind(path)
        finally:
            os.umask(before)
        server = await asyncio.start_unix_server(self._serve, sock=channel, limit=MAX_LINE_BYTES)
        try:
            async with server:
                await server.serve_forever()
        finally:
            (self._data / FILE_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(canonical(await self._answer(line)) + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Json]:
        try:
            asked = parse(line, MAX_LINE_BYTES)
            if not isinstance(asked, dict) or not isinstance(asked.get("verb"), str):
                raise Malformed('a line is an object with a "verb"')
            verb = self._verbs.get(str(asked["verb"]))
            if verb is None:
                raise Malformed(f"the verbs are {', '.join(sorted(self._verbs))}", "verb")
            return {"ok": True} | await verb(asked)
        except KeymootError as error:
            return {"ok": False, "code": error.code, "message": str(error)}


def ask(data: Path, verb: str, **values: Json) -> dict[str, Json]:
    """Ask the node that runs on a data folder.

    Raises:
        NoNode: none of ours runs there.
        NodeRefused: it said no.
    """
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(ASK_SECONDS)
    with channel:
        try:
            with _short(data) as path:
                channel.connect(path)
            channel.sendall(canonical({"verb": verb, **values}) + b"\n")
            told = parse(_line(channel), MAX_LINE_BYTES)
        except (OSError, Malformed) as error:
            raise NoNode(data) from error
    if not isinstance(told, dict):
        raise NoNode(data)
    if told.get("ok") is not True:
        raise NodeRefused(str(told.get("code")), str(told.get("message")))
    return told


def _line(channel: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\n") and len(found) < MAX_LINE_BYTES:
        part = channel.recv(MAX_LINE_BYTES)
        if not part:
            break
        found += part
    return found


@contextmanager
def _short(data: Path) -> Iterator[str]:
    """Give a path to the socket that is short enough, however deep the folder is."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{FILE_NAME}"
    finally:
        os.close(folder)
