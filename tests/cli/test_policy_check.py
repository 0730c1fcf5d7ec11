"""`keymoot policy check` says what the ledger would: the same wish, held against the same rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keymoot.base.errors import KeymootError
from keymoot.base.transaction import DYNAMIC_FEE, LEGACY, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, Wei
from keymoot.cli.output import CommandFailed
from keymoot.cli.policy import check
from keymoot.crypto.keccak import keccak256_raw
from tests.examples import examples
from tests.runtime.people import RECOVERY, TARGET, VAULT, Scenario, policy

CALL = "pay(address[] to,uint8 kind,bytes note)"
SELECTOR = keccak256_raw(b"pay(address[],uint8,bytes)")[:4]
LARGEST = 2**64 - 1


def shown(transaction: EvmTransaction) -> dict[str, Any]:
    """Write a transaction as web3.py does."""
    fields: dict[str, Any] = {
        "type": transaction.kind,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "gas": transaction.gas,
        "to": None if transaction.to is None else transaction.to.hex0x,
        "value": hex(transaction.value),
        "data": "0x" + transaction.data.hex(),
    }
    if transaction.kind == LEGACY:
        return fields | {"gasPrice": transaction.max_fee}
    return fields | {
        "maxFeePerGas": transaction.max_fee,
        "maxPriorityFeePerGas": transaction.max_priority_fee,
    }


def offline(
    folder: Path, capsys: Any, document: dict[str, Any], fields: Any, wallet: str | None
) -> tuple[int, dict[str, Any]]:
    """Give the exit status of the command, and what it prints."""
    rules, wish = folder / "rules.json", folder / "tx.json"
    rules.write_text(json.dumps(document, indent=2))
    wish.write_text(fields if isinstance(fields, str) else json.dumps(fields))
    capsys.readouterr()
    try:
        check(rules, tx=wish, wallet=wallet, json=True)
        status = 0
    except CommandFailed as failed:
        status = failed.status
    out = capsys.readouterr().out
    return status, json.loads(out) if out else {}


def said(told: dict[str, Any]) -> str:
    """Give the word of the command's refusal, or "" for a yes."""
    return (told["refusal"] or {"reason": ""})["reason"]


def expected(word: str, told: dict[str, Any]) -> int:
    """Give the exit status that belongs to the ledger's word and the command's warnings."""
    if word:
        return 3
    return 4 if told["warnings"] else 0


def on_the_ledger(scenario: Scenario, transaction: EvmTransaction) -> str:
    """Give the word of the refusal, or "" for a yes."""
    try:
        receipt = scenario.ask(transaction)[0]
    except KeymootError:
        return "PAYLOAD_TOO_LARGE"
    return "" if receipt.status else receipt.error_code


