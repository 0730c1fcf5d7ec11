"""Policies that an attacker would like, and the word that the lint has for each."""

from typing import Any

import pytest

from tests.policy.lint.policies import (
    DAY,
    FRIEND,
    GAS,
    MINE,
    OTHER,
    POOL,
    TOKEN,
    ZERO,
    allow,
    codes,
    findings,
    policy,
)

MAX_256, MAX_160 = str(2**256 - 1), str(2**160 - 1)
APPROVE = "approve(address spender,uint256 amount)"
TRANSFER = "transfer(address to,uint256 amount)"
DEPOSIT = "deposit(uint256 assets,address receiver)"
SAFE = (
    "execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,"
    "uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)"
)
SINGLE = (
    "exactInputSingle((address tokenIn,address tokenOut,uint24 fee,address recipient,"
    "uint256 amountIn,uint256 amountOutMinimum,uint160 sqrtPriceLimitX96) params)"
)
ROUTER = "execute(bytes commands,bytes[] inputs,uint256 deadline)"
PERMIT2 = "approve(address token,address spender,uint160 amount,uint48 expiration)"
SUPPLY = (
    "supply((address loanToken,address collateralToken,address oracle,address irm,uint256 lltv) "
    "market,uint256 assets,uint256 shares,address onBehalf,bytes data)"
)
COUNTED = {"spend": {"day": "amount"}}
OWN = {"to": {"eq": FRIEND}}


def pay(**more: Any) -> dict[str, Any]:
    return allow(FRIEND, value={"lte": "100"}) | more


def deposit(**more: Any) -> dict[str, Any]:
    return allow(POOL, DEPOSIT, {"receiver": MINE}) | more


