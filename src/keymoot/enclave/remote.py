"""An enclave's reads: it asks its host and waits, one question at a time.

The frames are `store.questions`. What comes back is not believed here nor anywhere: nodes are
checked by `store.trie`, long values by the slot that names them. Here it is only kept in
bounds, before any of it is taken into memory. No text of an error has a byte of what was read.
"""

import socket
import threading
from typing import NoReturn, Protocol

from keymoot.base.errors import BrokenStorage, Malformed
from keymoot.base.units import Height
from keymoot.store import questions
from keymoot.store.questions import (
    LENGTH_BYTES,
    PATH_NIBBLES,
    EntryQuestion,
    NewestQuestion,
    PathQuestion,
    Question,
)
from keymoot.store.table import PathTable

_PART_BYTES = 65_536

_HEIGHT_BYTES = 8


class BrokenRead(BrokenStorage, code="BROKEN_READ"):
    """The host's answer is not what was asked for."""

    def __init__(self, what: str) -> None:
        super().__init__(f"a read from the host failed: {what}; start the enclave anew")


class Host(Protocol):
    """Whoever keeps the state."""

    def newest(self) -> Height:
        """Give the height of the newest state that it says it has on its disk."""
        ...

    def table(self, height: Height) -> PathTable:
        """Give its table as of a height, which need not be one that it has."""
        ...


class Remote:
    """The host at the other end of a socket. After one failure every read fails likewise."""

    def __init__(self, channel: socket.socket) -> None:
        """Ask over `channel`, a blocking stream that nothing else uses."""
        self._channel = channel
        self._lock = threading.Lock()
        self._over: BrokenRead | None = None

    def newest(self) -> Height:
        answer = self.ask(NewestQuestion(), questions.MAX_HEIGHT_ANSWER_BYTES, 1)
        if len(answer) > 1 or (answer and (len(answer[0]) > _HEIGHT_BYTES or not answer[0][0])):
            self._end("a height was asked for")
        return Height(int.from_bytes(b"".join(answer), "big"))

    def table(self, height: Height) -> "RemoteTable":
        return RemoteTable(self, height)

    def ask(self, question: Question, max_bytes: int, max_items: int) -> list[bytes]:
        """Ask, and give the entries that came back; BrokenRead where they are more, or longer."""
        with self._lock:
            if self._over is not None:
                raise self._over.with_traceback(None)
            raw = question.encode()
            try:
                self._channel.sendall(len(raw).to_bytes(LENGTH_BYTES, "big") + raw)
                return questions.read_answer(self._read(max_bytes), max_items)
            except OSError:
                self._end("the channel failed")
            except Malformed:
                self._end(f"an answer is a list of at most {max_items} entries")

    def _read(self, max_bytes: int) -> bytes:
        """Read one frame, which is all that the host may have sent."""
        read, length = bytearray(), None
        while length is None or len(read) < LENGTH_BYTES + length:
            part = self._channel.recv(_PART_BYTES)
            if not part:
                self._end("the channel ended")
            read += part
            if length is None and len(read) >= LENGTH_BYTES:
                length = int.from_bytes(read[:LENGTH_BYTES], "big")
                if length > max_bytes:
                    self._end(f"an answer has {length} bytes, at most {max_bytes} were asked for")
        if len(read) > LENGTH_BYTES + length:
            self._end("more came than one answer")
        return bytes(read[LENGTH_BYTES:])

    def _end(self, what: str) -> NoReturn:
        self._over = BrokenRead(what)
        raise self._over from None


class RemoteTable(PathTable):
    def __init__(self, remote: Remote, height: Height) -> None:
        self._remote, self._height = remote, height

    def get(self, key: bytes) -> bytes | None:
        question = EntryQuestion(self._height, key)
        entry = self._remote.ask(question, questions.MAX_ENTRY_ANSWER_BYTES, 1)
        return entry[0] if entry else None

    def path(self, prefix: bytes, nibbles: bytes, start: int) -> list[bytes]:
        question = PathQuestion(self._height, prefix, nibbles, start)
        most = len(nibbles) - start + 1
        return self._remote.ask(
            question, questions.MAX_PATH_ANSWER_BYTES, min(most, PATH_NIBBLES + 1)
        )
