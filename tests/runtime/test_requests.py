"""Requests: replay, racing, quota, and what a credential cannot do."""

import json

import pytest
from eth_abi.abi import decode

from keymoot.base.errors import KeymootError
from keymoot.base.request import ASK_AGAIN, SIGN_TRANSACTION
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.runtime import gas
from keymoot.runtime.transactions import open_transaction
from tests.runtime.people import AGENT, OWNER, STRANGER, Scenario, calldata, payment, policy


def test_fifty_requests_in_one_block_spend_exactly_the_limit() -> None:
    scenario = Scenario().ready(limit=500)
    raws = [scenario.request(payment(50, nonce=n).unsigned_bytes())[0] for n in range(50)]
    receipts = scenario.chain.send_together(raws)
    assert sum(receipt.status for receipt in receipts) == 10
    refused = {receipt.error_code for receipt in receipts if not receipt.status}
    assert refused == {"LIMIT_EXCEEDED"}
    usage = json.loads(scenario.view("usage", scenario.wallet)[0])
    assert usage == [{"limit": "day", "max": "500", "used": "500", "window": 86400}]


def test_the_same_id_and_body_is_charged_and_logged_once() -> None:
    scenario = Scenario().ready()
    raw, _ = scenario.request(payment(1).unsigned_bytes(), name=b"i" * 32)
    first, second = scenario.chain.send(raw), scenario.chain.send(raw)
    assert (first.status, second.status) == (1, 0)
    assert (second.error_code, second.gas_used) == ("ALREADY_ANSWERED", 0)
    assert scenario.show()[8] == 1


def test_the_same_id_with_another_body_is_refused() -> None:
    scenario = Scenario().ready()
    first, _ = scenario.request(payment(1).unsigned_bytes(), name=b"i" * 32)
    other, _ = scenario.request(payment(2).unsigned_bytes(), name=b"i" * 32)
    receipts = scenario.chain.send_together([first, other])
    assert [receipt.error_code for receipt in receipts] == ["", "REQUEST_REUSED"]
    assert scenario.show()[8] == 1


def test_every_refusal_stands_in_the_log_with_its_reason() -> None:
    scenario = Scenario().ready(limit=100)
    scenario.ask(payment(100))
    scenario.ask(payment(1, nonce=1))
    scenario.chain.send(scenario.request(b"hello", method="personal_sign")[0])
    log = [json.loads(line) for line in scenario.view("log", scenario.wallet, 0, 10)[0]]
    assert [entry["status"] for entry in log] == ["bound", "refused", "refused"]
    refusal = log[1]["refusal"]
    assert refusal["code"] == 4100
    assert refusal["data"]["reason"] == "LIMIT_EXCEEDED"
    assert refusal["data"]["limit"] == "day"
    assert (refusal["data"]["max"], refusal["data"]["used"]) == ("100", "100")
    assert refusal["data"]["requested"] == "1"
    assert refusal["data"]["availableAt"].endswith("Z")
    assert refusal["data"]["policyVersion"] == 1
    assert refusal["data"]["policyHash"] == "0x" + scenario.show()[6].hex()
    assert log[2]["refusal"]["data"]["reason"] == "METHOD_NOT_ALLOWED"


def test_a_wallet_without_policy_or_paused_refuses_everything() -> None:
    scenario = Scenario()
    scenario.grant()
    assert scenario.ask(payment(1))[0].error_code == "NO_POLICY"
    scenario.rule(policy())
    scenario.send(OWNER, "pause", scenario.wallet)
    assert scenario.ask(payment(1))[0].error_code == "PAUSED"
    scenario.send(OWNER, "resume", scenario.wallet)
    assert scenario.ask(payment(1))[0].status == 1


def test_who_may_not_ask_pays_nothing_and_changes_nothing() -> None:
    scenario = Scenario().ready()
    before = scenario.show()
    stranger = scenario.ask(payment(1), who=STRANGER)[0]
    late = scenario.chain.send(scenario.request(payment(1).unsigned_bytes(), seconds=-5)[0])
    far = scenario.chain.send(scenario.request(payment(1).unsigned_bytes(), seconds=10_000)[0])
    codes = [receipt.error_code for receipt in (stranger, late, far)]
    assert codes == ["NO_SUCH_CREDENTIAL", "EXPIRED", "EXPIRY_TOO_FAR"]
    assert [receipt.gas_used for receipt in (stranger, late, far)] == [0, 0, 0]
    assert scenario.show() == before
    scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address)
    assert scenario.ask(payment(1))[0].error_code == "CREDENTIAL_REVOKED"


def test_refusals_are_paid_from_the_quota_like_answers() -> None:
    scenario = Scenario().ready()
    before = scenario.show()[4]
    refused, _ = scenario.ask(payment(10**6))
    after = scenario.show()[4]
    assert refused.status == 0
    assert before - after == refused.gas_used * scenario.chain.block.base_fee > 0


def test_an_empty_quota_asks_nothing() -> None:
    scenario = Scenario()
    made = scenario.send(OWNER, "create", b"t" * 32, b"\x99" * 20, value=0)
    scenario.wallet = type(scenario.wallet)(decode(["bytes32", "address"], made.output)[0])
    scenario.ready()
    assert scenario.ask(payment(1))[0].error_code == "QUOTA_EMPTY"
    scenario.send(OWNER, "fund", scenario.wallet, value=gas.REQUEST_LIMIT * 10**9)
    assert scenario.ask(payment(1))[0].status == 1


