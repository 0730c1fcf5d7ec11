"""An action is read strictly, and hashed as the exchange's own SDK does."""

import json
from typing import Any

import pytest

from keymoot.policy.chains.evm.hyperliquid.action import MAX_ACTION_BYTES, read_action
from keymoot.policy.refusal import NeverSigned
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import CLOID, VAULT, order, orders, sent


@pytest.mark.parametrize("name", actions.VECTORS)
def test_the_digest_is_the_sdks(name: str) -> None:
    told = actions.VECTORS[name]
    intent = read_action(json.dumps(told["wish"]).encode(), documents.WALLET)
    assert intent.digest.hex() == told["digest"]
    assert intent.action == told["wish"]["action"]["type"]


def test_the_order_of_keys_is_part_of_what_is_signed() -> None:
    turned = dict(reversed(orders().items()))
    assert actions.read(orders()).digest != actions.read(turned).digest
    assert actions.read(orders()).parts == actions.read(turned).parts


def test_an_order_is_read_exactly() -> None:
    (part,) = actions.read(orders(order(p="0.00000001", s="3"), builder={"b": VAULT, "f": 9})).parts
    assert part.place == "orders[0]"
    assert {name: part.fields[name] for name in ("price", "size", "notional")} == {
        "price": 1,
        "size": 300_000_000,
        "notional": 1,  # 0.03 of 10^-6 USD, rounded up
    }
    assert (part.fields["tif"], part.fields["builderFee"]) == ("Gtc", 9)


def test_what_waits_for_a_higher_price_counts_with_that_price() -> None:
    trigger = {"trigger": {"isMarket": True, "triggerPx": "200", "tpsl": "sl"}}
    (part,) = actions.read(orders(order(p="100", s="2", t=trigger))).parts
    assert (part.fields["notional"], part.fields["tif"]) == (400 * actions.MILLION, "trigger")
    assert part.fields["isMarket"] is True


def test_a_batch_is_shown_in_part() -> None:
    shown = actions.read(orders(*[order()] * 64)).decoded()
    assert (len(json.dumps(shown)) < 4_096, shown["count"]) == (True, 64)
    parts: Any = shown["parts"]
    assert len(parts) == 8


def test_what_is_shown_says_when_it_ends_and_for_whom() -> None:
    plain = actions.read(orders()).decoded()
    assert not plain.keys() & {"expiresAfter", "vault"}
    told = actions.read(orders(), expiresAfter=9, vaultAddress=VAULT).decoded()
    assert (told["expiresAfter"], str(told["vault"]).lower()) == ("9", VAULT)


def test_the_longest_action_has_16384_bytes() -> None:
    raw = actions.payload(orders())
    assert read_action(raw.ljust(16_384), documents.WALLET)
    with pytest.raises(NeverSigned, match="at most 16384"):
        read_action(raw.ljust(16_385), documents.WALLET)


