"""ROFL's interface: each route, its status codes and bodies, and input of all bad kinds."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.errors import NetworkUnreachable
from keymoot.base.fixed import Address
from keymoot.base.units import Gas, Wei
from keymoot.contracts.framework.contract import built_in
from keymoot.daemon.cbor import encode
from keymoot.daemon.http_response import JSON, TEXT
from keymoot.daemon.instance_metadata import MAX_PAIRS, PREFIX
from keymoot.daemon.port import CallOutcome, KeyKind, LedgerCall
from keymoot.daemon.rofl_api import ledger_name
from tests.daemon.conftest import Asking
from tests.daemon.instance import APP, MemoryInstance

GENERATE, SUBMIT = "/rofl/v1/keys/generate", "/rofl/v1/tx/sign-submit"
METADATA, QUERY = "/rofl/v1/metadata", "/rofl/v1/query"
TO = "0a" * 20
ETH = {"gas_limit": 100, "to": TO, "value": "7", "data": "ff"}


def test_the_app_id_is_plain_text(asking):
    answer = asking("GET", "/rofl/v1/app/id")
    assert (answer.status, answer.kind, answer.body) == (200, TEXT, APP.text.encode())
    assert answer.body.startswith(b"rofl1")


@pytest.mark.parametrize("kind", KeyKind)
def test_keys_have_their_lengths_and_stay_the_same_for_ever(asking, kind):
    wish = {"key_id": "wt3.trading_key", "kind": kind.value}
    key = asking.json("POST", GENERATE, wish)["key"]
    assert len(key) == (96 if kind is KeyKind.RAW_384 else 64)
    assert set(key) <= set("0123456789abcdef")
    assert Asking(MemoryInstance()).json("POST", GENERATE, wish)["key"] == key
    assert asking.json("POST", GENERATE, {**wish, "key_id": "another"})["key"] != key
    assert Asking(MemoryInstance(b"other app")).json("POST", GENERATE, wish)["key"] != key


def test_kinds_of_one_name_are_other_keys(asking):
    found = {asking.json("POST", GENERATE, {"key_id": "", "kind": k.value})["key"] for k in KeyKind}
    assert len({key[:64] for key in found}) == len(KeyKind)


def test_the_ledger_is_not_told_a_keys_name(asking):
    asking.json("POST", GENERATE, {"key_id": "my bank", "kind": "raw-256"})
    assert asking.instance.asked == [("derive", ledger_name("my bank"), KeyKind.RAW_256)]
    assert b"bank" not in ledger_name("my bank")
    assert len(ledger_name("x" * 4_096)) == 32


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"key_id": "a"}, {"kind": "raw-256"}, {"key_id": 1, "kind": "raw-256"},
     {"key_id": "a", "kind": "raw-512"}, {"key_id": "a", "kind": None}, {"key_id": "a", "kind": 4},
     {"key_id": "x" * 5_000, "kind": "raw-256"}],
)  # fmt: skip
def test_another_body_than_a_keys_is_a_422(asking, body):
    assert asking("POST", GENERATE, body).status == 422
    assert asking.instance.asked == []


@given(st.binary(max_size=80))
def test_no_body_does_more_than_be_refused(raw):
    asking = Asking(MemoryInstance())
    for path in (GENERATE, SUBMIT, QUERY, METADATA):
        assert asking("POST", path, raw=raw).status in (200, 400, 422, 500)
    assert asking.said == []


def test_where_no_keys_come_out_it_is_said_so():
    answer = Asking(MemoryInstance(gives=False))(
        "POST", GENERATE, {"key_id": "a", "kind": "raw-256"}
    )
    assert (answer.status, answer.kind, answer.body) == (400, TEXT, b"this app gives no keys away")


@pytest.mark.parametrize(
    "data",
    [
        ETH,
        {**ETH, "gas_limit": "100", "value": 7, "to": "0x" + TO, "data": "0xff"},
        {**ETH, "gas_limit": "0x64", "value": "0x7"},
    ],
)
def test_a_transaction_is_read_in_each_form_that_clients_write(asking, data):
    asking.instance.outcome = CallOutcome(fine=True, output=b"out")
    told = asking.json("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}, "encrypt": False})
    assert cbor2.loads(bytes.fromhex(told["data"])) == {"ok": b"out"}
    call = LedgerCall(Address(b"\x0a" * 20), Wei(7), b"\xff", Gas(100))
    assert asking.instance.asked == [("submit", call)]


@pytest.mark.parametrize("to", [{"to": ""}, {}])
def test_a_contract_is_made_where_nobody_is_called(asking, to):
    data = {name: value for name, value in ETH.items() if name != "to"} | to
    asking.json("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}})
    assert asking.instance.asked[0][1].to is None


def test_a_transaction_that_failed_is_an_answer(asking):
    asking.instance.outcome = CallOutcome(fine=False, reason="NOT_OWNER", message="no")
    told = asking.json("POST", SUBMIT, {"tx": {"kind": "eth", "data": ETH}})
    fail = {"module": "evm", "code": 8, "message": "NOT_OWNER: no"}
    assert cbor2.loads(bytes.fromhex(told["data"])) == {"fail": fail}


def test_what_was_not_sent_is_a_400_with_its_reason(asking):
    asking.instance.refusal = NetworkUnreachable("http://x", "refused")
    answer = asking("POST", SUBMIT, {"tx": {"kind": "eth", "data": ETH}})
    assert (answer.status, answer.kind) == (400, TEXT)
    assert b"does not answer" in answer.body


STD = {
    "v": 1,
    "call": {
        "format": 0,
        "method": "evm.Call",
        "body": {"address": b"\x0a" * 20, "value": b"\x07", "data": b"\xff"},
    },
    "ai": {"si": [], "fee": {"amount": [b"", b""], "gas": 100}},
}


def std(asking, tx):
    body = {"tx": {"kind": "std", "data": encode(tx).hex()}}
    return asking("POST", SUBMIT, body)


def test_a_transaction_of_the_sdk_is_read(asking):
    assert std(asking, STD).status == 200
    call = LedgerCall(Address(b"\x0a" * 20), Wei(7), b"\xff", Gas(100))
    assert asking.instance.asked == [("submit", call)]
    body = {"value": b"", "init_code": b"code"}
    making = {**STD, "call": {"format": 0, "method": "evm.Create", "body": body}}
    assert std(asking, making).status == 200
    assert asking.instance.asked[1][1] == LedgerCall(None, Wei(0), b"code", Gas(100))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"method": "rofl.DeriveKey"}, "transaction method not allowed"),
        ({"method": "rofl.Register"}, "transaction method not allowed"),
        ({"format": 1}, "use the encrypt flag for encryption"),
        ({"body": {"address": b"\x0a" * 19, "value": b"", "data": b""}}, "malformed address"),
        ({"body": {"address": b"", "value": b"", "data": b""}}, "malformed address"),
        ({"body": {"address": b"\x0a" * 20, "value": b"1" * 33, "data": b""}}, "32 bytes"),
        ({"body": None}, "value is missing"),
    ],
)
def test_what_the_sdk_would_do_else_is_refused(asking, call, words):
    answer = std(asking, {**STD, "call": {**STD["call"], **call}})
    assert (answer.status, answer.kind) == (400, TEXT)
    assert words in answer.body.decode()
    assert asking.instance.asked == []


@pytest.mark.parametrize("number", [1, 2, 4, 5, 200])
def test_the_networks_own_contracts_are_not_called(asking, number):
    data = {**ETH, "to": built_in(number).hex()}
    answer = asking("POST", SUBMIT, {"tx": {"kind": "eth", "data": data}})
    assert answer.status == 400
    assert b"own contracts" in answer.body
    assert asking.instance.asked == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"to": "0a" * 19}, 400),
        ({"to": "0x"}, 422),
        ({"to": "0a "}, 422),
        ({"to": None}, 422),
        ({"data": "f"}, 422),
        ({"data": "0x"}, 422),
        ({"data": 5}, 422),
        ({"value": -1}, 422),
        ({"value": "1.5"}, 422),
        ({"value": str(2**128)}, 422),
        ({"value": True}, 422),
        ({"gas_limit": 2**64}, 422),
        ({"gas_limit": "0x"}, 422),
        ({"gas_limit": " 1"}, 422),
        ({"gas_limit": "1_0"}, 422),
    ],
)
def test_fields_that_are_none_are_refused(asking, change, status):
    assert (
        asking("POST", SUBMIT, {"tx": {"kind": "eth", "data": {**ETH, **change}}}).status == status
    )
    assert asking.instance.asked == []


@pytest.mark.parametrize(
    "body",
    [{}, {"tx": None}, {"tx": {"kind": "eth"}}, {"tx": {"kind": "eth", "data": "00"}},
     {"tx": {"kind": "std", "data": {}}}, {"tx": {"kind": "std", "data": "0x00"}},
     {"tx": {"kind": "sol", "data": {}}}, {"tx": {"kind": "eth", "data": ETH}, "encrypt": 1}],
)  # fmt: skip
def test_another_body_than_a_transactions_is_a_422(asking, body):
    assert asking("POST", SUBMIT, body).status == 422


def test_metadata_are_replaced_merged_and_taken_away(asking):
    assert asking.json("GET", METADATA) == {}
    assert asking("POST", METADATA + "/", {"a": "1", "b": "ü"}).body == b""
    assert asking.json("GET", METADATA) == {"a": "1", "b": "ü"}
    assert asking.instance.told == {PREFIX + "a": b"1", PREFIX + "b": "ü".encode()}
    assert asking("PUT", METADATA, {"c": "3"}).status == 200
    assert asking("DELETE", METADATA, ["a", "zz"]).status == 200
    assert asking.json("GET", METADATA) == {"b": "ü", "c": "3"}
    assert asking("POST", METADATA, {"d": "4"}).status == 200
    assert asking.instance.told == {PREFIX + "d": b"4"}


def test_what_does_not_change_registers_nothing(asking):
    asking("POST", METADATA, {"a": "1"})
    before = len(asking.instance.asked)
    asking("POST", METADATA, {"a": "1"})
    asking("PUT", METADATA, {"a": "1"})
    asking("DELETE", METADATA, ["b"])
    assert len(asking.instance.asked) == before


def test_metadata_that_the_network_refuses_are_not_kept(asking):
    asking("POST", METADATA, {"a": "1"})
    asking.instance.refusal = NetworkUnreachable("http://x", "refused")
    answer = asking("PUT", METADATA, {"b": "2"})
    assert (answer.status, answer.kind) == (400, TEXT)
    assert asking.json("GET", METADATA) == {"a": "1"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({str(n): "" for n in range(MAX_PAIRS + 1)}, 400),
        ({"x" * 1_011: ""}, 400),
        ({"x": "y" * 16_385}, 400),
        ({str(n): "y" * 16_000 for n in range(4)}, 400),
        ({"x": 1}, 422),
        ({"x": None}, 422),
        (["x"], 422),
    ],
)
def test_metadata_have_a_most(asking, body, status):
    assert asking("POST", METADATA, body).status == status
    assert asking.json("GET", METADATA) == {}


@pytest.mark.parametrize("body", [{"a": "b"}, "a", [1], [["a"]]])
def test_names_to_take_away_are_a_list(asking, body):
    assert asking("DELETE", METADATA, body).status == 422


def test_a_query_is_cbor_both_ways(asking):
    body = {"method": "rofl.App", "args": encode({"id": bytes(APP)}).hex()}
    told = asking.json("POST", QUERY, body)
    assert cbor2.loads(bytes.fromhex(told["data"])) == {"method": "rofl.App"}
    assert asking.instance.asked == [("query", "rofl.App", {"id": bytes(APP)})]
    limits = asking.json("POST", QUERY, {"method": "rofl.MetadataLimits", "args": "f6"})["data"]
    assert cbor2.loads(bytes.fromhex(limits))["max_pairs"] == 64


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"method": "core.Parameters", "args": "f6"}, 500),
        ({"method": "rofl.App", "args": "ff"}, 500),
        ({"method": "rofl.App", "args": "f6"}, 500),
        ({"method": "rofl.App", "args": "0xf6"}, 422),
        ({"method": "rofl.App"}, 422),
        ({"args": "f6"}, 422),
    ],
)
def test_a_query_that_fails_says_so(asking, body, status):
    answer = asking("POST", QUERY, body)
    assert answer.status == status
    assert answer.status == 422 or answer.body.startswith(b"Query failed: ")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/rofl/v1/nothing"), ("DELETE", "/rofl/v1/app/id"), ("GET", GENERATE), ("GET", "/")],
)
def test_another_route_is_a_404_page(asking, method, path):
    page = asking(method, path)
    assert (page.status, page.kind[:9]) == (404, "text/html")
    as_json = asking(method, path, headers={"accept": "application/json"})
    assert (as_json.status, as_json.kind) == (404, JSON)
    assert b'"code":404' in as_json.body
