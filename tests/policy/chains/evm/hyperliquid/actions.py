"""Wishes for actions, and the document that tests hold against them.

`vectors.json` has a wish for each kind of action, with the digest that the exchange's Python SDK
(0.24) signs for it.
"""

import json
from pathlib import Path
from typing import Any

from keymoot.base.request import SIGN_HYPERLIQUID
from keymoot.policy.chains.evm.hyperliquid.action import ActionIntent, read_action
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy
from keymoot.policy.limit import Usage
from keymoot.policy.refusal import NeverSigned
from tests.policy import documents

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text())
MILLION = 1_000_000
"""Of 10^-6 USD."""

NONCE = 1_000 * documents.NOW
"""The ledger's time in milliseconds, as an agent with a right clock has it."""

PAYEE = "0x" + "02" * 20
VAULT = "0x" + "33" * 20
CLOID = "0x" + "0f" * 16


def order(**changes: Any) -> dict[str, Any]:
    """Buy 0.01 of asset 0 at 65,000: 650 USD."""
    start = {"a": 0, "b": True, "p": "65000", "s": "0.01", "r": False}
    return start | {"t": {"limit": {"tif": "Gtc"}}} | changes


def orders(*several: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "order", "orders": list(several or (order(),)), "grouping": "na"} | changes


def user_signed(kind: str, nonce: int = NONCE, **fields: Any) -> dict[str, Any]:
    named = "nonce" if kind == "usdClassTransfer" else "time"
    told = {"type": kind, "signatureChainId": "0x66eee", "hyperliquidChain": "Mainnet"}
    return told | {named: nonce} | fields


def sent(amount: str = "5", destination: str = PAYEE) -> dict[str, Any]:
    return user_signed("usdSend", destination=destination, amount=amount)


def wish(action: Any, **changes: Any) -> dict[str, Any]:
    told = {"action": action, "nonce": NONCE, "vaultAddress": None, "expiresAfter": None}
    return told | {"network": "mainnet"} | changes


def payload(action: Any, **changes: Any) -> bytes:
    return json.dumps(wish(action, **changes)).encode()


def read(action: Any, **changes: Any) -> ActionIntent:
    return read_action(payload(action, **changes), documents.WALLET)


def rule(name: str, kind: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    start = {"id": name, "action": "ALLOW", "method": SIGN_HYPERLIQUID, "type": kind}
    return start | {"network": "mainnet", "fields": fields} | more


def perps() -> dict[str, Any]:
    """Orders in asset 0, payments to one address and tokens on Base share 1,000 USD a day."""
    day = {"usd-day": "notional"}
    transfer = {
        "id": "usdc",
        "action": "ALLOW",
        "method": documents.SIGN,
        "to": {"in": "usdc"},
        "function": "transfer(address to,uint256 value)",
        "args": {"to": {"eq": PAYEE}},
        "spend": {"usd-day": "value"},
    }
    floor = {"asset": {"eq": "0"}, "price": {"gte": "6000000000000"}}
    return {
        "version": "1",
        "chain": "eip155:8453",
        "sets": {"usdc": [documents.checksummed(documents.USDC)]},
        "rules": [
            rule("close", "order", {"asset": {"eq": "0"}, "reduceOnly": {"eq": True}}),
            rule("trade", "order", floor, spend=day),
            rule("cancel", "cancel", {}),
            rule("dead-man", "scheduleCancel", {}),
            rule("lever", "updateLeverage", {"asset": {"eq": "0"}, "leverage": {"lte": "3"}}),
            rule("margin", "updateIsolatedMargin", {"asset": {"eq": "0"}, "amount": {"lte": "9"}}),
            rule("pay", "usdSend", {"destination": {"eq": PAYEE}}, spend={"usd-day": "amount"}),
            rule("home", "withdraw3", {"destination": {"eq": "$wallet"}, "amount": {"lte": "9"}}),
            rule("class", "usdClassTransfer", {"amount": {"lte": "9"}}),
            transfer,
        ],
        "limits": [
            {"id": "usd-day", "max": "1000000000", "window": "24h", "kind": "rolling"},
            {"id": "rate", "meter": "count", "max": "60", "window": "1h", "kind": "rolling"},
            {"id": "gas", "meter": "maxFee", "max": "1", "per": "tx"},
        ],
        "expires": "2027-01-01T00:00:00Z",
    }


POLICY = documents.parsed(perps())


def judge(
    action: Any,
    policy: Policy | None = None,
    usage: dict[str, Usage] | None = None,
    **changes: Any,
) -> Decision:
    return decide(policy or POLICY, read(action, **changes), usage or {}, (), documents.NOW)


def reason(action: Any, policy: Policy | None = None, **changes: Any) -> tuple[str, str | None]:
    """Give a refusal's word and path; ("", None) for a yes."""
    try:
        found = judge(action, policy, **changes).refusal
    except NeverSigned as error:
        found = error.refusal
    return ("", None) if found is None else (found.reason, found.path)