BAD: list[tuple[Any, str]] = [
    ([], "action"),
    ({"type": 5}, "action"),
    (orders(colour="red"), "action.colour"),
    (orders(grouping="all"), "action.grouping"),
    (orders(grouping={"p": 5}), "action.grouping"),
    (orders(order(), grouping="positionTpsl"), "action.orders[0].r"),
    (orders(orders=[]), "action.orders"),
    (orders(*[order()] * 65), "action.orders"),
    (orders(orders={}), "action.orders"),
    (orders(order(), order(x=1)), "action.orders[1].x"),
    (orders({"a": 0}), "action.orders[0].b"),
    (orders(order(a=-1)), "action.orders[0].a"),
    (orders(order(a=True)), "action.orders[0].a"),
    (orders(order(a=2**32)), "action.orders[0].a"),
    (orders(order(b=1)), "action.orders[0].b"),
    (orders(order(r=0)), "action.orders[0].r"),
    (orders(order(s="0")), "action.orders[0].s"),
    (orders(order(c="0x00")), "action.orders[0].c"),
    (orders(order(c=None)), "action.orders[0].c"),
    (orders(order(t={})), "action.orders[0].t"),
    (orders(order(t={"limit": {"tif": "FrontendMarket"}})), "action.orders[0].t.limit.tif"),
    (orders(order(t={"trigger": {"isMarket": True}})), "action.orders[0].t.trigger.tpsl"),
    (orders(builder={"b": VAULT}), "action.builder.f"),
    (orders(builder={"b": "0x12", "f": 1}), "action.builder.b"),
    ({"type": "modify", "oid": "7", "order": order()}, "action.oid"),
    ({"type": "batchModify", "modifies": [{"oid": -1, "order": 5}]}, "action.modifies[0].oid"),
    ({"type": "batchModify", "modifies": [{"oid": 1, "order": 5}]}, "action.modifies[0].order"),
    ({"type": "cancel", "cancels": [{"a": 0, "o": "1"}]}, "action.cancels[0].o"),
    ({"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": 1}]}, "action.cancels[0].cloid"),
    ({"type": "scheduleCancel", "time": None}, "action.time"),
    ({"type": "updateLeverage", "asset": 0, "isCross": True}, "action.leverage"),
    (
        {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 2**63},
        "action.ntli",
    ),
    (sent(destination="0x12"), "action.destination"),
    (sent(amount="1.0000001"), "action.amount"),
    (sent() | {"time": 2}, "action.time"),
    (sent() | {"hyperliquidChain": "Testnet"}, "action.hyperliquidChain"),
    (sent() | {"signatureChainId": "0x1"}, "action.signatureChainId"),
    (
        actions.user_signed("usdClassTransfer", amount=f"5 subaccount:{VAULT}", toPerp=True),
        "action.amount",
    ),
]
NUMBERS = [
    "",
    "-1",
    "1e3",
    "01",
    "1.",
    ".5",
    " 1",
    "1_0",
    "+1",
    "٣",
    "1" * 33,
    "1.123456789",
    5,
    None,
]


@pytest.mark.parametrize(("action", "path"), BAD, ids=[path for _, path in BAD])
def test_what_is_malformed_is_refused_with_its_path(action: Any, path: str) -> None:
    with pytest.raises(NeverSigned) as caught:
        actions.read(action)
    assert (caught.value.refusal.reason, caught.value.refusal.path) == ("MALFORMED_ACTION", path)


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_only_exact_decimals_are_numbers(number: Any) -> None:
    assert actions.reason(orders(order(p=number))) == ("MALFORMED_ACTION", "action.orders[0].p")


ENVELOPE: list[tuple[dict[str, Any], str]] = [
    ({"network": "Mainnet"}, "network"),
    ({"nonce": -1}, "nonce"),
    ({"nonce": 2**64}, "nonce"),
    ({"vaultAddress": "0x"}, "vaultAddress"),
    ({"expiresAfter": "5"}, "expiresAfter"),
    ({"chainId": 1}, "payload.chainId"),
]


@pytest.mark.parametrize(("changes", "path"), ENVELOPE, ids=[path for _, path in ENVELOPE])
def test_so_is_what_stands_around_it(changes: dict[str, Any], path: str) -> None:
    assert actions.reason(orders(), **changes) == ("MALFORMED_ACTION", path)


@pytest.mark.parametrize("field", ["vaultAddress", "expiresAfter"])
def test_a_users_own_document_says_neither(field: str) -> None:
    value = VAULT if field == "vaultAddress" else 5
    assert actions.reason(sent(), **{field: value}) == ("MALFORMED_ACTION", field)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"\xff", b"{" * 99, b" " * (MAX_ACTION_BYTES + 1), b'{"action":1.5}']
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(NeverSigned, match="no action of Hyperliquid"):
        read_action(raw, documents.WALLET)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("approveAgent", "another key"),
        ("spotSend", "no rule counts"),
        ("vaultTransfer", "vault"),
        ("convertToMultiSigUser", "other keys"),
        ("noop", "no rule of this version"),
    ],
)
def test_all_other_actions_are_never_signed(kind: str, why: str) -> None:
    with pytest.raises(NeverSigned, match=why) as caught:
        actions.read({"type": kind, "cloid": CLOID})
    assert caught.value.refusal.reason == "UNKNOWN_ACTION"
