"""How whoever runs a node tells it something: a socket in its data folder.

One JSON object a line, one answer for each; a closed list of verbs. The socket has mode
0600 in a folder of mode 0700: nobody else on the machine can ask, and nobody over the network.

    {"verb": "network"}              → {"ok": true, "network": "0x…"}
    {"verb": "standing"}             → {"ok": true, "epoch": {…}, "joining": {…}, …}
    {"verb": "turn"}                 → {"ok": true}
    {"verb": "join"}                 → {"ok": true, "seat": 5}
    {"verb": "leave", "seat": 2}     → {"ok": true}
    anything refused                 → {"ok": false, "code": "…", "message": "…"}

An answer says that the node has taken the question; what became of it is in `standing`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.unix_socket import listening_at
from keymoot.engine.whereabouts import arose

FILE_NAME = "control"
MAX_LINE_BYTES = 4_096
MAX_ANSWER_BYTES = 65_536
_BACKLOG = 64

Verb = Callable[[Mapping[str, Json]], Awaitable[dict[str, Json]]]

log = structlog.get_logger("keymoot.control")


class Control:
    def __init__(self, data: Path, verbs: Mapping[str, Verb]) -> None:
        """Serve these verbs in a data folder; others may take their place."""
        self._data = data
        self.verbs = verbs

    async def run(self) -> None:
        channel = listening_at(self._data / FILE_NAME, _BACKLOG)
        server = await asyncio.start_unix_server(
            self._serve, sock=channel, limit=MAX_LINE_BYTES, backlog=_BACKLOG
        )
        try:
            async with server:
                await server.serve_forever()
        finally:
            (self._data / FILE_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A line that is too long is a ValueError.
            with suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    writer.write(await self._answer(line) + b"\n")
                    await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> bytes:
        try:
            asked = parse(line, MAX_LINE_BYTES)
            if not isinstance(asked, dict) or not isinstance(asked.get("verb"), str):
                raise Malformed('a line is an object with a "verb"')
            verb = self.verbs.get(str(asked["verb"]))
            if verb is None:
                raise Malformed(f"the verbs are {', '.join(sorted(self.verbs))}", "verb")
            return canonical({"ok": True} | await verb(asked))
        except KeymootError as error:
            return canonical({"ok": False, "code": error.code, "message": str(error)})
        except Exception as error:  # noqa: BLE001  a question never takes the node down
            place = arose(error)
            log.error("control.failed", error=place)  # noqa: TRY400  no words of others
            message = f"the node failed over this, a defect of ours, {place}: please report it"
            return canonical({"ok": False, "code": "DEFECT", "message": message})