numbers = st.sampled_from(["0", "1", "5", "255", "256", "1000000"])
addresses = st.sampled_from([VAULT.hex0x, RECOVERY.hex0x, "$wallet"])
listed = st.sampled_from([VAULT.hex0x, RECOVERY.hex0x])
amounts = st.one_of(
    st.builds(lambda word, one: {word: one}, st.sampled_from(["lte", "gte", "eq", "lt"]), numbers),
    st.just({"gte": "1", "lte": "255"}),
)
whom = st.one_of(
    st.builds(lambda one: {"eq": one}, addresses),
    st.builds(
        lambda one, word: {word: one},
        st.lists(listed, min_size=1, max_size=2, unique=True),
        st.sampled_from(["in", "in", "in", "notIn"]),
    ),
)
whoms = st.builds(lambda word, one: {word: one}, st.sampled_from(["any", "all", "all"]), whom)
arguments = st.fixed_dictionaries(
    {}, optional={"to": whoms, "kind": amounts, "note": st.just({"eq": "0x01"})}
)
rules = st.builds(
    lambda action, rule, spend, more: (
        rule
        | {"action": action}
        | ({"spend": spend} if action == "ALLOW" else {})
        | (more if action == "ALLOW" and "function" in rule else {})
    ),
    st.sampled_from(["ALLOW", "ALLOW", "ALLOW", "DENY"]),
    st.one_of(
        st.fixed_dictionaries({"to": whom, "value": amounts}),
        st.fixed_dictionaries(
            {"to": whom, "function": st.just(CALL), "args": arguments},
            optional={"value": amounts},
        ),
    ),
    st.sampled_from([{}, {"day": "$value"}]),
    st.sampled_from([{}, {"accessList": "any"}, {"suffix": "erc8021"}, {"suffix": "0x00"}]),
)
documents = st.fixed_dictionaries(
    {"rules": st.lists(rules, min_size=1, max_size=3)},
    optional={
        "chain": st.sampled_from(["eip155:1", *[f"eip155:{TARGET}"] * 6]),
        "expires": st.sampled_from(["2020-01-01T00:00:00Z", *["2040-01-01T00:00:00Z"] * 6]),
        "limits": st.sampled_from(
            [
                [{"id": "day", "max": "5", "per": "tx"}],
                [{"id": "day", "max": "5", "window": "24h", "kind": "rolling"}],
                [
                    {"id": "day", "max": "300", "window": "1h", "kind": "rolling"},
                    {"id": "fee", "meter": "maxFee", "max": "210000", "per": "tx"},
                    {"id": "rate", "meter": "count", "max": "1", "window": "1h", "kind": "rolling"},
                ],
            ]
        ),
    },
)
bodies = st.one_of(
    st.just(b""),
    st.builds(
        lambda to, kind, note, tail: (
            SELECTOR + encode(["address[]", "uint8", "bytes"], [to, kind, note]) + tail
        ),
        st.lists(st.sampled_from([VAULT, RECOVERY]), max_size=3),
        st.sampled_from([0, 5, 255]),
        st.sampled_from([b"", b"\1"]),
        st.sampled_from([b"", b"", b"", b"\0", b"a\x01\0" + b"\x80\x21" * 8]),
    ),
    st.sampled_from([SELECTOR, SELECTOR[:3], bytes(65_000), bytes(65_536)]),
)
transactions = st.builds(
    EvmTransaction,
    kind=st.sampled_from([DYNAMIC_FEE, DYNAMIC_FEE, LEGACY]),
    chain_id=st.sampled_from([TARGET, TARGET, TARGET, ChainId(1)]),
    nonce=st.sampled_from([Nonce(0), Nonce(LARGEST)]),
    max_priority_fee=st.just(Wei(10)),
    max_fee=st.just(Wei(10)),
    gas=st.sampled_from([Gas(21_000), Gas(21_001), Gas(LARGEST)]),
    to=st.sampled_from([VAULT, VAULT, RECOVERY, None]),
    value=st.sampled_from([Wei(0), Wei(5), Wei(256), Wei(2**256 - 1)]),
    data=bodies,
)


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents, transactions)
def test_the_command_and_the_ledger_say_the_same(
    tmp_path: Path, capsys: Any, changes: dict[str, Any], transaction: EvmTransaction
) -> None:
    document = policy(500) | changes
    document["rules"] = [
        {"id": f"r{at}", "method": "eth_signTransaction"} | rule
        for at, rule in enumerate(document["rules"])
    ]
    scenario = Scenario()
    scenario.grant()
    set_ = scenario.rule(document)
    status, told = offline(tmp_path, capsys, document, shown(transaction), scenario.account.hex0x)
    if not set_.status:
        # Two comparisons that no value of a uint8 satisfies, for one.
        assert (set_.error_code, status) == ("BAD_POLICY", 1)
        return
    word = on_the_ledger(scenario, transaction)
    assert (status, said(told)) == (expected(word, told), word)
    if not word:
        log = json.loads(scenario.view("log", scenario.wallet, 0, 1)[0][0])
        assert told["rule"] == log["rule"]


