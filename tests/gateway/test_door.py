"""Who may come in: names, addresses and origins, safe unless the operator says otherwise."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from keymoot.base.errors import Malformed
from keymoot.gateway.door import Door, host_named, origin_named, url_of
from tests.gateway.conftest import EXTENSION, HOST, PAGE
from tests.node.running import Running

CALL = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'


def refusal(door: Door, server: str = "127.0.0.1", **headers: str) -> str | None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return door.refusal(Headers(raw=raw), server)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8645",
        "localhost:1",
        "LOCALHOST:8645",
        "localhost.",
        "LocalHost.:8645",
        "[::1]",
        "[::1]:8645",
        "[0:0:0:0:0:0:0:1]:8645",
        "localhost:",
    ],
)
def test_its_own_names_are_known_however_they_are_written(host: str) -> None:
    assert refusal(Door(), host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8645",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#127.0.0.1",
        "127.0.0.1@evil.example",
        "127.0.0.1:8645@evil.example",
        "127.0.0.1:evil",
        "127.0.0.1:123456",
        "127.0.0.1, evil.example",
        "localhost..",
        "::1",
        "[::1",
        "[127.0.0.1]",
        "[::1]evil.example",
        "0.0.0.0:8645",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.2",
        "l\xf6calhost",
    ],
)
def test_other_names_stay_out_and_learn_what_to_set(host: str) -> None:
    told = refusal(Door(), host=host)
    assert told is not None
    assert "--allow-host" in told


def test_the_address_at_which_it_came_is_a_name_of_its_own() -> None:
    door = Door()
    assert refusal(door, "192.168.1.5", host="192.168.1.5:8645") is None
    assert refusal(door, "::ffff:192.168.1.5", host="192.168.1.5:8645") is None
    assert refusal(door, "fe80::1", host="[FE80:0::1]:8645") is None
    assert refusal(door, "192.168.1.5", host="192.168.1.6:8645") is not None
    assert refusal(door, "", host="") is not None


def test_a_request_has_one_host_and_one_origin() -> None:
    door = Door(origins=["https://app.example"])
    assert door.refusal(Headers(raw=[]), "127.0.0.1") is not None
    two = [(b"host", b"localhost"), (b"host", b"evil.example")]
    assert door.refusal(Headers(raw=two), "127.0.0.1") is not None
    origins = [(b"host", b"localhost")] + [(b"origin", b"https://app.example")] * 2
    assert door.refusal(Headers(raw=origins), "127.0.0.1") is not None


def test_allowed_names_come_in() -> None:
    door = Door([host_named("KeyMoot.LAN."), host_named("[2001:DB8::0:5]")])
    for host in ("keymoot.lan", "keymoot.lan:80", "KEYMOOT.lan.:80", "[2001:db8::5]:80"):
        assert refusal(door, host=host) is None
    assert refusal(door, host="x.keymoot.lan") is not None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://app.example",
        "https://app.example:444",
        "https://APP.example",
        "https://app.example/",
        "https://app.example.evil.example",
        "chrome-extension://aaaa",
    ],
)
def test_other_origins_stay_out_and_learn_what_to_set(origin: str) -> None:
    for door in (Door(), Door(origins=["https://app.example", EXTENSION])):
        told = refusal(door, host="localhost", origin=origin)
        assert told is not None
        assert "--allow-origin" in told
        assert refusal(door, host="evil.example", origin="https://app.example") is not None


@pytest.mark.parametrize("text", ["https://x;rm -rf ~", "$(x)", "`x`", "http://a b", "x\ny"])
def test_what_it_says_to_set_is_no_command_of_the_sender(text: str) -> None:
    for headers in ({"host": "localhost", "origin": text}, {"host": text}):
        told = refusal(Door(), **headers)
        assert told is not None
        assert text not in told


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_comes_without_a_name_of_ours_stays_out(host: str, origin: str) -> None:
    door = Door()
    raw = [(b"host", host.encode()), (b"origin", origin.encode())]
    assert door.refusal(Headers(raw=raw), "127.0.0.1") is not None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://App.Example", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("http://app.example:80/", "http://app.example"),
        ("http://localhost:5173/", "http://localhost:5173"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        (EXTENSION, EXTENSION),
        ("moz-extension://c0ffee00-1234", "moz-extension://c0ffee00-1234"),
    ],
)
def test_origins_are_read_as_browsers_write_them(text: str, read: str) -> None:
    assert origin_named(text) == read


@pytest.mark.parametrize(
    "text",
    ["*", "null", "", "app.example", "https://*.example", "https://a/b", "https://a@b", "a b"],
)
def test_patterns_are_no_origins(text: str) -> None:
    with pytest.raises(Malformed, match="--allow-origin"):
        origin_named(text)


@pytest.mark.parametrize("text", ["*", "", "http://x", "x:1", "a b", "*.x", "x/", "-x", "x..y"])
def test_patterns_are_no_hosts(text: str) -> None:
    with pytest.raises(Malformed, match="--allow-host"):
        host_named(text)


def test_the_url_it_shows_is_one_that_works() -> None:
    assert url_of("0.0.0.0", 8645) == "http://127.0.0.1:8645"
    assert url_of("::", 8645) == "http://[::1]:8645"
    assert url_of("fe80::1", 1) == "http://[fe80::1]:1"
    assert url_of("192.168.1.5", 8645) == "http://192.168.1.5:8645"


def ask(
    node: Running, method: str = "POST", path: str = "/", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=240)
    try:
        connection.request(method, path, CALL if method == "POST" else None, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def test_the_url_that_is_printed_answers(open_node: Running) -> None:
    line = next(one for one in open_node.log.read_text().splitlines() if "Keymoot RPC " in one)
    parts = urlsplit(line.split()[-1])
    assert (parts.hostname, parts.port) == ("127.0.0.1", open_node.port)
    assert "--allow-host" in open_node.log.read_text()
    assert ask(open_node)[0] == 200
    assert ask(open_node, Host=f"{HOST}:8645")[0] == 200


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/shares/0x" + "11" * 32])
def test_every_page_is_behind_the_door(open_node: Running, path: str) -> None:
    assert ask(open_node, "GET", path)[0] == 200
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        status, found, body = ask(open_node, "GET", path, **headers)
        assert status == 403
        assert "access-control-allow-origin" not in found
        assert "keymoot up --allow-" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("origin", [EXTENSION, PAGE])
def test_an_allowed_page_is_answered_as_browsers_ask(open_node: Running, origin: str) -> None:
    status, found, body = ask(open_node, Origin=origin)
    assert status == 200
    assert found["access-control-allow-origin"] == origin
    assert "origin" in found["vary"].lower()
    assert json.loads(body)["result"] == "0x5afd"
    preflight = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    status, found, _ = ask(open_node, "OPTIONS", **preflight)
    assert status == 200
    assert found["access-control-allow-origin"] == origin
    assert "POST" in found["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in found
    assert ask(open_node, "OPTIONS", **preflight | {"Origin": "https://evil.example"})[0] == 403


def test_what_is_no_name_is_wrong_use(tmp_path: Path) -> None:
    from keymoot.cli.main import run

    for option in (["--allow-host", "http://x"], ["--allow-origin", "*"]):
        assert run(["up", "--data", str(tmp_path / "data"), *option]) == 2
    assert not (tmp_path / "data").exists()
