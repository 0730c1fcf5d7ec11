"""Typed data that agents ask for, and a policy over it, for tests."""

import json
from typing import Any

from keymoot.base.fixed import Address
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.evm.typed.intent import TypedIntent, read_typed_data
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy, parse_policy
from keymoot.policy.limit import Usage
from tests.policy.documents import WALLET

NOW = UnixSeconds(1_795_000_000)
USDC = Address(b"\x83" * 20)
PAYEE, STRANGER = Address(b"\x0a" * 20), Address(b"\x0b" * 20)

AUTHORIZATION = (
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    "uint256 validBefore,bytes32 nonce)"
)
PERMIT = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
PERMIT_SINGLE = (
    "PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)"
    "PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"
)
PERMIT_BATCH = (
    "PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,"
    "uint256 deadline)TokenPermissions(address token,uint256 amount)"
)
DOMAIN = {"name": "USD Coin", "version": "2", "chainId": 8453, "verifyingContract": USDC.hex0x}
RULED_DOMAIN: dict[str, Any] = {
    "name": "any",
    "version": "any",
    "chainId": {"eq": "8453"},
    "verifyingContract": {"eq": USDC.hex0x},
}


def types_of(encoded: str) -> dict[str, list[dict[str, str]]]:
    """Give a document's types for an `encodeType`."""
    found = {}
    for part in encoded.strip(")").split(")"):
        name, _, fields = part.partition("(")
        pairs = [one.split(" ") for one in fields.split(",")]
        found[name] = [{"name": own, "type": kind} for kind, own in pairs]
    return found


def document(encoded: str, message: dict[str, Any], **domain: Any) -> dict[str, Any]:
    return {
        "types": types_of(encoded),
        "primaryType": encoded.partition("(")[0],
        "domain": DOMAIN | domain,
        "message": message,
    }


def authorization(value: int = 1_000, to: Address = PAYEE, **changed: Any) -> dict[str, Any]:
    message = {
        "from": WALLET.hex0x,
        "to": to.hex0x,
        "value": str(value),
        "validAfter": 0,
        "validBefore": NOW + 60,
        "nonce": "0x" + "07" * 32,
    }
    return document(AUTHORIZATION, message | changed)


def payment_rule(**changed: Any) -> dict[str, Any]:
    return {
        "id": "x402",
        "action": "ALLOW",
        "method": "eth_signTypedData_v4",
        "domain": RULED_DOMAIN,
        "type": AUTHORIZATION,
        "fields": {"from": {"eq": "$wallet"}, "to": {"eq": PAYEE.hex0x}},
        "within": {"validBefore": "10m"},
        "spend": {"usdc-day": "value"},
    } | changed


def policy(*rules: dict[str, Any], most: int = 5_000) -> Policy:
    limit = {"id": "usdc-day", "max": str(most), "window": "24h", "kind": "rolling"}
    told = {
        "version": "1",
        "chain": "eip155:8453",
        "rules": list(rules or (payment_rule(),)),
        "limits": [limit],
    }
    return parse_policy(json.dumps(told))


def read(told: dict[str, Any]) -> TypedIntent:
    return read_typed_data(json.dumps(told).encode(), WALLET)


def decided(
    rules: Policy,
    told: dict[str, Any],
    usage: dict[str, Usage] | None = None,
    now: UnixSeconds = NOW,
) -> Decision:
    return decide(rules, read(told), usage or {}, (), now)
