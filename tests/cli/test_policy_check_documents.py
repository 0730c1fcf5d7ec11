"""`keymoot policy check` tries typed data and actions, and says of them what the ledger would."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keymoot.base.request import SIGN_HYPERLIQUID, SIGN_TYPED_DATA
from keymoot.base.strict_json import canonical
from keymoot.cli.output import CommandFailed
from keymoot.cli.policy import check
from keymoot.policy.moment import format_moment
from tests.cli.shell import Shell
from tests.cli.test_policy_check import expected, said
from tests.examples import examples
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import order, orders, perps
from tests.policy.chains.evm.typed.payments import (
    PAYEE,
    STRANGER,
    authorization,
    document,
    payment_rule,
)
from tests.policy.documents import NOW, WALLET, checksummed
from tests.runtime.people import Scenario

LIMIT = {"id": "usdc-day", "max": "5000", "window": "24h", "kind": "rolling"}
MINE = ["--wallet", checksummed(WALLET), "--at", format_moment(NOW)]


def payments(*rules: dict[str, Any]) -> dict[str, Any]:
    told = list(rules or (payment_rule(),))
    return {"version": "1", "chain": "eip155:8453", "rules": told, "limits": [LIMIT]}


def traders() -> dict[str, Any]:
    return perps() | {"expires": "2090-01-01T00:00:00Z"}


def offline(folder: Path, capsys: Any, rules: Any, wish: Any, **options: Any) -> tuple[int, Any]:
    """Give the exit status of the command, and what it prints; `wish` is under its option."""
    (folder / "rules.json").write_text(json.dumps(rules))
    for name, told in wish.items():
        (folder / name).write_text(json.dumps(told, indent=3))
    capsys.readouterr()
    try:
        files: dict[str, Any] = {name: folder / name for name in wish}
        check(folder / "rules.json", **files, **options, json=True)
        status = 0
    except CommandFailed as failed:
        status = failed.status
    return status, json.loads(capsys.readouterr().out or "{}")


def both(
    folder: Path, capsys: Any, rules: dict[str, Any], wish: dict[str, Any], method: str, raw: bytes
) -> None:
    """Ask the ledger and the command, at the same time of the same wallet."""
    scenario = Scenario()
    scenario.grant()
    made = scenario.rule(rules)
    assert made.status, made.error
    receipt = scenario.chain.send(scenario.request(raw, method=method)[0])
    word = "" if receipt.status else receipt.error_code
    at = format_moment(scenario.chain.block.time)
    found = offline(folder, capsys, rules, wish, wallet=scenario.account.hex0x, at=at)
    assert (found[0], said(found[1])) == (expected(word, found[1]), word)
    if word:
        assert found[1]["refusal"].get("path") or word == "DENIED_BY_RULE"
    else:
        log = json.loads(scenario.view("log", scenario.wallet, 0, 1)[0][0])
        assert found[1]["rule"] == log["rule"]


SETTINGS = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ACCOUNT, GENESIS = Scenario().account, Scenario().chain.block.time
changed = st.fixed_dictionaries(
    {},
    optional={
        "value": st.sampled_from(["0", 5_000, "5001", "0x10", -1, None, 2**256]),
        "to": st.sampled_from([STRANGER.hex0x, "$wallet", 5]),
        "validBefore": st.sampled_from([0, GENESIS + 60, GENESIS + 800, 2**70]),
        "colour": st.just(1),
    },
)
typed_rules = st.sampled_from(
    [
        {},
        {"fields": {"to": {"eq": PAYEE.hex0x}}},
        {"fields": {"to": {"eq": PAYEE.hex0x}, "value": {"lte": "4999"}}, "spend": {}},
        {"action": "DENY", "within": {}, "spend": {}},
    ]
)


@SETTINGS
@given(typed_rules, changed, st.sampled_from([8_453, 1, None]))
def test_the_command_and_the_ledger_say_the_same_of_typed_data(
    tmp_path: Path, capsys: Any, rule: dict[str, Any], message: dict[str, Any], chain: int | None
) -> None:
    told = authorization(validBefore=GENESIS + 60)
    told["message"] |= {"from": ACCOUNT.hex0x} | message
    if chain is None:
        del told["domain"]["chainId"]
    else:
        told["domain"]["chainId"] = chain
    rules = payments(payment_rule(**rule), payment_rule(id="last"))
    both(tmp_path, capsys, rules, {"typed_data": told}, SIGN_TYPED_DATA, canonical(told))


ahead = st.sampled_from([0, 299_000, -299_000, 310_000, -310_000, 86_400_000])
wishes = st.builds(
    lambda action, more: {"action": action, "network": "mainnet"} | more,
    st.sampled_from(
        [
            orders(),
            orders(order(a=1)),
            orders(order(s="0.02")),
            orders(order(s="half")),
            orders(order(r=True), order(s="0.001")),
            {"type": "approveAgent"},
            {"type": "scheduleCancel"},
            5,
        ]
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "nonce": ahead.map(lambda far: 1_000 * GENESIS + far),
            "expiresAfter": ahead.map(lambda far: 1_000 * GENESIS + far),
            "vaultAddress": st.sampled_from([None, actions.VAULT, "0x"]),
            "network": st.sampled_from(["mainnet", "testnet", "Mainnet"]),
        },
    ),
)


@SETTINGS
@given(wishes, st.sampled_from([{}, {"within": {"expiresAfter": "5m"}}, {"fields": {}}]))
def test_and_of_actions(
    tmp_path: Path, capsys: Any, wish: dict[str, Any], rule: dict[str, Any]
) -> None:
    rules = traders()
    rules["rules"][1] |= rule if rule != {"fields": {}} else {"vault": {"eq": actions.VAULT}}
    asked = {"nonce": 1_000 * GENESIS, "vaultAddress": None, "expiresAfter": None} | wish
    raw = json.dumps(asked).encode()
    both(tmp_path, capsys, rules, {"action": asked}, SIGN_HYPERLIQUID, raw)


def test_a_payment_is_tried_and_shown(shell: Shell) -> None:
    rules = shell.write("rules.json", payments())
    good = ["--typed-data", shell.write("good.json", authorization())]
    bad = ["--typed-data", shell.write("bad.json", authorization(to=STRANGER))]
    done = shell.run("policy", "check", rules, *good, *MINE)
    assert done.returncode == 4
    assert "message.validBefore wants at most 2026-11-18T11:16:40Z" in done.stdout
    assert 'allowed by rule "x402"' in done.stdout
    told = shell.json("policy", "check", rules, *bad, *MINE, status=3)
    assert told["refusal"] | {"decoded": None} == {
        "reason": "CONDITION_FAILED",
        "rule": "x402",
        "path": "message.to",
        "decoded": None,
    }
    # Without --wallet, whose address nobody named.
    done = shell.run("policy", "check", rules, *good, "--at", format_moment(NOW))
    assert (done.returncode, "say whose it is with --wallet" in done.stderr) == (3, True)


def test_an_order_is_tried_and_shown(shell: Shell) -> None:
    rules = shell.write("rules.json", traders())
    wish = {"action": orders(), "network": "mainnet"}
    done = shell.run("policy", "check", rules, "--action", shell.write("wish.json", wish))
    assert 'allowed by rule "trade"' in done.stdout
    old = ["--action", shell.write("old.json", wish | {"nonce": actions.NONCE})]
    assert shell.json("policy", "check", rules, *old, status=3)["refusal"]["path"] == "nonce"
    assert shell.run("policy", "check", rules, *old, *MINE).returncode == 4


def test_a_payment_of_the_exchange_has_its_own_nonce(shell: Shell) -> None:
    rules = shell.write("rules.json", traders())
    wish = {"action": actions.sent(), "network": "mainnet"}
    done = shell.run("policy", "check", rules, "--action", shell.write("wish.json", wish), *MINE)
    assert 'allowed by rule "pay"' in done.stdout


def test_the_order_of_an_actions_keys_is_kept(tmp_path: Path) -> None:
    from keymoot.cli.request_files import action_of

    action = dict(reversed(orders().items()))
    (tmp_path / "wish").write_text(json.dumps({"action": action, "network": "mainnet"}))
    payload = action_of(tmp_path / "wish", NOW)
    assert list(json.loads(payload)["action"]) == list(action)


@pytest.mark.parametrize(
    ("option", "text", "word"),
    [
        ("--typed-data", "{", "not JSON"),
        ("--typed-data", "[]", "no typed data: a JSON object of types, primaryType"),
        ("--typed-data", '{"types": 1.5}', "a whole number"),
        ("--action", "{", "not JSON"),
        ("--action", "5", 'no action: a JSON object such as {"action": {"type": "order"'),
        ("--action", '{"type": "order"}', '{"action": {"type": "order"'),
        ("--action", '{"action": {"type": "order"}}', '"network": "mainnet"'),
    ],
)
def test_a_file_that_is_none_gets_the_line_to_write(
    shell: Shell, option: str, text: str, word: str
) -> None:
    rules = shell.write("rules.json", traders())
    (shell.folder / "wish").write_text(text)
    done = shell.run("policy", "check", rules, option, "wish")
    assert (done.returncode, word in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("option", ["--typed-data", "--action"])
def test_wallets_of_solana_sign_neither(shell: Shell, option: str) -> None:
    from tests.policy.chains.solana.messages import document as solana

    rules = shell.write("rules.json", solana())
    wish = shell.write("wish.json", {"action": orders(), "network": "mainnet"})
    done = shell.run("policy", "check", rules, option, wish)
    assert done.returncode == 1
    assert "wallets of solana sign no" in done.stderr


def test_one_thing_is_tried_at_a_time(shell: Shell) -> None:
    rules = shell.write("rules.json", traders())
    wish = shell.write("wish.json", {"action": orders(), "network": "mainnet"})
    done = shell.run("policy", "check", rules, "--action", wish, "--typed-data", wish)
    assert done.returncode == 1
    for option in ("--tx", "--message", "--typed-data", "--action"):
        assert option in done.stderr
    assert shell.run("policy", "check", rules, "--action", wish, "--at", "noon").returncode == 1


def test_what_is_longer_than_a_request_is_refused(shell: Shell) -> None:
    rules = shell.write("rules.json", payments())
    long = shell.write("long.json", document("Note(string text)", {"text": "x" * 65_536}))
    told = shell.json("policy", "check", rules, "--typed-data", long, *MINE, status=3)
    assert told["refusal"]["reason"] == "PAYLOAD_TOO_LARGE"
