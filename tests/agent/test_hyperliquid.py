"""An account signs an action as its policy allows, and nothing else as that action."""

import json
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import BadTransaction, WrongAnswer
from keymoot.base.fixed import Hash32, Signature65
from keymoot.base.request import SIGN_HYPERLIQUID, decode_request
from keymoot.crypto import secp256k1
from tests.agent.fake_network import FakeNetwork
from tests.policy.chains.evm.hyperliquid.actions import (
    NONCE,
    VAULT,
    VECTORS,
    order,
    orders,
    sent,
)


def test_signs_what_the_exchange_takes(account: Account, network: FakeNetwork) -> None:
    told = VECTORS["order"]["wish"]
    action, nonce = told["action"], told["nonce"]
    signed = account.sign_hyperliquid_action(action, nonce, network="mainnet")
    digest = bytes.fromhex(VECTORS["order"]["digest"])
    assert signed.message_hash == digest
    recovered = EthAccount._recover_hash(digest, signature=signed.signature)
    assert recovered == account.address
    request, _ = decode_request(network.sent[0])
    assert request.method == SIGN_HYPERLIQUID
    # The keys are in the order in which they came.
    assert list(json.loads(request.payload)["action"]) == list(action)


@pytest.mark.parametrize(
    ("action", "more", "reason"),
    [
        (orders(order(s="5")), {}, "LIMIT_EXCEEDED"),
        (orders(), {"vault_address": VAULT}, "NO_RULE"),
        (sent(destination=VAULT), {}, "CONDITION_FAILED"),
        ({"type": "approveAgent"}, {}, "UNKNOWN_ACTION"),
        (orders(order(s=0.5)), {}, "MALFORMED_ACTION"),
    ],
)
def test_a_refusal_is_the_networks(
    account: Account, network: FakeNetwork, action: Any, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PolicyRefused) as caught:
        account.sign_hyperliquid_action(action, NONCE, network="mainnet", **more)
    assert caught.value.reason == reason
    assert network.signed == []


def test_what_is_no_json_is_not_sent(account: Account, network: FakeNetwork) -> None:
    for action in ({"type": b"order"}, {"type": float("nan")}):
        with pytest.raises(BadTransaction, match="no action"):
            account.sign_hyperliquid_action(action, NONCE, network="mainnet")
    assert network.sent == []


def test_a_signature_over_another_action_is_not_returned(
    account: Account, network: FakeNetwork
) -> None:
    def other(digest: Hash32, _: Signature65) -> tuple[Hash32, Signature65]:
        return digest, secp256k1.sign(network.wallet_key, Hash32(bytes(32)))

    network.lie = other
    with pytest.raises(WrongAnswer):
        account.sign_hyperliquid_action(orders(), NONCE, network="mainnet")