@pytest.mark.parametrize("method", [SIGN_TRANSACTION, ASK_AGAIN])
def test_a_quota_for_one_request_asks_one_in_a_block(method: str) -> None:
    scenario = Scenario()
    made = scenario.send(OWNER, "create", b"t" * 32, b"\x99" * 20, value=gas.REQUEST_LIMIT * 10**9)
    scenario.wallet = type(scenario.wallet)(decode(["bytes32", "address"], made.output)[0])
    scenario.ready()
    payload = payment(1).unsigned_bytes() if method == SIGN_TRANSACTION else b"k" * 32
    raws = [scenario.request(payload, method=method)[0] for _ in range(2)]
    first, second = scenario.chain.send_together(raws)
    assert first.gas_used > 0
    assert (second.error_code, second.gas_used) == ("QUOTA_EMPTY", 0)


ARGUMENTS = {
    "set_policy": lambda scenario: (scenario.wallet, b"{}", 1),
    "grant": lambda scenario: (scenario.wallet, STRANGER.address, scenario.chain.block.time + 100),
    "revoke": lambda scenario: (scenario.wallet, AGENT.address),
    "grant_app": lambda scenario: (scenario.wallet, b"a" * 21, scenario.chain.block.time + 100),
    "revoke_app": lambda scenario: (scenario.wallet, b"a" * 21),
    "pause": lambda scenario: (scenario.wallet,),
    "resume": lambda scenario: (scenario.wallet,),
    "withdraw": lambda scenario: (
        scenario.wallet,
        payment(1, to=scenario.account).unsigned_bytes(),
        b"i" * 32,
        scenario.chain.block.time + 100,
        b"r" * 32,
        0,
        0,
    ),
}


@pytest.mark.parametrize("who", [AGENT, STRANGER])
@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_nobody_but_the_owner_rules_a_wallet(name: str, who) -> None:
    scenario = Scenario().ready()
    before, log = scenario.show(), scenario.view("log", scenario.wallet, 0, 10)
    first, *rest = name.split("_")
    method = first + "".join(part.title() for part in rest)
    receipt = scenario.send(who, method, *ARGUMENTS[name](scenario))
    assert (receipt.status, receipt.error_code) == (0, "NOT_OWNER")
    assert receipt.output[:4] == bytes.fromhex("30cd7471")  # NotOwner()
    assert (scenario.show(), scenario.view("log", scenario.wallet, 0, 10)) == (before, log)


def test_every_method_of_wallets_is_the_owners_a_view_or_harmless() -> None:
    calls = {m.name for m in Wallets.METHODS.values() if not m.rules.view}
    owners = {"setPolicy", "grant", "revoke", "pause", "resume", "withdraw"}
    owners |= {"grantApp", "revokeApp"}
    assert calls == owners | {"create", "createInVault", "createSolana", "createOn", "fund"}


def test_an_unsigned_query_is_nobody() -> None:
    scenario = Scenario().ready()
    for name in ARGUMENTS:
        first, *rest = name.split("_")
        method = first + "".join(part.title() for part in rest)
        with pytest.raises(KeymootError) as refused:
            scenario.chain.ask(
                Wallets.ADDRESS, calldata(Wallets, method, *ARGUMENTS[name](scenario))
            )
        assert refused.value.code == "NOT_OWNER"
    with pytest.raises(KeymootError) as anonymous:
        scenario.chain.ask(Wallets.ADDRESS, calldata(Wallets, "create", b"s" * 32, b"\x01" * 20))
    assert anonymous.value.code == "ANONYMOUS"


def test_a_request_for_another_network_does_not_open() -> None:
    scenario = Scenario().ready()
    raw, _ = scenario.request(payment(1).unsigned_bytes())
    other = type(scenario.chain.block.network)(b"o" * 32)
    with pytest.raises(KeymootError) as wrong:
        open_transaction(raw, scenario.chain.block.chain_id, other)
    assert wrong.value.code == "WRONG_NETWORK"


def test_a_stale_policy_version_is_refused() -> None:
    scenario = Scenario().ready()
    receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, b"{}", 0)
    assert receipt.error_code == "STALE_POLICY"
    assert "version 1" in receipt.error


@pytest.mark.parametrize("filler", ["\0", "x"])
def test_the_longest_allowed_wish_leaves_a_record_that_can_be_read(filler: str) -> None:
    from dataclasses import replace

    from eth_abi.abi import encode

    from keymoot.crypto.keccak import keccak256_raw
    from tests.runtime.people import VAULT

    names = [f"s{n}" for n in range(90)]
    rule = {
        "id": "note",
        "action": "ALLOW",
        "method": "eth_signTransaction",
        "to": {"eq": VAULT.hex0x},
        "function": f"note({','.join(f'string {name}' for name in names)})",
    }
    crowd = ["0x" + n.to_bytes(20, "big").hex() for n in range(1, 1_000)]
    scenario = Scenario().ready()
    assert scenario.rule(policy(rules=[rule], limits=[], sets={"crowd": crowd})).status == 1
    kinds = ["string"] * len(names)
    body = encode(kinds, [filler * 640] * len(names))
    selector = keccak256_raw(f"note({','.join(kinds)})".encode())[:4]
    wish = replace(payment(0), data=selector + body, gas=10_000_000)
    assert len(wish.unsigned_bytes()) > 60_000
    receipt, _ = scenario.ask(wish)
    assert (receipt.status, receipt.error) == (1, "")
    (entry,) = scenario.view("log", scenario.wallet, 0, 10)[0]
    assert json.loads(entry)["status"] == "bound"