WHOM = [
    ("transfer to anyone", allow(TOKEN, TRANSFER, {"to": "anyone"}, **COUNTED), "ANYONE"),
    ("approval for anyone", allow(TOKEN, APPROVE, {"spender": "anyone"}, **COUNTED), "ANYONE"),
    ("multicall", allow(POOL, "multicall(bytes[] data)", {"data": "anyone"}), "ANYONE"),
    ("a router", allow(POOL, ROUTER, {"commands": "anyone", "inputs": "anyone"}), "ANYONE"),
    ("handed over", allow(POOL, "transferOwnership(address x)", {"x": "anyone"}), "ANYONE"),
    ("any contract", allow("anyone", "claim()"), "ANYONE"),
    ("any payee", allow("anyone", value={"lte": "5"}, spend={"day": "$value"}), "ANYONE"),
    ("an unknown payout", allow(POOL, "pay(address recipient,uint256 x)"), "FREE_RECIPIENT"),
    ("beneficiary", allow(POOL, "pay(uint256 x,address _beneficiary)"), "FREE_RECIPIENT"),
    ("guy", allow(POOL, "shove(address guy,uint256 wad)"), "FREE_RECIPIENT"),
    ("any name", allow(POOL, "pay(address a,uint256 b)"), "FREE_RECIPIENT"),
    ("in a tuple", allow(POOL, "f((uint256 x,address dst) order)"), "FREE_RECIPIENT"),
    ("in a list", allow(POOL, "f(address[] winners)"), "FREE_RECIPIENT"),
    ("in tuples", allow(POOL, "f((address who,uint256 x)[] orders)"), "FREE_RECIPIENT"),
    ("a bridge", allow(POOL, "send(bytes32 recipient,uint256 x)"), "FREE_RECIPIENT"),
    ("Starknet", allow(POOL, "deposit(uint256 x,uint256 l2Recipient)"), "FREE_RECIPIENT"),
    (
        "all but one",
        allow(POOL, "pay(address recipient)", {"recipient": {"notIn": [FRIEND]}}),
        "FREE_RECIPIENT",
    ),
    (
        "one of the list",
        allow(POOL, "f(address[] winners)", {"winners": {"any": MINE}}),
        "FREE_RECIPIENT",
    ),
    (
        "a known selector, another meaning",
        allow(POOL, "withdrawTo(address coin,address recipient,uint256 n)", {"coin": MINE}),
        "FREE_RECIPIENT",
    ),
    ("two meanings", allow(POOL, "withdraw(address to,uint256 x)"), "FREE_RECIPIENT"),
    ("unknown calldata", allow(POOL, "run(bytes payload)"), "HIDDEN_CALL"),
    ("an oracle", allow(POOL, "setOracle(address oracle)"), "FREE_RECIPIENT"),
    ("a strategy", allow(POOL, "addStrategy(address token)"), "FREE_RECIPIENT"),
    ("to in bytes32", allow(POOL, "send(uint16 chain,bytes32 to,uint256 x)"), "FREE_RECIPIENT"),
    ("a cosmos", allow(POOL, "transferOut(string receiver,uint64 x)"), "FREE_RECIPIENT"),
    ("deep in tuples", allow(POOL, "f(((address who)[] x,bool y)[] orders)"), "FREE_RECIPIENT"),
    ("calls deep in tuples", allow(POOL, "f(((bytes x)[] x,bool y)[] orders)"), "HIDDEN_CALL"),
    (
        "in tuples, another's",
        allow(
            POOL,
            "f((address who,uint256 x)[] orders)",
            {"orders[].who": {"any": {"in": [FRIEND]}}},
        ),
        "FREE_RECIPIENT",
    ),
    (
        "an aggregate",
        allow(
            POOL,
            "aggregate((address target,bytes data)[] calls)",
            {"calls[].target": {"all": {"in": [TOKEN]}}, "calls[].data": "anyone"},
        ),
        "ANYONE",
    ),
    ("unknown calls", allow(POOL, "doAll((address x,bytes y)[] steps)"), "HIDDEN_CALL"),
    ("a forwarder", allow(POOL, "forwardCall(bytes text)"), "HIDDEN_CALL"),
    (
        "Safe, operation free",
        allow(
            POOL,
            SAFE,
            {"to": MINE, "data": {"eq": "0x"}, "operation": "anyone", "refundReceiver": MINE},
        ),
        "DELEGATECALL",
    ),
    (
        "Safe, delegatecall",
        allow(
            POOL,
            SAFE,
            {
                "to": MINE,
                "data": {"eq": "0x"},
                "operation": {"in": ["0", "1"]},
                "refundReceiver": MINE,
            },
        ),
        "DELEGATECALL",
    ),
    (
        "of another's",
        allow(TOKEN, "transferFrom(address src,address to,uint256 amount)", OWN, **COUNTED),
        "FREE_SOURCE",
    ),
    (
        "bought: any token",
        allow(
            POOL,
            SINGLE,
            {"params.recipient": MINE, "params.tokenIn": {"eq": TOKEN}},
            spend={"day": "params.amountIn"},
        ),
        "FREE_ASSET",
    ),
    (
        "an attacker's market",
        allow(POOL, SUPPLY, {"onBehalf": MINE, "market.loanToken": {"eq": TOKEN}}),
        "FREE_ASSET",
    ),
    (
        "Permit2: any of its tokens",
        allow(POOL, PERMIT2, {"spender": {"eq": POOL}, "amount": {"lte": "5"}}),
        "FREE_ASSET",
    ),
    (
        "scattered: any of its tokens",
        allow(
            POOL,
            "disperseTokenSimple(address token,address[] recipients,uint256[] values)",
            {"recipients": {"all": {"eq": FRIEND}}, "values": {"all": {"lte": "5"}}},
        ),
        "FREE_ASSET",
    ),
    ("ownership of nobody", allow(POOL, "renounceOwnership()"), "GIVES_UP_CONTROL"),
    (
        "zero in a list",
        allow(TOKEN, TRANSFER, {"to": {"in": [FRIEND, ZERO]}}, **COUNTED),
        "BURN",
    ),
    ("native to zero", pay(to={"eq": ZERO}, spend={"day": "$value"}), "BURN"),
    (
        "to the token itself",
        allow(TOKEN, TRANSFER, {"to": {"in": [FRIEND, TOKEN]}}, **COUNTED),
        "TOKEN_AS_RECIPIENT",
    ),
]

