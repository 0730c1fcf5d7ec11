"""The actions that are understood, each read into the parts that need a rule.

Source: `hyperliquid/exchange.py` and `utils/signing.py` of the exchange's Python SDK, 0.24.
"""

from collections.abc import Callable
from typing import Final

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json
from keymoot.policy.chains.evm.hyperliquid import read
from keymoot.policy.chains.evm.hyperliquid.kinds import (
    CANCEL,
    CLASS_TRANSFER,
    LEVERAGE,
    MARGIN,
    ORDER,
    PRICE_PLACES,
    SCHEDULE_CANCEL,
    SEND,
    TRIGGER,
    USD_PLACES,
    WITHDRAW,
    Part,
    Value,
)

MAX_PARTS = 64
"""Orders or cancels of one action."""

_TYPE = {"type"}
_TIFS = ("Gtc", "Ioc", "Alo")
_TO_POSITION = "positionTpsl"
_GROUPINGS = ("na", "normalTpsl", _TO_POSITION)
_TO_USD = 10 ** (2 * PRICE_PLACES - USD_PLACES)

Object = dict[str, Json]


def _orders(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"orders", "grouping"}, {"builder"})
    grouping = read.text(action["grouping"], "action.grouping", _GROUPINGS)
    builder = _builder(action["builder"]) if "builder" in action else {}
    orders = read.listed(action["orders"], "action.orders", MAX_PARTS)
    parts = []
    for at, told in enumerate(orders):
        order = _order(told, f"orders[{at}]", builder, modifies=False)
        # Of a position's own orders the size is the position's: they may only reduce it.
        if grouping == _TO_POSITION and not order.fields["reduceOnly"]:
            raise Malformed(
                f"with {_TO_POSITION} an order is reduce-only", f"action.{order.place}.r"
            )
        parts.append(order)
    return parts


def _modify(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"oid", "order"})
    _oid(action["oid"], "action.oid")
    return [_order(action["order"], "order", {}, modifies=True)]


def _modifies(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"modifies"})
    parts = []
    for at, told in enumerate(read.listed(action["modifies"], "action.modifies", MAX_PARTS)):
        path = f"action.modifies[{at}]"
        modify = read.members(told, path, {"oid", "order"})
        _oid(modify["oid"], f"{path}.oid")
        parts.append(_order(modify["order"], f"modifies[{at}].order", {}, modifies=True))
    return parts


def _order(json: Json, place: str, builder: dict[str, Value], *, modifies: bool) -> Part:
    path = f"action.{place}"
    order = read.members(json, path, {"a", "b", "p", "s", "r", "t"}, {"c"})
    price = read.fixed_point(order["p"], f"{path}.p", PRICE_PLACES)
    size = read.fixed_point(order["s"], f"{path}.s", PRICE_PLACES)
    reduces = read.truth(order["r"], f"{path}.r")
    if not size and not reduces:
        raise Malformed("an order that does not reduce a position has a size", f"{path}.s")
    if "c" in order:
        read.parse_sized(order["c"], f"{path}.c", read.CLOID_BYTES)
    tif, is_market, trigger = _when(order["t"], f"{path}.t")
    fields: dict[str, Value] = {
        "asset": read.whole(order["a"], f"{path}.a", 32),
        "isBuy": read.truth(order["b"], f"{path}.b"),
        "price": price,
        "size": size,
        # Rounded up. What waits for a price may be filled at that price.
        "notional": -(-max(price, trigger) * size // _TO_USD),
        "reduceOnly": reduces,
        "tif": tif,
        "isMarket": is_market,
        "modifies": modifies,
    }
    return Part(place, fields | builder)


def _when(json: Json, path: str) -> tuple[str, bool, int]:
    """Give how long the order stands, whether it ignores its price, and what price it waits for."""
    kind = read.members(json, path, set(), {"limit", TRIGGER})
    if len(kind) != 1:
        raise Malformed(f"either limit or {TRIGGER} is expected", path)
    if "limit" in kind:
        limit = read.members(kind["limit"], f"{path}.limit", {"tif"})
        return read.text(limit["tif"], f"{path}.limit.tif", _TIFS), False, 0
    path = f"{path}.{TRIGGER}"
    trigger = read.members(kind[TRIGGER], path, {"isMarket", "triggerPx", "tpsl"})
    read.text(trigger["tpsl"], f"{path}.tpsl", ("tp", "sl"))
    price = read.fixed_point(trigger["triggerPx"], f"{path}.triggerPx", PRICE_PLACES)
    return TRIGGER, read.truth(trigger["isMarket"], f"{path}.isMarket"), price


def _builder(json: Json) -> dict[str, Value]:
    builder = read.members(json, "action.builder", {"b", "f"})
    return {
        "builder": read.address(builder["b"], "action.builder.b"),
        "builderFee": read.whole(builder["f"], "action.builder.f"),
    }


def _oid(json: Json, path: str) -> None:
    if isinstance(json, str):
        read.parse_sized(json, path, read.CLOID_BYTES)
    else:
        read.whole(json, path)


def _cancels(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"cancels"})
    parts = []
    for at, told in enumerate(read.listed(action["cancels"], "action.cancels", MAX_PARTS)):
        path = f"action.cancels[{at}]"
        if action["type"] == CANCEL:
            cancel = read.members(told, path, {"a", "o"})
            read.whole(cancel["o"], f"{path}.o")
            asset = read.whole(cancel["a"], f"{path}.a", 32)
        else:
            cancel = read.members(told, path, {"asset", "cloid"})
            read.parse_sized(cancel["cloid"], f"{path}.cloid", read.CLOID_BYTES)
            asset = read.whole(cancel["asset"], f"{path}.asset", 32)
        parts.append(Part(f"cancels[{at}]", {"asset": asset}))
    return parts


