"""A small exchange that speaks Hyperliquid's API: it takes what is signed, and fills it at once.

It believes no sender: who trades is recovered from the signature by the SDK's own functions, as a
testnet. One coin is traded, at the price that a test or a story sets.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hyperliquid.utils.signing import (
    USD_SEND_SIGN_TYPES,
    WITHDRAW_SIGN_TYPES,
    recover_agent_or_user_from_l1_action,
    recover_user_from_user_signed_action,
)
from serving import serving

COIN = "BTC"
BY_USER = {
    "usdSend": (USD_SEND_SIGN_TYPES, "HyperliquidTransaction:UsdSend"),
    "withdraw3": (WITHDRAW_SIGN_TYPES, "HyperliquidTransaction:Withdraw"),
}


@dataclass
class Exchange:
    """The books of the exchange.

    Attributes:
        price: Of the one coin, in USD.
        positions: Size held, by address.
        taken: Each action that came with a signature: whose it was, and the action.
    """

    price: Decimal = Decimal(65_000)
    positions: dict[str, Decimal] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    nonces: set[tuple[str, int]] = field(default_factory=set)

    def info(self, asked: dict[str, Any]) -> Any:
        kind = asked["type"]
        if kind == "meta":
            return {"universe": [{"name": COIN, "szDecimals": 5}]}
        if kind == "spotMeta":
            return {"universe": [], "tokens": []}
        if kind == "allMids":
            return {COIN: str(self.price)}
        held = self.positions.get(asked["user"].lower(), Decimal(0))
        position = {"coin": COIN, "szi": str(held)}
        return {"assetPositions": [{"position": position, "type": "oneWay"}] if held else []}

    def exchange(self, told: dict[str, Any]) -> Any:
        """Take one action, or say in words why not."""
        action, nonce = told["action"], told["nonce"]
        kind = action["type"]
        if kind in BY_USER:
            types, primary = BY_USER[kind]
            told_user = recover_user_from_user_signed_action
            who = told_user(dict(action), told["signature"], types, primary, is_mainnet=False)
        else:
            vault, expires = told["vaultAddress"], told["expiresAfter"]
            told_l1 = recover_agent_or_user_from_l1_action
            who = told_l1(action, told["signature"], vault, nonce, expires, is_mainnet=False)
        if (who, nonce) in self.nonces:
            return {"status": "err", "response": "this nonce was used before"}
        self.nonces.add((who, nonce))
        self.taken.append((who, action))
        statuses = [self._fill(who, one) for one in action.get("orders", ())]
        return {"status": "ok", "response": {"type": kind, "data": {"statuses": statuses}}}

    def _fill(self, who: str, order: dict[str, Any]) -> dict[str, Any]:
        size = Decimal(order["s"]) * (1 if order["b"] else -1)
        limit = Decimal(order["p"])
        if (self.price > limit) if order["b"] else (self.price < limit):
            return {"resting": {"oid": len(self.taken)}}
        held = self.positions.get(who.lower(), Decimal(0))
        if order["r"] and held * size >= 0:
            return {"error": "a reduce-only order would increase the position"}
        self.positions[who.lower()] = held + size
        filled = {"totalSz": order["s"], "avgPx": str(self.price), "oid": len(self.taken)}
        return {"filled": filled}


@contextmanager
def served(exchange: Exchange) -> Iterator[str]:
    """Serve on a free port of the loopback interface; give the address."""
    lock = threading.Lock()

    def answer(path: str, told: Any) -> Any:
        with lock:
            return exchange.info(told) if path == "/info" else exchange.exchange(told)

    with serving(answer) as url:
        yield url