texts = st.builds(
    bytes.__add__,
    st.sampled_from([b"app.example says ", b"app.example says no", b"app.example", b""]),
    st.one_of(
        st.binary(max_size=8),
        st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from([b"\r", b"\n\t", "\u202e".encode(), b"x" * 2_040, b"x" * 70_000]),
    ),
)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts, st.booleans())
def test_the_command_and_the_ledger_say_the_same_of_texts(
    tmp_path: Path, capsys: Any, text: bytes, denies: bool
) -> None:
    rule = {"id": "login", "action": "ALLOW", "method": "personal_sign", "prefix": "app.example "}
    document = policy(500)
    document["rules"].append(rule)
    if denies:
        document["rules"].append(
            rule | {"id": "no", "action": "DENY", "prefix": "app.example says n"}
        )
    scenario = Scenario()
    scenario.grant()
    assert scenario.rule(document).status
    try:
        receipt = scenario.chain.send(scenario.request(text, method="personal_sign")[0])
        word = "" if receipt.status else receipt.error_code
    except KeymootError:
        word = "PAYLOAD_TOO_LARGE"
    rules, file = tmp_path / "rules.json", tmp_path / "text"
    rules.write_text(json.dumps(document))
    file.write_bytes(text)
    capsys.readouterr()
    try:
        check(rules, message=file, wallet=scenario.account.hex0x, json=True)
        status = 0
    except CommandFailed as failed:
        status = failed.status
    told = json.loads(capsys.readouterr().out)
    assert (status, said(told)) == (expected(word, told), word)


def test_a_wish_that_no_request_holds_is_refused(tmp_path: Path, capsys: Any) -> None:
    document = policy(500)
    large = EvmTransaction(
        DYNAMIC_FEE, TARGET, Nonce(0), Wei(1), Wei(10), Gas(1), VAULT, Wei(0), bytes(65_536)
    )
    status, told = offline(tmp_path, capsys, document, shown(large), VAULT.hex0x)
    assert (status, told["refusal"]["reason"]) == (3, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"to": "0x", "to": "0x"}',
        '{"nonce": 1.5}',
        '{"nonce": ' + "9" * 5_000 + "}",
        '{"nonce": NaN}',
        '"\\ud800"',
        "\x00",
        "{",
        "[]",
        '{"nonce": -1, "gas": 1, "gasPrice": 1, "chainId": 1}',
        '{"nonce": 18446744073709551616, "gas": 1, "gasPrice": 1, "chainId": 1}',
        '{"nonce": true, "gas": 1, "gasPrice": 1, "chainId": 1}',
        '{"nonce": {}, "gas": [], "gasPrice": 1, "chainId": 1}',
        '{"accessList": {"a": [[[[]]]]}, "nonce": 1, "gas": 1, "gasPrice": 1, "chainId": 1}',
    ],
)
def test_a_file_that_is_no_transaction_gets_a_word_not_a_traceback(
    tmp_path: Path, capsys: Any, text: str
) -> None:
    assert offline(tmp_path, capsys, policy(5), text, VAULT.hex0x)[0] == 1


def test_a_policy_is_as_long_as_its_canonical_form(tmp_path: Path, capsys: Any) -> None:
    document = policy(5, expires="2036-01-01T00:00:00Z")
    document["limits"].append(
        {"id": "gas", "meter": "maxFee", "max": "9", "window": "1h", "kind": "rolling"}
    )
    document["sets"] = {f"s{n}": [f"0x{n * 1_000 + m:040x}" for m in range(100)] for n in range(10)}
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(document, indent=16))
    assert rules.stat().st_size > 65_536 > len(json.dumps(document))
    check(rules, json=True)
    assert json.loads(capsys.readouterr().out)["valid"]
    rules.write_text(json.dumps(document | {"note": "x" * 30_000}))
    with pytest.raises(CommandFailed):
        check(rules)
    assert "bytes, at most 65536" in capsys.readouterr().err


def test_the_wallet_is_who_the_transaction_is_from(tmp_path: Path, capsys: Any) -> None:
    document = policy(500)
    document["rules"][0]["to"] = {"eq": "$wallet"}
    payment = EvmTransaction(
        DYNAMIC_FEE, TARGET, Nonce(0), Wei(1), Wei(10), Gas(1), VAULT, Wei(0), b""
    )
    told = offline(tmp_path, capsys, document, shown(payment) | {"from": VAULT.hex0x}, None)
    assert (told[0], told[1]["allowed"]) == (4, True)
    assert offline(tmp_path, capsys, document, shown(payment), None)[0] == 3
    assert offline(tmp_path, capsys, document, shown(payment) | {"from": 5}, None)[0] == 1


@pytest.mark.parametrize("action", ["ALLOW", "DENY"])
def test_a_deny_says_nothing_of_access_lists(action: str) -> None:
    document = policy(5)
    document["rules"][0] |= {"action": action, "accessList": "any"}
    document["rules"][0].pop("spend")
    assert Scenario().rule(document).status == (action == "ALLOW")