def _schedule(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE, {"time"})
    if "time" in action:
        read.whole(action["time"], "action.time")
    return [Part("action")]


def _leverage(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"asset", "isCross", "leverage"})
    fields: dict[str, Value] = {
        "asset": read.whole(action["asset"], "action.asset", 32),
        "isCross": read.truth(action["isCross"], "action.isCross"),
        "leverage": read.whole(action["leverage"], "action.leverage", 32),
    }
    return [Part("action", fields)]


def _margin(action: Object) -> list[Part]:
    read.members(action, "action", _TYPE | {"asset", "isBuy", "ntli"})
    fields: dict[str, Value] = {
        "asset": read.whole(action["asset"], "action.asset", 32),
        "isBuy": read.truth(action["isBuy"], "action.isBuy"),
        "amount": read.whole(action["ntli"], "action.ntli", 64, signed=True),
    }
    return [Part("action", fields)]


USER_FIELDS = {"type", "signatureChainId", "hyperliquidChain"}
"""What every action that the user signs has beside the fields of its document."""


def _payment(action: Object) -> list[Part]:
    read.members(action, "action", USER_FIELDS | {"destination", "amount", "time"})
    fields: dict[str, Value] = {
        "destination": read.address(action["destination"], "action.destination"),
        "amount": read.fixed_point(action["amount"], "action.amount", USD_PLACES),
    }
    return [Part("action", fields)]


def _class_transfer(action: Object) -> list[Part]:
    read.members(action, "action", USER_FIELDS | {"amount", "toPerp", "nonce"})
    fields: dict[str, Value] = {
        "amount": read.fixed_point(action["amount"], "action.amount", USD_PLACES),
        "toPerp": read.truth(action["toPerp"], "action.toPerp"),
    }
    return [Part("action", fields)]


READERS: Final[dict[str, tuple[str, Callable[[Object], list[Part]]]]] = {
    "order": (ORDER, _orders),
    "modify": (ORDER, _modify),
    "batchModify": (ORDER, _modifies),
    "cancel": (CANCEL, _cancels),
    "cancelByCloid": (CANCEL, _cancels),
    "scheduleCancel": (SCHEDULE_CANCEL, _schedule),
    "updateLeverage": (LEVERAGE, _leverage),
    "updateIsolatedMargin": (MARGIN, _margin),
    "usdSend": (SEND, _payment),
    "withdraw3": (WITHDRAW, _payment),
    "usdClassTransfer": (CLASS_TRANSFER, _class_transfer),
}
"""By an action's own `type`: the kind that rules call it, and its reader."""
