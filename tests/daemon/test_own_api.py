"""Keymoot's own interface: wallets sign as their policies allow, and each no has a reason."""

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct

from keymoot.agent.errors import NetworkUnreachable
from keymoot.attest.evidence import INSTANCE_ENDING
from keymoot.daemon.own_api import MAX_KEY_CHARACTERS
from keymoot.daemon.run import Daemon
from tests.daemon.instance import APP, WALLET, MemoryInstance

SIGN = "/v1/wallets/mine/sign/"
WISH = {
    "type": 2, "chainId": 1, "nonce": 0, "maxPriorityFeePerGas": 1, "maxFeePerGas": 10,
    "gas": 21_000, "to": "0x" + "0a" * 20, "value": 5, "data": "0x",
}  # fmt: skip


def test_says_who_this_is(asking):
    told = asking.json("GET", "/v1/instance")
    assert (told["app"], told["simulated"]) == (APP.text, True)
    assert told["expiresAt"] == asking.instance.expires_at


def test_a_transaction_is_signed_once_for_a_name(asking):
    told = asking.json("POST", SIGN + "transaction", {"transaction": WISH, "idempotencyKey": "a"})
    assert EthAccount.recover_transaction(told["rawTransaction"]) == WALLET.address
    assert asking.instance.asked == [("sign", "a")]


def test_a_refusal_of_the_policy_is_a_403_with_its_fields(asking):
    wish = {"transaction": {**WISH, "value": 101}}
    error = asking.json("POST", SIGN + "transaction", wish, status=403)["error"]
    assert error == {
        "code": "POLICY_REFUSED",
        "message": "too much",
        "data": {"reason": "LIMIT_EXCEEDED"},
        "provedAt": 7,
    }
    typed = asking.json("POST", SIGN + "typed-data", {"typedData": {}}, status=403)["error"]
    assert typed["data"] == {"reason": "NO_RULE"}


def test_a_message_is_signed(asking):
    told = asking.json("POST", SIGN + "message", {"message": "hi"})
    found = EthAccount.recover_message(encode_defunct(text="hi"), signature=told["signature"])
    assert found == WALLET.address


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SIGN + "transaction", {}),
        (SIGN + "transaction", {"transaction": "0x"}),
        (SIGN + "transaction", {"transaction": {**WISH, "authorizationList": []}}),
        (SIGN + "transaction", {"transaction": WISH, "idempotencyKey": 5}),
        (SIGN + "transaction", {"transaction": WISH, "idempotencyKey": "x" * MAX_KEY_CHARACTERS + "x"}),
        (SIGN + "typed-data", {"typedData": []}),
        (SIGN + "message", {"message": 5}),
        (SIGN + "message", {"message": "x" * 70_000}),
        ("/v1/evidence", {"reportData": "0x" + "00" * 65}),
        ("/v1/evidence", None),
    ],
)  # fmt: skip
def test_what_is_no_wish_is_a_422_or_refused(asking, path, body):
    assert asking("POST", path, body).status in (403, 422)
    assert not [one for one in asking.instance.asked if one[0] != "sign"]


def test_evidence_is_of_any_bytes_but_a_registrations(asking):
    assert asking.json("POST", "/v1/evidence", {"reportData": ""})["simulated"] is True
    body = {"reportData": "0x" + (bytes(48) + INSTANCE_ENDING).hex()}
    error = asking.json("POST", "/v1/evidence", body, status=403)["error"]
    assert error["code"] == "RESERVED_REPORT_DATA"


def test_a_network_that_is_away_is_a_502(asking):
    def away(wallet):
        raise NetworkUnreachable("http://x", "refused")

    asking.instance.policy = away
    error = asking.json("GET", "/v1/wallets/mine/policy", status=502)["error"]
    assert error["code"] == "NETWORK_UNREACHABLE"


def test_a_wallet_that_is_not_named_is_not_there(asking):
    assert asking("GET", "/v1/wallets/other/policy").status == 404
    assert asking.json("GET", "/v1/wallets/mine/policy")["version"] == 1


def test_no_two_interfaces_take_one_path():
    paths = Daemon(MemoryInstance(), print).router.paths
    assert len(paths) > 45
