"""The document of the interfaces, and the transactions that tests hold against it."""

import json
from typing import Any

from eth_abi.abi import encode

from keymoot.base.fixed import Address
from keymoot.base.request import SIGN_TRANSACTION
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, UnixSeconds, Wei
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy, parse_policy
from keymoot.policy.held import Reservation
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.limit import Usage
from keymoot.policy.names import checksummed

BASE = ChainId(8453)
WALLET = Address(b"\x0a" * 20)
USDC = Address.from_hex("0x833589fcd6edb6e08f4c7c32d4f71b54bda02913")
VAULTS = [Address(bytes([n]) * 20) for n in (0xA1, 0xB2, 0xC3)]
STRANGER = Address(b"\x66" * 20)
NOW = UnixSeconds(1_795_000_000)

SIGN = "eth_signTransaction"


class _Delete:
    """Stands for a field that is taken out; its name is the same in every process."""

    def __repr__(self) -> str:
        return "DELETE"


DELETE = _Delete()


def changed(start: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Give a copy of `start` with one place changed; DELETE removes it."""
    whole: Any = json.loads(json.dumps(start))
    place: Any = whole
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        place = place[part]
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    return whole


def interfaces() -> dict[str, Any]:
    """At most 500 USDC a day between three vaults, gas capped."""
    return {
        "version": "1",
        "chain": "eip155:8453",
        "sets": {"usdc": [checksummed(USDC)], "vaults": [checksummed(one) for one in VAULTS]},
        "rules": [
            {
                "id": "approve",
                "action": "ALLOW",
                "method": SIGN,
                "to": {"in": "usdc"},
                "function": "approve(address spender,uint256 value)",
                "args": {"spender": {"in": "vaults"}, "value": {"lte": "500000000"}},
            },
            {
                "id": "deposit",
                "action": "ALLOW",
                "method": SIGN,
                "to": {"in": "vaults"},
                "function": "deposit(uint256 assets,address receiver)",
                "args": {"receiver": {"eq": "$wallet"}},
                "spend": {"usdc-day": "assets"},
            },
            {
                "id": "exit",
                "action": "ALLOW",
                "method": SIGN,
                "to": {"in": "vaults"},
                "function": [
                    "withdraw(uint256 assets,address receiver,address owner)",
                    "redeem(uint256 shares,address receiver,address owner)",
                ],
                "args": {"receiver": {"eq": "$wallet"}, "owner": {"eq": "$wallet"}},
            },
        ],
        "limits": [
            {"id": "usdc-day", "max": "500000000", "window": "24h", "kind": "rolling"},
            {"id": "gas-tx", "meter": "maxFee", "max": "2000000000000000", "per": "tx"},
            {
                "id": "gas-day",
                "meter": "maxFee",
                "max": "10000000000000000",
                "window": "24h",
                "kind": "rolling",
            },
        ],
        "expires": "2027-01-01T00:00:00Z",
    }


def parsed(document: dict[str, Any] | None = None) -> Policy:
    return parse_policy(canonical(document or interfaces()))


def data(signature: str, *values: Any) -> bytes:
    inside = signature[signature.index("(") + 1 : -1]
    return keccak256_raw(signature.encode())[:4] + encode(
        inside.split(",") if inside else [], values
    )


def tx(to: Address | None = VAULTS[0], calldata: bytes = b"", **changes: Any) -> EvmTransaction:
    fields: dict[str, Any] = {
        "kind": DYNAMIC_FEE,
        "chain_id": BASE,
        "nonce": Nonce(0),
        "max_priority_fee": Wei(1),
        "max_fee": Wei(10**9),
        "gas": Gas(100_000),
        "to": to,
        "value": Wei(0),
        "data": calldata,
    }
    return EvmTransaction(**(fields | changes))


def deposit(assets: int, receiver: Address = WALLET, **changes: Any) -> EvmTransaction:
    return tx(VAULTS[0], data("deposit(uint256,address)", assets, receiver), **changes)


def judge(
    transaction: EvmTransaction,
    policy: Policy | None = None,
    usage: dict[str, Usage] | None = None,
    held: tuple[Reservation, ...] = (),
    now: int = NOW,
) -> Decision:
    intent = read_intent(SIGN_TRANSACTION, transaction.unsigned_bytes(), WALLET)
    return decide(policy or parsed(), intent, usage or {}, held, UnixSeconds(now))


def reason(transaction: EvmTransaction, policy: Policy | None = None, **more: Any) -> str:
    """Give the word of the refusal, or "" for a yes."""
    try:
        decision = judge(transaction, policy, **more)
    except NeverSigned as error:
        return error.refusal.reason
    return "" if decision.refusal is None else decision.refusal.reason
