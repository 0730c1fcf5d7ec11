"""The nodes of one network that a client may ask, and the order in which it asks them.

A list of addresses is written with commas: `https://a.example,https://b.example`. The owner's
order is the first one; from then on whoever answered last is asked first, so a node that hangs
or lies costs its time once and not with each call.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from keymoot.agent.errors import SET_URL
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base.errors import Malformed

MAX_NODES = 8
"""Nodes that one client asks."""

MAX_URL_CHARACTERS = 2_048


class Rpc(Protocol):
    """One node's Keymoot RPC; see `Transport`."""

    @property
    def url(self) -> str: ...

    def call(self, method: str, params: Sequence[Any], timeout_seconds: float) -> Any: ...


def read_urls(text: str) -> tuple[str, ...]:
    """Read a list of 1 to 8 addresses; each is named once."""
    urls = tuple(dict.fromkeys(url.strip() for url in text.split(",") if url.strip()))
    if not 0 < len(urls) <= MAX_NODES:
        raise Malformed(
            f"1 to {MAX_NODES} addresses are expected, with commas between them, "
            f"got {len(urls)}: {SET_URL}",
            "url",
        )
    if any(len(url) > MAX_URL_CHARACTERS for url in urls):
        raise Malformed(f"an address has at most {MAX_URL_CHARACTERS} characters", "url")
    return urls


def write_urls(urls: Sequence[str]) -> str:
    return ",".join(urls)


@dataclass(frozen=True, slots=True)
class NodeTurn:
    """One node, for as long as it has to answer.

    Attributes:
        transport: The way to it.
        deadline: By the monotonic clock, in seconds: no exchange of the turn lasts longer.
        alone: There is nobody else to ask, so patience costs nothing.
    """

    transport: Transport
    deadline: float
    alone: bool

    @property
    def url(self) -> str:
        return self.transport.url

    @property
    def left_seconds(self) -> float:
        """What is left of the turn; ConnectionLost where nothing is."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ConnectionLost(f"{self.url}: its time is over")
        return left

    def call(self, method: str, params: Sequence[Any], timeout_seconds: float) -> Any:
        return self.transport.call(method, params, min(timeout_seconds, self.left_seconds))

    def call_all(
        self, calls: Sequence[tuple[str, Sequence[Any]]], timeout_seconds: float
    ) -> list[Any]:
        return self.transport.call_all(calls, min(timeout_seconds, self.left_seconds))

    def get(self, path: str, timeout_seconds: float) -> dict[str, Any] | None:
        return self.transport.get(path, min(timeout_seconds, self.left_seconds))


class NodeSet:
    """Some nodes of one network, from any number of threads and forks."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Take their addresses, in the owner's order; nothing is sent yet."""
        self.urls = read_urls(write_urls(urls))
        # Replaced as a whole: a thread reads one order or the other.
        self._line = tuple(Transport(url) for url in self.urls)

    @classmethod
    def at(cls, url: str) -> Self:
        return cls(read_urls(url))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[str, ...]]]:
        """Connections are opened anew."""
        return type(self), (self.urls,)

    def __len__(self) -> int:
        return len(self.urls)

    @property
    def url(self) -> str:
        return write_urls(self.urls)

    @property
    def line(self) -> tuple[Transport, ...]:
        """The nodes in the order in which they are asked now."""
        return self._line

    def answered(self, transport: Transport) -> None:
        """Ask the node that has answered before the others from now on."""
        line = self._line
        if line[0] is not transport:
            self._line = (transport, *(other for other in line if other is not transport))

    def close(self) -> None:
        for transport in self._line:
            transport.close()
