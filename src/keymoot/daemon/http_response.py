"""What is answered over the socket, and its bytes."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

TEXT, JSON, HTML = "text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A status, a body and its type; an empty type is not written."""

    status: int
    body: bytes = b""
    kind: str = ""

    @classmethod
    def text(cls, text: str, status: int = 200) -> Self:
        return cls(status, text.encode("utf-8", "replace"), TEXT)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Self:
        raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return cls(status, raw.encode("utf-8", "replace"), JSON)

    def encode(self, *, stays: bool) -> bytes:
        """Give the bytes on the wire; `stays` is whether the connection does."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        if self.kind:
            lines.append(f"Content-Type: {self.kind}")
        # Keys and signatures are in there.
        lines += [f"Content-Length: {len(self.body)}", "Cache-Control: no-store"]
        if not stays:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


def reason(status: int) -> str:
    return HTTPStatus(status).phrase
