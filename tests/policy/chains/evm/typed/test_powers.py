"""Every document that is known to give something away: an ALLOW names each of its open places."""

from typing import Any

import pytest

from keymoot.policy.errors import BadPolicy
from tests.policy.chains.evm.typed.payments import PAYEE, RULED_DOMAIN, USDC, payment_rule, policy

DETAILS = "PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"
TOKENS = "TokenPermissions(address token,uint256 amount)"
PERMITTED = "address spender,uint256 nonce,uint256 deadline"
WITNESSED = f"{PERMITTED},Witness witness){TOKENS}Witness(address user)"
AUTHORIZED = (
    "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
)
ONE, EACH = {"lte": "100"}, {"all": {"lte": "100"}}
UNTIL, UNTIL_EACH = {"lte": "1795000060"}, {"all": {"lte": "1795000060"}}
COIN, COINS = {"in": [USDC.hex0x]}, {"all": {"eq": USDC.hex0x}}

KINDS: list[tuple[str, dict[str, Any]]] = [
    (
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
        {"value": ONE, "deadline": UNTIL},
    ),
    (
        "Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)",
        {"allowed": {"eq": True}, "expiry": UNTIL},
    ),
    (
        f"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline){DETAILS}",
        {
            "details.token": COIN,
            "details.amount": ONE,
            "details.expiration": UNTIL,
            "sigDeadline": UNTIL,
        },
    ),
    (
        f"PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline){DETAILS}",
        {
            "details[].token": COINS,
            "details[].amount": EACH,
            "details[].expiration": UNTIL_EACH,
            "sigDeadline": UNTIL,
        },
    ),
    (
        f"PermitTransferFrom(TokenPermissions permitted,{PERMITTED}){TOKENS}",
        {"permitted.token": COIN, "permitted.amount": ONE, "deadline": UNTIL},
    ),
    (
        f"PermitBatchTransferFrom(TokenPermissions[] permitted,{PERMITTED}){TOKENS}",
        {"permitted[].token": COINS, "permitted[].amount": EACH, "deadline": UNTIL},
    ),
    (
        f"PermitWitnessTransferFrom(TokenPermissions permitted,{WITNESSED}",
        {"permitted.token": COIN, "permitted.amount": ONE, "deadline": UNTIL},
    ),
    (
        f"PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,{WITNESSED}",
        {"permitted[].token": COINS, "permitted[].amount": EACH, "deadline": UNTIL},
    ),
    (f"TransferWithAuthorization({AUTHORIZED})", {"value": ONE, "validBefore": UNTIL}),
    (f"ReceiveWithAuthorization({AUTHORIZED})", {"value": ONE, "validBefore": UNTIL}),
]
WHOM = {True: "to", False: "spender"}


def ruled(encoded: str, fields: dict[str, Any]) -> dict[str, Any]:
    whom = WHOM["WithAuthorization" in encoded]
    told = {whom: {"eq": PAYEE.hex0x}} | fields
    return payment_rule(type=encoded, fields=told, within={}, spend={})


@pytest.mark.parametrize(
    ("encoded", "fields"), KINDS, ids=[one.partition("(")[0] for one, _ in KINDS]
)
def test_without_any_of_them_it_is_no_rule(encoded: str, fields: dict[str, Any]) -> None:
    rule = ruled(encoded, fields)
    policy(rule)
    for name in rule["fields"]:
        less = {one: told for one, told in rule["fields"].items() if one != name}
        with pytest.raises(BadPolicy) as caught:
            policy(rule | {"fields": less})
        assert str(caught.value.path).endswith(f".{name}")
    # A floor is no bound, and whom not is not whom.
    for name in fields:
        floor: dict[str, Any] = {"gte": "1"} if "allowed" not in name else {"notIn": [False]}
        if name.endswith("token"):
            floor = {"notIn": [USDC.hex0x]}
        open_ = {"all": floor} if "[]" in name else floor
        with pytest.raises(BadPolicy):
            policy(rule | {"fields": rule["fields"] | {name: open_}})


@pytest.mark.parametrize(
    ("encoded", "fields"), KINDS, ids=[one.partition("(")[0] for one, _ in KINDS]
)
def test_the_contract_is_named_whose_tokens_it_gives(encoded: str, fields: dict[str, Any]) -> None:
    """A name is no contract: whoever makes a token gives it the name that a rule trusts."""
    rule = ruled(encoded, fields)
    named = RULED_DOMAIN | {"name": {"eq": "USD Coin"}}
    for unnamed in ("any", {"notIn": [PAYEE.hex0x]}, None):
        domain = named | {"verifyingContract": unnamed}
        if unnamed is None:
            del domain["verifyingContract"]
        with pytest.raises(BadPolicy, match="which contract") as caught:
            policy(rule | {"domain": domain})
        assert str(caught.value.path).endswith(".domain.verifyingContract")
    assert policy(rule | {"domain": named})
    # Of what is not known to give anything, a name is enough.
    other = rule | {"type": "Mail(address to)", "fields": {}, "domain": named}
    assert policy(other | {"domain": named | {"verifyingContract": "any"}})


def test_a_token_among_others_is_no_token_named() -> None:
    encoded, fields = next(kind for kind in KINDS if kind[0].startswith("PermitBatch("))
    rule = ruled(encoded, fields | {"details[].token": {"any": {"eq": USDC.hex0x}}})
    with pytest.raises(BadPolicy, match="which tokens"):
        policy(rule)


def test_a_rule_has_a_bounded_number_of_conditions() -> None:
    names = [f"f{at}" for at in range(33)]
    encoded = f"M({','.join(f'uint8 {name}' for name in names)})"
    rule = payment_rule(type=encoded, within={}, spend={}, domain=RULED_DOMAIN)
    assert policy(rule | {"fields": dict.fromkeys(names[:32], ONE)})
    with pytest.raises(BadPolicy, match="at most 32 fields"):
        policy(rule | {"fields": dict.fromkeys(names, ONE)})
