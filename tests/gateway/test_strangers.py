"""Whatever a stranger sends gets a clear error and changes nothing."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.committee.messages import MESSAGE_TYPE
from keymoot.gateway import jsonrpc
from keymoot.gateway.limits import (
    CALLS_PER_SECOND_RUN,
    FREE_SECONDS,
    MAX_BATCH,
    MAX_BODY_BYTES,
    MAX_REFUSED,
    Payer,
    Rate,
)
from keymoot.gateway.methods import _FILTER_METHODS, _METHODS
from tests.examples import examples
from tests.gateway.conftest import Scene
from tests.node.running import pay

STANDARD = {-32700, -32600, -32601, -32602, -32000, -32002, -32005, 3, 4, 4100}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
hexes = st.binary(max_size=80).map(lambda raw: "0x" + raw.hex())


def post(scene: Scene, body: bytes, headers: dict | None = None) -> tuple[int, bytes]:
    parts = urlsplit(scene.node.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=240)
    try:
        connection.request("POST", "/", body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def ask(scene: Scene, body: bytes) -> dict:
    status, raw = post(scene, body)
    assert status == 200
    answer = json.loads(raw)
    assert isinstance(answer, dict)
    return answer


def height(scene: Scene) -> int:
    return int(scene.node.network.call("eth_blockNumber"), 16)


def said_by_people(scene: Scene, since: int) -> list[dict]:
    """Give what blocks after a height hold beside the enclaves' own messages."""
    found = []
    for number in range(since + 1, height(scene) + 1):
        block = scene.node.network.call("eth_getBlockByNumber", hex(number), True)
        found += [
            one for one in block["transactions"] if one.get("keymootType") != hex(MESSAGE_TYPE)
        ]
    return found


@settings(max_examples=examples(120), deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_a_json_rpc_error(scene: Scene, body: bytes) -> None:
    before = height(scene)
    answer = ask(scene, body)
    assert answer["error"]["code"] in STANDARD
    assert said_by_people(scene, before) == []


@settings(max_examples=examples(300), deadline=None)
@given(
    method=st.sampled_from(sorted({*_METHODS, *_FILTER_METHODS} - {"keymoot_faucet"})),
    params=st.lists(anything | hexes, max_size=4),
)
def test_any_parameters_get_an_answer_or_a_standard_error(
    scene: Scene, method: str, params: list
) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    answer = ask(scene, body.encode())
    assert answer["id"] == 1
    if "error" in answer:
        assert answer["error"]["code"] in STANDARD, answer
        assert len(answer["error"]["message"]) < 600


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"a":1,"a":2}', -32700),
        (b"[" * 5000, -32700),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":' + b"[" * 40 + b"]" * 40 + b"}",
            -32700,
        ),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"x"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"x"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_sign","params":[]}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x4b01"]}', -32602),
    ],
)
def test_errors_have_their_standard_codes(scene: Scene, body: bytes, code: int) -> None:
    assert ask(scene, body)["error"]["code"] == code


def test_batches_are_answered_in_order_and_bounded(scene: Scene) -> None:
    call = {"jsonrpc": "2.0", "method": "eth_chainId", "params": []}
    batch = [call | {"id": n} for n in range(3)] + [call]
    status, raw = post(scene, json.dumps(batch).encode())
    assert status == 200
    assert [one["id"] for one in json.loads(raw)] == [0, 1, 2]
    assert post(scene, json.dumps([call]).encode()) == (204, b"")
    assert post(scene, json.dumps([call] * MAX_BATCH).encode()) == (204, b"")


def test_a_batch_over_the_limit_says_so_for_each_id(scene: Scene) -> None:
    call = {"jsonrpc": "2.0", "method": "eth_chainId", "params": []}
    fits = [call | {"id": n} for n in range(MAX_BATCH)]
    assert len(json.loads(post(scene, json.dumps(fits).encode())[1])) == MAX_BATCH
    odd: list = [call, 7, call | {"id": {}}, call | {"id": "x" * 300}, call | {"id": "name"}]
    answers = json.loads(post(scene, json.dumps([*fits, *odd]).encode())[1])
    assert [one["id"] for one in answers] == [*range(MAX_BATCH), None, None, None, "name"]
    for one in answers:
        assert one["error"]["code"] == -32600
        assert f"1 to {MAX_BATCH} calls" in one["error"]["message"]
    # Notifications are answered by nothing, whatever becomes of them.
    assert post(scene, json.dumps([call] * (MAX_BATCH + 1)).encode()) == (204, b"")
    # One that is far too long buys no long answer.
    status, raw = post(scene, json.dumps([1] * (MAX_REFUSED + 1)).encode())
    assert status == 200
    assert json.loads(raw)["error"]["code"] == -32600


