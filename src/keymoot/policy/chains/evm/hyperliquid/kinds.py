"""The kinds of action that rules speak of: their fields, and what an ALLOW has to say of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ORDER, CANCEL, SCHEDULE_CANCEL = "order", "cancel", "scheduleCancel"
LEVERAGE, MARGIN = "updateLeverage", "updateIsolatedMargin"
SEND, WITHDRAW, CLASS_TRANSFER = "usdSend", "withdraw3", "usdClassTransfer"

PRICE_PLACES = 8
"""Prices and sizes are whole numbers of 10^-8."""

USD_PLACES = 6
"""USD are whole numbers of 10^-6, as USDC's base units are: one limit may count both."""

TRIGGER = "trigger"
"""What `tif` says of an order that waits for a price."""

_AMOUNT = "uint256"


@dataclass(frozen=True, slots=True)
class ActionKind:
    """One kind, by what a rule's `type` calls it.

    Attributes:
        fields: What conditions speak of, with its type.
        named: Fields that an ALLOW names with eq or in.
        bounded: Fields that an ALLOW bounds from above, or spends.
        spent: Fields that `spend` may name.
    """

    fields: Mapping[str, str]
    named: tuple[str, ...] = ()
    bounded: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()


_PAYS: Final = ActionKind(
    {"destination": "address", "amount": _AMOUNT}, ("destination",), ("amount",), ("amount",)
)

KINDS: Final[Mapping[str, ActionKind]] = {
    ORDER: ActionKind(
        {
            "asset": "uint32",
            "isBuy": "bool",
            "price": _AMOUNT,
            "size": _AMOUNT,
            "notional": _AMOUNT,
            "reduceOnly": "bool",
            "tif": "string",
            "isMarket": "bool",
            "modifies": "bool",
            "builder": "address",
            "builderFee": "uint64",
        },
        named=("asset",),
        spent=("notional", "size"),
    ),
    CANCEL: ActionKind({"asset": "uint32"}),
    SCHEDULE_CANCEL: ActionKind({}),
    LEVERAGE: ActionKind(
        {"asset": "uint32", "isCross": "bool", "leverage": "uint32"}, ("asset",), ("leverage",)
    ),
    MARGIN: ActionKind(
        {"asset": "uint32", "isBuy": "bool", "amount": "int64"}, ("asset",), ("amount",)
    ),
    SEND: _PAYS,
    WITHDRAW: _PAYS,
    CLASS_TRANSFER: ActionKind(
        {"amount": _AMOUNT, "toPerp": "bool"}, bounded=("amount",), spent=("amount",)
    ),
}

Value = bool | int | str | bytes


@dataclass(frozen=True, slots=True)
class Part:
    """What one rule is tried on: an order, a cancel, or the whole action.

    Attributes:
        place: Where it stands, for people: `orders[0]`, or `action`.
        fields: Values by their names in rules; what is not there (a builder) is left out.
    """

    place: str
    fields: Mapping[str, Value] = field(default_factory=dict)
