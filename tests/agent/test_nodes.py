"""A list of nodes is read strictly, and asked in an order that learns."""

import copy
import time

import pytest

from keymoot.agent.network import Network
from keymoot.agent.nodes import NodeSet, NodeTurn, read_urls, write_urls
from keymoot.agent.transport import ConnectionLost
from keymoot.base.errors import Malformed

A, B, C = "https://a.example", "http://127.0.0.1:8645", "https://c.example/rpc"


def test_addresses_stand_with_commas_between_them() -> None:
    assert read_urls(A) == (A,)
    assert read_urls(f" {A}, {B},,{A} ,{C},") == (A, B, C)
    assert read_urls(write_urls((A, B, C))) == (A, B, C)


@pytest.mark.parametrize(
    "text",
    ["", " , ", ",".join(f"https://{at}.example" for at in range(9)), "http://" + "a" * 2_048],
)
def test_none_too_many_and_too_long_are_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        NodeSet.at(text)
    assert caught.value.path == "url"


@pytest.mark.parametrize("text", [f"{A},ftp://b.example", f"{A},b.example", f"{A},http://b:x"])
def test_each_is_an_address(text: str) -> None:
    with pytest.raises(Malformed, match="set KEYMOOT_URL"):
        NodeSet.at(text)


def test_who_answered_goes_before_the_others_which_keep_their_order() -> None:
    nodes = NodeSet((A, B, C))
    first, second, third = nodes.line
    nodes.answered(third)
    assert nodes.line == (third, first, second)
    nodes.answered(first)
    assert nodes.line == (first, third, second)
    nodes.answered(first)
    assert nodes.line == (first, third, second)
    # What the owner named stays as it was named.
    assert (nodes.urls, nodes.url) == ((A, B, C), f"{A},{B},{C}")


def test_they_pickle_by_their_addresses() -> None:
    assert copy.copy(NodeSet((A, B))).urls == (A, B)
    network = copy.copy(Network(f"{A},{B}", 7))
    assert (network.nodes.urls, network.timeout_seconds) == ((A, B), 7)


def test_a_turn_ends() -> None:
    (way,) = NodeSet((B,)).line
    turn = NodeTurn(way, time.monotonic() - 1, alone=False)
    for ask in (
        lambda: turn.call("eth_chainId", [], 9),
        lambda: turn.call_all([], 9),
        lambda: turn.get("/shares/0x", 9),
    ):
        with pytest.raises(ConnectionLost, match="its time is over"):
            ask()