async def test_the_calls_of_a_batch_are_counted_however_they_are_written() -> None:
    rate = Rate(lambda: 0.0, per_second=10, burst=1.5)
    call = b'{"jsonrpc":"2.0","id":5,"\\u006dethod":"eth_chainId"}'
    body = b" [" + b",".join([call] * 3) + b"]"
    payer = Payer(rate, "a")
    answers = json.loads(await jsonrpc.answer({}, body, lambda *_: None, payer))
    assert [(one["id"], one["error"]["code"]) for one in answers] == [(5, -32005)] * 3


@pytest.mark.parametrize("more", [1, 3 * MAX_BODY_BYTES])
def test_a_body_that_is_too_long_is_refused(scene: Scene, more: int) -> None:
    call = b'[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},'
    for body in (b" " * (MAX_BODY_BYTES + more), call + b" " * (MAX_BODY_BYTES + more)):
        answer = ask(scene, body)
        assert answer["error"]["code"] == -32005
        assert str(MAX_BODY_BYTES) in answer["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8645"},
    ],
)
def test_web_pages_cannot_use_the_node(scene: Scene, headers: dict) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    status, raw = post(scene, body, headers)
    assert status == 403
    assert b"5afd" not in raw


def test_the_rate_of_one_client_is_limited() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0], per_second=10, burst=20)
    assert all(rate.take("a") for _ in range(20))
    assert not rate.take("a")
    assert rate.take("b")
    now[0] += 0.5
    assert rate.take("a", 5)
    assert not rate.take("a", 1)


def test_the_time_of_queries_is_owed() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0], per_second=4_000, burst=8_000)
    rate.owe("a", FREE_SECONDS)
    assert rate.take("a", 8_000), "a short query costs its call, and no more"
    rate.owe("a", FREE_SECONDS + 1.0)
    assert not rate.take("a", 0), "whoever is in debt calls nothing"
    assert rate.take("b", 1)
    now[0] += CALLS_PER_SECOND_RUN / 4_000 - 0.001
    assert not rate.take("a", 0)
    now[0] += 0.002
    assert rate.take("a", 0)


async def test_a_batch_of_long_queries_ends_when_its_sender_is_in_debt() -> None:
    ran = []

    async def long(params: list) -> None:
        ran.append(params)
        started = time.thread_time()
        while time.thread_time() - started < 0.02:
            pass

    payer = Payer(Rate(lambda: 0.0, per_second=0, burst=100), "a")
    call = {"jsonrpc": "2.0", "method": "eth_call", "params": []}
    body = json.dumps([call | {"id": n} for n in range(20)]).encode()
    answers = json.loads(await jsonrpc.answer({"eth_call": long}, body, lambda *_: None, payer))
    assert len(ran) == 1
    assert [one["id"] for one in answers] == list(range(20))
    assert {one["error"]["code"] for one in answers[1:]} == {-32005}


def test_shares_of_strangers_requests_show_nothing(scene: Scene) -> None:
    transport = scene.node.network.nodes.line[0]
    unknown = transport.get("/shares/0x" + "11" * 32, 5)
    assert (unknown["status"], unknown["refusal"]) == ("waiting", None)
    assert "sealed" not in unknown
    status, raw = _get(scene, "/shares/0x12")
    assert status == 400
    assert b"Hash32" in raw
    assert _get(scene, "/shares/0x" + "11" * 32 + "?wait=x")[0] == 400


def _get(scene: Scene, path: str) -> tuple[int, bytes]:
    parts = urlsplit(scene.node.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=240)
    connection.request("GET", path)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def test_people_and_probes_are_answered(scene: Scene) -> None:
    status, page = _get(scene, "/")
    assert status == 200
    assert b"SIMULATED" in page
    health = json.loads(_get(scene, "/health")[1])
    assert health["height"] > 0
    assert health["simulated"] is True
    assert b"keymoot_http_requests_total" in _get(scene, "/metrics")[1]


def test_keymoot_ask_answers_again_without_asking_twice(scene: Scene) -> None:
    before = scene.owner.show(scene.wallet.wallet).log_length
    name = "0x" + "77" * 32
    first = scene.account.sign_transaction(pay(700), idempotency_key=name)
    second = scene.account.sign_transaction(pay(700), idempotency_key=name)
    assert first.raw_transaction == second.raw_transaction
    assert scene.owner.show(scene.wallet.wallet).log_length == before + 1
