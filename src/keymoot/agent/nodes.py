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
    def url(self) -> str:
        """Where it is."""
        ...

    def call(self, method: str, params: Sequence[Any], timeout_seconds: float) -> Any:
        """Call one JSON-RPC method and give its result."""
        ...


class Reads(Rpc, Protocol):
    """A node that is also read plainly."""

    def get(self, path: str, timeout_seconds: float) -> dict[str, Any] | None:
        """Read one JSON object; None where there is none."""
        ...


def read_urls(text: str) -> tuple[str, ...]:
    """Read a list of addresses; each is named once.

    Raises:
        Malformed: none, too many, or one that is too long.
    """
    found = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if not 0 < len(found) <= MAX_NODES:
        raise Malformed(
            f"1 to {MAX_NODES} addresses are expected, with commas between them, "
            f"got {len(found)}: {SET_URL}",
            "url",
        )
    if any(len(one) > MAX_URL_CHARACTERS for one in found):
        raise Malformed(f"an address has at most {MAX_URL_CHARACTERS} characters", "url")
    return found


def write_urls(urls: Sequence[str]) -> str:
    """Write a list of addresses, for people and for `read_urls`."""
    return ",".join(urls)


@dataclass(frozen=True, slots=True)
class Turn:
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
        """Where the node is."""
        return self.transport.url

    @property
    def left_seconds(self) -> float:
        """What is left of the turn.

        Raises:
            ConnectionLost: nothing.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ConnectionLost(f"{self.url}: its time is over")
        return left

    def call(self, method: str, params: Sequence[Any], timeout_seconds: float) -> Any:
        """Call one JSON-RPC method, as `Transport.call`."""
        return self.transport.call(method, params, min(timeout_seconds, self.left_seconds))

    def call_all(
        self, calls: Sequence[tuple[str, Sequence[Any]]], timeout_seconds: float
    ) -> list[Any]:
        """Call several methods in one exchange, as `Transport.call_all`."""
        return self.transport.call_all(calls, min(timeout_seconds, self.left_seconds))

    def get(self, path: str, timeout_seconds: float) -> dict[str, Any] | None:
        """Read one JSON object, as `Transport.get`."""
        return self.transport.get(path, min(timeout_seconds, self.left_seconds))


class Nodes:
    """Some nodes of one network, from any number of threads and forks."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Take their addresses, in the owner's order; nothing is sent yet.

        Raises:
            Malformed: none, too many, or no http or https address.
        """
        self.urls = read_urls(write_urls(urls))
        # Replaced as a whole: a thread reads one order or the other.
        self._line = tuple(Transport(one) for one in self.urls)

    @classmethod
    def at(cls, url: str) -> Self:
        """Take addresses that stand in one text."""
        return cls(read_urls(url))

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[str, ...]]]:
        """Pickle the addresses; connections are opened anew."""
        return type(self), (self.urls,)

    def __len__(self) -> int:
        """Give how many there are."""
        return len(self.urls)

    @property
    def url(self) -> str:
        """All addresses, as they are written."""
        return write_urls(self.urls)

    @property
    def line(self) -> tuple[Transport, ...]:
        """The nodes in the order in which they are asked now."""
        return self._line

    def answered(self, one: Transport) -> None:
        """Ask the node that has answered before the others from now on."""
        line = self._line
        if line[0] is not one:
            self._line = (one, *(other for other in line if other is not one))

    def close(self) -> None:
        """Close the connections that wait for the next call."""
        for one in self._line:
            one.close()
