"""Every field of every action has to be there, in its range, and nothing beside it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from keymoot.policy.chains.evm.hyperliquid.action import read_action
from keymoot.policy.refusal import NeverSigned
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import CLOID, PAYEE, VAULT, order, orders, sent

FREE = {"c", "builder", "time"}
"""What may be left out of an order, of orders, or of a scheduled cancel."""


def objects(json_: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to each object of an action."""
    if isinstance(json_, dict):
        yield way
    parts = json_.items() if isinstance(json_, dict) else enumerate(json_)
    for name, part in parts:
        if isinstance(part, (dict, list)):
            yield from objects(part, (*way, name))


def at(whole: Any, way: tuple[Any, ...]) -> Any:
    for name in way:
        whole = whole[name]
    return whole


def refused(told: dict[str, Any]) -> None:
    with pytest.raises(NeverSigned) as caught:
        read_action(json.dumps(told).encode(), documents.WALLET)
    assert caught.value.refusal.reason == "MALFORMED_ACTION"


@pytest.mark.parametrize("name", actions.VECTORS)
def test_no_object_has_more_or_less(name: str) -> None:
    told = actions.VECTORS[name]["wish"]
    user_signed = "signatureChainId" in told["action"]
    for way in objects(told["action"]):
        more = copy.deepcopy(told)
        at(more["action"], way)["more"] = 1
        refused(more)
        for field in at(told["action"], way):
            if field == "type" and not way:
                continue
            less = copy.deepcopy(told)
            del at(less["action"], way)[field]
            if field not in FREE or user_signed:
                refused(less)


LEVERAGE = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}
MARGIN = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 9}
RANGES: list[tuple[dict[str, Any], tuple[Any, ...], int, int]] = [
    (orders(), ("orders", 0, "a"), 0, 2**32 - 1),
    (orders(builder={"b": VAULT, "f": 1}), ("builder", "f"), 0, 2**64 - 1),
    ({"type": "modify", "oid": 1, "order": order()}, ("oid",), 0, 2**64 - 1),
    ({"type": "cancel", "cancels": [{"a": 0, "o": 0}]}, ("cancels", 0, "a"), 0, 2**32 - 1),
    ({"type": "cancel", "cancels": [{"a": 0, "o": 0}]}, ("cancels", 0, "o"), 0, 2**64 - 1),
    (
        {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]},
        ("cancels", 0, "asset"),
        0,
        2**32 - 1,
    ),
    ({"type": "scheduleCancel", "time": 0}, ("time",), 0, 2**64 - 1),
    (LEVERAGE, ("asset",), 0, 2**32 - 1),
    (LEVERAGE, ("leverage",), 0, 2**32 - 1),
    (MARGIN, ("asset",), 0, 2**32 - 1),
    (MARGIN, ("ntli",), -(2**63), 2**63 - 1),
]


@pytest.mark.parametrize(("action", "way", "least", "most"), RANGES)
def test_numbers_have_their_range(
    action: dict[str, Any], way: tuple[Any, ...], least: int, most: int
) -> None:
    *start, last = way
    for number in (least, most):
        held = copy.deepcopy(action)
        at(held, tuple(start))[last] = number
        actions.read(held)
    for number in (least - 1, most + 1, True, None, "1"):
        strange = copy.deepcopy(action)
        at(strange, tuple(start))[last] = number
        if (last, number) != ("oid", "1"):
            refused(actions.wish(strange))


@pytest.mark.parametrize("tif", ["Gtc", "Ioc", "Alo"])
def test_an_order_stands_as_the_exchange_knows(tif: str) -> None:
    (part,) = actions.read(orders(order(t={"limit": {"tif": tif}}))).parts
    assert part.fields["tif"] == tif


@pytest.mark.parametrize("tpsl", ["tp", "sl"])
@pytest.mark.parametrize("grouping", ["na", "normalTpsl", "positionTpsl"])
def test_triggers_and_groups_are_the_exchanges(tpsl: str, grouping: str) -> None:
    trigger = {"isMarket": False, "triggerPx": "5", "tpsl": tpsl}
    told = orders(order(r=True, t={"trigger": trigger}), grouping=grouping)
    assert actions.read(told).parts[0].fields["isMarket"] is False


def test_what_the_user_signs_is_for_this_network_and_nonce() -> None:
    refused(actions.wish(sent(), network="testnet"))
    refused(actions.wish(sent(), nonce=actions.NONCE + 1))
    mover = actions.user_signed("usdClassTransfer", amount="5", toPerp=True)
    refused(actions.wish(mover, nonce=actions.NONCE + 1))
    for toward in (1, None, "true"):
        refused(actions.wish(mover | {"toPerp": toward}))
    refused(actions.wish(sent(destination=PAYEE[:-2])))
