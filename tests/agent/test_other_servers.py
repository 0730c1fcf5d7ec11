"""KEYMOOT_URL that leads elsewhere: the error says what is there, and what to set."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from keymoot.agent import Account
from keymoot.agent.errors import NetworkRefused, NotKeymoot, WrongAnswer
from keymoot.agent.identity import read_identity
from keymoot.agent.network import Network
from keymoot.agent.owner import new_key
from keymoot.agent.transport import Transport
from keymoot.base import hexes
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.fixed import Address, WalletId
from keymoot.base.units import ChainId
from keymoot.crypto.keccak import keccak256
from tests.agent.fake_network import WORLD, FakeNetwork
from tests.agent.http_server import served
from tests.agent.target_chain import target_chain
from tests.agent.transfers import TRANSFER


@contextmanager
def answering(status: int, answer: Any) -> Iterator[str]:
    """Serve one answer to everything: bytes as they are, else JSON; a callable is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = answer(asked) if callable(answer) else answer
            raw = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler) as url:
        yield url


def _signing(network: FakeNetwork, url: str, key: str | None = None) -> KeymootError:
    account = Account(network.credential(), url, timeout_seconds=60)
    with pytest.raises(KeymootError) as caught:
        account.sign_transaction(TRANSFER, idempotency_key=key)
    return caught.value


@pytest.mark.parametrize("key", [None, "round 7"])
def test_a_target_chain_is_named(network: FakeNetwork, key: str | None) -> None:
    with target_chain() as (url, _):
        error = _signing(network, url, key)
    assert isinstance(error, NotKeymoot)
    assert (
        f'{url} is not your network\'s Keymoot RPC, but chain 8453 ("Target/v1"): set KEYMOOT_URL'
        in str(error)
    )


def test_an_owner_is_told_too(network: FakeNetwork) -> None:
    with target_chain() as (url, _), pytest.raises(NotKeymoot, match=r"chain 8453.*--url"):
        Network(url).identity()


@pytest.mark.parametrize("name", ["pause", "resume"])
def test_nothing_is_signed_for_another_chain(name: str) -> None:
    with target_chain() as (url, sent):
        with pytest.raises(NotKeymoot, match=r"chain 8453.*--url"):
            Network(url).send(new_key(), name, WalletId(bytes(32)))
        assert sent == []


def test_a_view_of_another_chain_is_no_answer() -> None:
    with target_chain() as (url, _), pytest.raises(NotKeymoot, match=r"chain 8453.*--url"):
        Network(url).wallet(WalletId(bytes(32)))


def test_a_network_of_another_chain_id_is_no_ledger() -> None:
    """Its owner's signature would count on that chain, and its price would be the server's."""
    genesis = replace(WORLD.genesis, chain_id=ChainId(8453)).encode()
    told = {
        "network": keccak256(genesis).hex0x,
        "genesis": hexes.data(genesis),
        "chainId": hexes.quantity(8453),
        "simulated": True,
    }
    for chain in (8453, 0x5AFD):
        with pytest.raises(WrongAnswer, match="of chain 8453, a ledger's is 23293"):
            read_identity({**told, "chainId": hexes.quantity(chain)})


def test_a_provider_in_its_own_words(network: FakeNetwork) -> None:
    words = "Unsupported method: keymoot_ask on BASE_MAINNET"

    def provider(asked: Any) -> Any:
        if asked["method"] == "eth_chainId":
            return {"jsonrpc": "2.0", "id": asked["id"], "result": "0x2105"}
        return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32600, "message": words}}

    with answering(400, provider) as url:
        assert "but chain 8453:" in str(_signing(network, url))


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (200, b"<html>welcome</html>", "HTTP status 200 and no JSON"),
        (502, b"", "HTTP status 502 and no JSON"),
        (401, {"error": "no API key"}, 'HTTP status 401, saying "no API key"'),
        (200, {"status": "ok"}, "a server that answers with HTTP status 200"),
        (404, {"error": {"code": 404}}, "a server that answers with HTTP status 404"),
    ],
    ids=["web page", "proxy", "key wanted", "other api", "odd error"],
)
def test_a_server_of_something_else(
    network: FakeNetwork, status: int, answer: Any, says: str
) -> None:
    with answering(status, answer) as url:
        error = _signing(network, url)
    assert isinstance(error, WrongAnswer)
    assert says in str(error)
    assert "set KEYMOOT_URL" in str(error)


def test_what_a_stranger_says_is_short_and_printable(network: FakeNetwork) -> None:
    for said in ("x" * 10_000, "\x1b[31mred"):
        with answering(403, {"error": said}) as url:
            shown = str(_signing(network, url))
        assert len(shown) < 500
        assert shown.isprintable()


def test_a_keymoot_of_another_version_is_said_so(network: FakeNetwork) -> None:
    def old(asked: Any) -> Any:
        head = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "web3_clientVersion":
            return {**head, "result": "keymoot/0.0.1/python"}
        message = f"there is no method {asked['method']}"
        return {**head, "error": {"code": -32601, "message": message}}

    with answering(200, old) as url:
        error = _signing(network, url)
    assert "is keymoot/0.0.1/python, which does not know keymoot_ask" in str(error)


def test_a_keymoot_that_says_no_is_heard(network: FakeNetwork) -> None:
    def told(asked: Any) -> Any:
        head = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "web3_clientVersion":
            return {**head, "result": "keymoot/0.1.0/python"}
        return {**head, "error": {"code": -32601, "message": "this network has no faucet"}}

    with answering(200, told) as url, pytest.raises(NetworkRefused, match="has no faucet"):
        Network(url).faucet(Address(bytes(20)))


def test_another_keymoot_network_is_named(network: FakeNetwork) -> None:
    data = {"reason": "WRONG_NETWORK"}
    network.submit_error = {"code": -32000, "message": "for another", "data": data}
    error = _signing(network, network.url)
    assert isinstance(error, NotKeymoot)
    assert f"granted the credential at {network.url}" in str(error)


@pytest.mark.parametrize("url", ["127.0.0.1:8645", "localhost:8645", "ftp://x", "http://", "x"])
def test_what_is_no_address_says_what_to_set(url: str) -> None:
    with pytest.raises(Malformed, match="set KEYMOOT_URL"):
        Transport(url)


def test_an_empty_variable_is_none(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    network.credential().save(tmp_path / "agent.json")
    monkeypatch.setenv("KEYMOOT_URL", "")
    account = Account.connect("yield", credential=tmp_path / "agent.json")
    assert account.sign_transaction(TRANSFER)