SPENDER = {"spender": {"eq": POOL}}


def approve(amount: Any = None, function: str = APPROVE, **more: Any) -> dict[str, Any]:
    return allow(TOKEN, function, SPENDER | ({"amount": amount} if amount else {}), **more)


AMOUNTS = [
    ("approve any amount", approve(), "ANY_AMOUNT"),
    ("approve gte 0", approve({"gte": "0"}), "ANY_AMOUNT"),
    ("approve gt 0", approve({"gt": "0"}), "ANY_AMOUNT"),
    ("approve all but 5", approve({"notIn": ["5"]}), "ANY_AMOUNT"),
    ("approve endless", approve({"eq": MAX_256}), "ANY_AMOUNT"),
    ("approve lte endless", approve({"lte": MAX_256}), "ANY_AMOUNT"),
    ("approve lt endless", approve({"lt": MAX_256}), "ANY_AMOUNT"),
    ("approve one of", approve({"in": ["5", MAX_256]}), "ANY_AMOUNT"),
    ("approve half of all", approve({"lte": str(2**255)}), "ANY_AMOUNT"),
    ("Permit2 any", allow(POOL, PERMIT2, SPENDER), "ANY_AMOUNT"),
    ("Permit2 endless", approve({"lte": MAX_160}, PERMIT2), "ANY_AMOUNT"),
    ("more allowance", approve(None, "increaseAllowance(address spender,uint256 more)"), "ANY_AMOUNT"),
    ("credit", approve(None, "approveDelegation(address spender,uint256 amount)"), "ANY_AMOUNT"),
    (
        "DAI's permit",
        approve(
            None,
            "permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed,"
            "uint8 v,bytes32 r,bytes32 s)",
        ),
        "ANY_AMOUNT",
    ),
    ("transfer any amount", allow(TOKEN, TRANSFER, OWN), "ANY_AMOUNT"),
    ("transfer gte", allow(TOKEN, TRANSFER, OWN | {"amount": {"gte": "5"}}), "ANY_AMOUNT"),
    ("transfer uncounted", allow(TOKEN, TRANSFER, OWN | {"amount": {"lte": "5"}}), "UNCOUNTED"),
    ("a deposit for another", allow(POOL, DEPOSIT, {"receiver": {"eq": FRIEND}}), "ANY_AMOUNT"),
    (
        "a payout to another",
        allow(POOL, "withdraw(uint256 assets,address receiver,address owner)", {"receiver": {"eq": FRIEND}, "owner": MINE}),
        "ANY_AMOUNT",
    ),
    (
        "a list of payees",
        allow(POOL, "disperseEther(address[] recipients,uint256[] values)", {"recipients": {"all": {"in": [FRIEND]}}, "values": {"all": {"lte": "5"}}}),
        "UNCOUNTED",
    ),
    ("an NFT", allow(TOKEN, "safeTransferFrom(address from,address to,uint256 id)", OWN | {"from": MINE}), "UNCOUNTED"),
    (
        "swap any amount",
        allow(POOL, SINGLE, {"params.recipient": MINE, "params.tokenIn": {"eq": TOKEN}, "params.tokenOut": {"eq": OTHER}}),
        "ANY_AMOUNT",
    ),
    ("an unknown amount gte 0", allow(POOL, "stake(uint256 x)", {"x": {"gte": "0"}}), "ANY_AMOUNT"),
    ("an unknown amount at most all", allow(POOL, "stake(uint96 x)", {"x": {"lte": str(2**96 - 1)}}), "ANY_AMOUNT"),
    ("an unknown least amount", allow(POOL, "stake(uint256 amount)", {"amount": {"gte": "9"}}), "ANY_AMOUNT"),
    ("transfer of other types", allow(TOKEN, "transfer(address to,uint128 x)", OWN), "ANY_AMOUNT"),
    ("approve of other types", allow(TOKEN, "approve(address to,uint96 x)", OWN), "ANY_AMOUNT"),
    ("a payout", allow(POOL, "sendFunds(address to,uint256 n)", OWN), "ANY_AMOUNT"),
    ("native, any", allow(FRIEND, value={"gte": "0"}), "ANY_VALUE"),
    ("native, all but 5", allow(FRIEND, value={"notIn": ["5"]}), "ANY_VALUE"),
    ("native uncounted", pay(), "UNCOUNTED_VALUE"),
    ("payable, any", allow(POOL, "deposit()", value={"gt": "0"}), "ANY_VALUE"),
    ("payable uncounted", allow(POOL, "deposit()", value={"lte": "5"}), "UNCOUNTED_VALUE"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rule", "code"), WHOM + AMOUNTS, ids=lambda one: str(one)[:40])
def test_a_rule_that_attackers_like_has_its_warning(
    what: str, rule: dict[str, Any], code: str
) -> None:
    assert what
    found = findings(policy(rule))
    assert code in [one.code for one in found]
    assert all(one.rule == "r0" and '"r0"' in one.line for one in found)


PER_TX = {"id": "gas", "meter": "maxFee", "max": "1000000", "per": "tx"}
RATE = {"id": "rate", "meter": "count", "max": "5", "window": "1h", "kind": "rolling"}
CALL = allow(POOL, "claim()")
MANY = {"id": "day", "max": MAX_256, "window": "24h", "kind": "rolling"}
COUNTED_PAY = pay(spend={"day": "$value"})
COUNTED_TOKENS = allow(TOKEN, TRANSFER, OWN, **COUNTED)
TWO_TOKENS = COUNTED_TOKENS | {"to": {"in": [TOKEN, OTHER]}}

DOCUMENTS = [
    ("no fee cap", policy(CALL, limits=[]), ["NO_FEE_CAP"]),
    ("a fee cap a transaction", policy(CALL, limits=[PER_TX]), ["UNCOUNTED_FEE"]),
    ("with a rate", policy(CALL, limits=[PER_TX, RATE]), []),
    ("a fee cap of all there is", policy(CALL, limits=[GAS | {"max": MAX_256}]), ["NO_FEE_CAP", "VACUOUS_LIMIT"]),
    ("for ever", policy(CALL, expires=None) | {}, ["NEVER_EXPIRES"]),
    ("nearly for ever", policy(CALL, expires="2999-01-01T00:00:00Z"), ["NEVER_EXPIRES"]),
    ("a limit of all there is", policy(COUNTED_TOKENS, limits=[MANY, GAS]), ["ANY_AMOUNT", "VACUOUS_LIMIT"]),
    ("two tokens in one limit", policy(TWO_TOKENS), ["MIXED_LIMIT"]),
    ("wei and tokens", policy(COUNTED_PAY, COUNTED_TOKENS), ["MIXED_LIMIT"]),
    ("a limit that nothing feeds", policy(CALL) | {"limits": [DAY, GAS]}, ["UNFED_LIMIT"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "document", "expected"), DOCUMENTS, ids=lambda one: str(one)[:30])
def test_a_document_that_attackers_like_has_its_warnings(
    what: str, document: dict[str, Any], expected: list[str]
) -> None:
    assert what
    if document["expires"] is None:
        del document["expires"]
    assert codes(document) == expected


BIG = {"receiver": MINE, "assets": {"lte": "500"}}
SMALL = {"receiver": MINE, "assets": {"lte": "5"}}
IN_DAY = {"spend": {"day": "assets"}}
BOTH = [DEPOSIT, "mint(uint256 shares,address receiver)"]
OTHER_NAMES = "deposit(uint256 x,address y)"

ORDERS = [
    ("loose before strict", [deposit(), deposit(args=BIG, **IN_DAY)], ["SHADOWED"]),
    ("strict before loose", [deposit(args=BIG, **IN_DAY), deposit()], []),
    ("twice the same", [deposit(**IN_DAY), deposit(**IN_DAY)], ["SHADOWED"]),
    ("many functions before one", [deposit(function=BOTH), deposit(args=BIG, **IN_DAY)], ["SHADOWED"]),
    ("one before many", [deposit(), deposit(function=BOTH)], ["SHADOWED"]),
    ("more targets before fewer", [deposit(to={"in": [POOL, OTHER]}), deposit(**IN_DAY)], ["SHADOWED"]),
    ("any target before one", [allow("anyone", "claim()"), CALL], ["ANYONE", "SHADOWED"]),
    ("under other names", [deposit(), allow(POOL, OTHER_NAMES, {"y": MINE}, spend={"day": "x"})], ["SHADOWED"]),
    ("a wider bound first", [deposit(args=BIG), deposit(args=SMALL, **IN_DAY)], ["SHADOWED"]),
    ("a narrow one first, uncounted", [deposit(args=SMALL), deposit(**IN_DAY)], ["BYPASS"]),
    ("fewer targets first, uncounted", [deposit(), deposit(to={"in": [POOL, OTHER]}, **IN_DAY)], ["BYPASS"]),
    ("other targets", [deposit(to={"eq": OTHER}), deposit(**IN_DAY)], []),
    ("disjoint amounts", [deposit(args=SMALL), deposit(args=BIG | {"assets": {"gt": "5"}}, **IN_DAY)], []),
    ("zero only", [deposit(args=SMALL | {"assets": {"eq": "0"}}), deposit(**IN_DAY)], []),
    ("other functions", [allow(POOL, "f(uint256 assets)"), deposit(**IN_DAY)], []),
    ("a DENY shadows nothing", [{"action": "DENY", "method": "eth_signTransaction", "to": {"eq": POOL}}, deposit()], []),
    ("native, loose first", [pay(spend={"day": "$value"}), pay(value={"lte": "5"}, spend={"day": "$value"})], ["SHADOWED"]),
    ("native, uncounted first", [pay(value={"lte": "5"}), pay(spend={"day": "$value"})], ["UNCOUNTED_VALUE", "BYPASS"]),
    ("with an access list", [deposit(), deposit(accessList="any")], []),
    ("before one without", [deposit(accessList="any"), deposit()], ["SHADOWED"]),
    ("with a suffix", [deposit(), deposit(suffix="erc8021")], []),
    ("with value", [deposit(), deposit(value={"lte": "5"}, spend={"day": "$value"})], []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rules", "expected"), ORDERS, ids=lambda one: str(one)[:40])
def test_what_shadows_what(what: str, rules: list[dict[str, Any]], expected: list[str]) -> None:
    assert what
    assert codes(policy(*rules)) == expected


def test_a_shadow_says_which_limit_counts_nothing() -> None:
    (found,) = findings(policy(deposit(), deposit(args=BIG, **IN_DAY)))
    assert found.rule == "r1"
    assert '"r0" before it' in found.message
    assert 'counts nothing in "day"' in found.message
    assert found.to_json() == {"code": "SHADOWED", "rule": "r1", "message": found.message}


PREFIX = {"action": "ALLOW", "method": "personal_sign"}


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (["app.example wants you to sign in with your Ethereum account:"], []),
        (["app.example wants"], ["OPEN_PREFIX"]),
        (["Sign in to localhost"], ["OPEN_PREFIX"]),
        (["I agree to the terms of app.example "], []),
        (["https://app.example/login"], ["OPEN_PREFIX"]),
        (["https://app.example/login "], []),
        (["app.example wants ", "app.example wants you to sign in:"], ["SHADOWED"]),
        (["app.example wants you to sign in:", "app.example wants "], []),
    ],
    ids=str,
)
def test_prefixes_that_go_on_freely(prefixes: list[str], expected: list[str]) -> None:
    assert codes(policy(*(PREFIX | {"prefix": one} for one in prefixes), limits=[])) == expected
