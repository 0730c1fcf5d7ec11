"""Actions of Hyperliquid under a policy."""

import json
from typing import Any

from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import keccak

from keymoot.policy.chains.evm.hyperliquid.action import read_action
from keymoot.policy.chains.evm.hyperliquid.msgpack import pack
from keymoot.policy.decide import decide
from keymoot.policy.refusal import NeverSigned
from tests.fuzz.target import Target
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions

_DOMAIN = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
}
_AGENT = {"source": "string", "connectionId": "bytes32"}
_PAYMENT = {
    "hyperliquidChain": "string",
    "destination": "string",
    "amount": "string",
    "time": "uint64",
}
_MOVE = {"hyperliquidChain": "string", "amount": "string", "toPerp": "bool", "nonce": "uint64"}
_BY_USER = {
    "usdSend": ("UsdSend", _PAYMENT),
    "withdraw3": ("Withdraw", _PAYMENT),
    "usdClassTransfer": ("UsdClassTransfer", _MOVE),
}


def check_action(raw: bytes) -> None:
    """What is read has the digest that eth-account gives it, and is decided upon."""
    try:
        intent = read_action(raw, documents.WALLET)
    except NeverSigned as error:
        assert str(error)
        return
    theirs = signable(json.loads(raw))
    assert intent.digest == keccak(b"\x19" + theirs.version + theirs.header + theirs.body)
    made = decide(actions.POLICY, intent, {}, (), documents.NOW)
    assert made.allowed == (made.refusal is None)
    json.dumps(made.decoded)


def signable(told: dict[str, Any]) -> SignableMessage:
    """Give eth-account's reading of what a wish has signed."""
    action = told["action"]
    if action["type"] in _BY_USER:
        name, fields = _BY_USER[action["type"]]
        primary = f"HyperliquidTransaction:{name}"
        return _document("HyperliquidSignTransaction", 0x66EEE, primary, fields, action)
    data = pack(action) + told["nonce"].to_bytes(8, "big")
    vault, expires = told["vaultAddress"], told["expiresAfter"]
    data += b"\0" if vault is None else b"\1" + bytes.fromhex(vault[2:])
    data += b"" if expires is None else b"\0" + expires.to_bytes(8, "big")
    source = "a" if told["network"] == "mainnet" else "b"
    agent = {"source": source, "connectionId": keccak(data)}
    return _document("Exchange", 1_337, "Agent", _AGENT, agent)


def _document(
    name: str, chain: int, primary: str, fields: dict[str, str], message: dict[str, Any]
) -> SignableMessage:
    zero = "0x" + "00" * 20
    document = {
        "types": {
            "EIP712Domain": [{"name": one, "type": kind} for one, kind in _DOMAIN.items()],
            primary: [{"name": one, "type": kind} for one, kind in fields.items()],
        },
        "primaryType": primary,
        "domain": {"name": name, "version": "1", "chainId": chain, "verifyingContract": zero},
        "message": {one: message[one] for one in fields},
    }
    return encode_typed_data(full_message=document)


def action_seeds() -> list[bytes]:
    return [json.dumps(one["wish"]).encode() for one in actions.VECTORS.values()]


TARGETS = [Target("actions of Hyperliquid", "eth-account", check_action, action_seeds, 10)]
