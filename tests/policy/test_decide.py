"""What the example policy allows, and every way around it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.fixed import Address, Bytes32
from keymoot.base.transaction import ACCESS_LIST, LEGACY, AccessEntry, decode_unsigned
from keymoot.base.units import Gas, Nonce, Wei
from keymoot.policy.intent import NeverSigned, read_intent
from tests.policy.documents import (
    SIGN,
    STRANGER,
    USDC,
    VAULTS,
    WALLET,
    data,
    deposit,
    interfaces,
    judge,
    parsed,
    reason,
    tx,
)

APPROVE = "approve(address,uint256)"
EXIT = "withdraw(uint256,address,address)"


@pytest.mark.parametrize(
    "transaction",
    [
        deposit(500_000_000),
        deposit(0),
        tx(USDC, data(APPROVE, VAULTS[2], 500_000_000)),
        tx(VAULTS[1], data(EXIT, 10**30, WALLET, WALLET)),
        tx(VAULTS[1], data("redeem(uint256,address,address)", 1, WALLET, WALLET)),
        deposit(1, kind=LEGACY, max_priority_fee=Wei(10**9)),
        deposit(1, kind=ACCESS_LIST, max_priority_fee=Wei(10**9)),
    ],
)
def test_allows_what_the_rules_name(transaction) -> None:
    decision = judge(transaction)
    assert decision.allowed, decision.refusal
    assert all(step.passed for step in decision.trace if step.rule == decision.rule)


def test_a_function_that_no_rule_names_there_is_told_beside_the_rule_that_comes_closest() -> None:
    refusal = judge(tx(USDC, data("mint(address,uint256)", STRANGER, 1))).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.rule, refusal.path) == ("NO_RULE", "approve", "function")
    assert 'no rule allows this function there; "approve" comes closest' in str(refusal)
    nowhere = judge(tx(STRANGER, data("mint(address,uint256)", STRANGER, 1))).refusal
    assert nowhere is not None
    assert (nowhere.reason, nowhere.rule, nowhere.path) == ("NO_RULE", None, "to")


AROUND: list[tuple[str, Any, str]] = [
    ("transfer to a stranger", tx(USDC, data("transfer(address,uint256)", STRANGER, 1)), "NO_RULE"),
    ("native transfer", tx(STRANGER, b"", value=Wei(1)), "NO_RULE"),
    (
        "transferFrom",
        tx(USDC, data("transferFrom(address,address,uint256)", WALLET, STRANGER, 1)),
        "TRANSFER_FROM",
    ),
    ("approve a stranger", tx(USDC, data(APPROVE, STRANGER, 1)), "CONDITION_FAILED"),
    ("approve too much", tx(USDC, data(APPROVE, VAULTS[0], 500_000_001)), "CONDITION_FAILED"),
    ("approve on another token", tx(VAULTS[0], data(APPROVE, VAULTS[0], 1)), "APPROVAL"),
    (
        "increaseAllowance",
        tx(USDC, data("increaseAllowance(address,uint256)", VAULTS[0], 1)),
        "APPROVAL",
    ),
    (
        "setApprovalForAll",
        tx(VAULTS[0], data("setApprovalForAll(address,bool)", STRANGER, True)),
        "APPROVAL_FOR_ALL",
    ),
    (
        "permit",
        tx(
            USDC,
            data(
                "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
                WALLET,
                STRANGER,
                1,
                1,
                27,
                b"",
                b"",
            ),
        ),
        "PERMIT",
    ),
    (
        "Permit2 approve",
        tx(STRANGER, data("approve(address,address,uint160,uint48)", USDC, STRANGER, 1, 1)),
        "PERMIT",
    ),
    ("deposit for a stranger", deposit(1, STRANGER), "CONDITION_FAILED"),
    ("exit to a stranger", tx(VAULTS[0], data(EXIT, 1, STRANGER, WALLET)), "CONDITION_FAILED"),
    (
        "exit of another's shares",
        tx(VAULTS[0], data(EXIT, 1, WALLET, STRANGER)),
        "CONDITION_FAILED",
    ),
    (
        "deposit into another vault",
        tx(STRANGER, data("deposit(uint256,address)", 1, WALLET)),
        "NO_RULE",
    ),
    ("value beside a token call", deposit(1, value=Wei(1)), "CONDITION_FAILED"),
    ("contract creation", tx(None, b"\x60\x80"), "CONTRACT_CREATION"),
    (
        "Safe execTransaction",
        tx(
            VAULTS[0],
            data(
                "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
                STRANGER,
                0,
                b"",
                1,
                0,
                0,
                0,
                STRANGER,
                STRANGER,
                b"",
            ),
        ),
        "WRAPPER",
    ),
    ("multicall", tx(VAULTS[0], data("multicall(bytes[])", [b"x"])), "WRAPPER"),
    ("another chain", deposit(1, chain_id=1), "WRONG_CHAIN"),
    ("no chain at all", deposit(1, kind=LEGACY, chain_id=None), "UNPROTECTED"),
    ("chain id 0", deposit(1, chain_id=0), "UNPROTECTED"),
    (
        "an access list",
        deposit(1, access_list=(AccessEntry(USDC, (Bytes32(bytes(32)),)),)),
        "CONDITION_FAILED",
    ),
    ("too much gas", deposit(1, gas=Gas(2_000_001)), "LIMIT_EXCEEDED"),
    ("over the day", deposit(500_000_001), "LIMIT_EXCEEDED"),
    ("an empty call to a vault", tx(VAULTS[0]), "NO_RULE"),
    (
        "a lone selector",
        tx(VAULTS[0], data("deposit(uint256,address)", 1, WALLET)[:4]),
        "MALFORMED_CALLDATA",
    ),
]


@pytest.mark.parametrize(
    ("transaction", "word"), [case[1:] for case in AROUND], ids=[case[0] for case in AROUND]
)
def test_refuses_every_way_around_by_name(transaction, word: str) -> None:
    assert reason(transaction) == word


def test_calldata_has_one_form() -> None:
    good = data("deposit(uint256,address)", 7, WALLET)
    assert reason(tx(VAULTS[0], good)) == ""
    dirty = good[:36] + b"\xff" + good[37:]
    for bad in (good + b"\0", good + bytes(32), good[:-1], dirty):
        assert reason(tx(VAULTS[0], bad)) == "MALFORMED_CALLDATA"


def test_dynamic_arguments_have_one_form_too() -> None:
    document = interfaces()
    document["rules"] = [
        {
            "id": "note",
            "action": "ALLOW",
            "method": SIGN,
            "to": {"in": "vaults"},
            "function": "note(bytes text,(address who,uint256 amount) order,uint256[] list)",
            "args": {"order.who": {"eq": "$wallet"}, "list": {"each": {"lt": "10"}}},
            "spend": {"usdc-day": "order.amount"},
        }
    ]
    policy = parsed(document)
    kinds = "note(bytes,(address,uint256),uint256[])"
    from eth_abi.abi import encode

    from keymoot.crypto.keccak import keccak256_raw

    def call(who: Address, amount: int, numbers: list[int]) -> bytes:
        arguments = [b"hi", (who, amount), numbers]
        body = encode(["bytes", "(address,uint256)", "uint256[]"], arguments)
        return keccak256_raw(kinds.encode())[:4] + body

    good = call(WALLET, 5, [1, 9])
    assert reason(tx(VAULTS[0], good), policy) == ""
    assert reason(tx(VAULTS[0], call(STRANGER, 5, [1])), policy) == "CONDITION_FAILED"
    assert reason(tx(VAULTS[0], call(WALLET, 5, [1, 10])), policy) == "CONDITION_FAILED"
    assert reason(tx(VAULTS[0], call(WALLET, 500_000_001, [])), policy) == "LIMIT_EXCEEDED"
    # The same values behind a longer way round (a gap before the tail).
    shifted = bytearray(good[:4] + good[4:132] + bytes(32) + good[132:])
    shifted[4 + 31] += 32
    shifted[4 + 32 * 3 + 31] += 32
    assert reason(tx(VAULTS[0], bytes(shifted)), policy) == "MALFORMED_CALLDATA"


@pytest.mark.parametrize("kind", [3, 4, 0x7E])
def test_other_transaction_types_are_refused(kind: int) -> None:
    raw = bytes([kind]) + deposit(1).unsigned_bytes()[1:]
    with pytest.raises(NeverSigned) as refused:
        read_intent(SIGN, raw, WALLET)
    assert refused.value.refusal.reason == "TRANSACTION_TYPE"


@pytest.mark.parametrize(
    ("method", "payload", "word"),
    [
        ("personal_sign", b"", "MALFORMED_MESSAGE"),
        ("personal_sign", bytes(32), "MALFORMED_MESSAGE"),
        ("eth_sign", bytes(32), "METHOD_NOT_ALLOWED"),
        ("eth_signTypedData_v4", b'{"primaryType":"Mail"}', "MALFORMED_TYPED_DATA"),
        (
            "eth_signTypedData_v4",
            b'{"types":{},"primaryType":"SafeTx","domain":{},"message":{}}',
            "BLIND_TYPED_DATA",
        ),
        (SIGN, b"", "MALFORMED_TRANSACTION"),
        (SIGN, b"\x02\xc0", "MALFORMED_TRANSACTION"),
    ],
)
def test_other_methods_and_garbage_are_refused(method: str, payload: bytes, word: str) -> None:
    with pytest.raises(NeverSigned) as refused:
        read_intent(method, payload, WALLET)
    assert refused.value.refusal.reason == word


@given(st.binary(max_size=300))
def test_any_payload_is_an_intent_or_a_refusal(payload: bytes) -> None:
    for method in (SIGN, "eth_signTypedData_v4", "x"):
        try:
            intent = read_intent(method, payload, WALLET)
        except NeverSigned as error:
            assert error.refusal.reason
        else:
            assert intent.transaction.unsigned_bytes() == payload
            assert decode_unsigned(payload) == intent.transaction


def test_deny_wins_over_any_allow() -> None:
    document = interfaces()
    document["rules"].append(
        {
            "id": "not-much",
            "action": "DENY",
            "method": SIGN,
            "function": "deposit(uint256 assets,address receiver)",
            "args": {"assets": {"gt": "100"}},
        }
    )
    policy = parsed(document)
    assert reason(deposit(100), policy) == ""
    assert reason(deposit(101), policy) == "DENIED_BY_RULE"
    # What a DENY names and cannot read is denied as well.
    assert reason(tx(VAULTS[0], deposit(1).data + b"\0"), policy) == "DENIED_BY_RULE"


def test_the_first_allow_that_holds_decides() -> None:
    document = interfaces()
    free = document["rules"][1] | {"id": "free", "spend": {}}
    free["args"] = {"receiver": {"eq": "$wallet"}, "assets": {"lte": "5"}}
    document["rules"].insert(0, free)
    policy = parsed(document)
    assert judge(deposit(5), policy).rule == "free"
    assert judge(deposit(6), policy).rule == "deposit"
    assert "usdc-day" not in judge(deposit(5), policy).usage


def test_an_expired_policy_allows_nothing() -> None:
    assert reason(deposit(1), now=1_798_761_600) == ""
    assert reason(deposit(1), now=1_798_761_601) == "POLICY_EXPIRED"


def test_without_rules_everything_is_refused() -> None:
    policy = parsed(interfaces() | {"rules": []})
    assert reason(deposit(1), policy) == "NO_RULE"
    assert reason(tx(STRANGER, value=Wei(0)), policy) == "NO_RULE"


def test_native_transfers_by_rule() -> None:
    document = interfaces()
    document["rules"] = [
        {
            "id": "tip",
            "action": "ALLOW",
            "method": SIGN,
            "to": {"eq": STRANGER.hex0x},
            "value": {"lte": "10"},
            "spend": {"usdc-day": "value"},
        }
    ]
    policy = parsed(document)
    assert judge(tx(STRANGER, value=Wei(10)), policy).usage["usdc-day"].buckets[0][1] == 10
    assert reason(tx(STRANGER, value=Wei(11)), policy) == "CONDITION_FAILED"
    assert reason(tx(STRANGER, b"\1", value=Wei(1)), policy) == "NO_RULE"


def test_a_refusal_says_everything() -> None:
    first = judge(deposit(380_000_000))
    refused = judge(deposit(300_000_000, nonce=Nonce(1)), usage=first.usage)
    told = refused.refusal.to_json()
    expected = {
        "reason": "LIMIT_EXCEEDED",
        "rule": "deposit",
        "path": "args.assets",
        "limit": "usdc-day",
        "max": "500000000",
        "used": "380000000",
        "requested": "300000000",
    }
    assert {name: told[name] for name in expected} == expected
    assert told["availableAt"].endswith("Z")
    assert told["decoded"]["args"]["assets"] == "300000000"
    assert "120000000 left" in refused.refusal.message


def test_the_trace_shows_every_comparison() -> None:
    trace = judge(deposit(1, STRANGER)).trace
    failed = [(step.rule, step.path) for step in trace if not step.passed]
    assert ("approve", "to") in failed
    assert ("deposit", "args.receiver") in failed
    assert ("exit", "function") in failed


def test_no_rule_can_allow_the_creation_of_a_contract() -> None:
    document = interfaces()
    document["rules"] = [
        {"id": "any", "action": "ALLOW", "method": SIGN, "to": "anyone"} | {"value": {"gte": "0"}}
    ]
    policy = parsed(document)
    assert reason(tx(VAULTS[0]), policy) == ""
    for data_ in (b"", b"\x60\x80"):
        with pytest.raises(NeverSigned, match="it is never signed") as refused:
            judge(tx(None, data_), policy)
        assert (refused.value.refusal.reason, refused.value.refusal.path) == (
            "CONTRACT_CREATION",
            "to",
        )
