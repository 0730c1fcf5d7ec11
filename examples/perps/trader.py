"""A perpetuals trader that does whatever its advisor says, with Hyperliquid's own SDK.

It checks nothing itself. What holds it is the wallet's policy, in the network: of what the advisor
wishes, the exchange gets what the rules allow.
"""

from dataclasses import dataclass
from typing import Any

from exchange import COIN

from keymoot.adapters.hyperliquid import exchange
from keymoot.agent import Account, PolicyRefused

SLIPPAGE = 0.01
DECIMALS = 5
"""Of a size."""


@dataclass(frozen=True)
class Done:
    """One round: what was advised, and what came of it."""

    advised: dict[str, Any]
    outcome: str
    refused: str | None = None


class Trader:
    """One trader on one exchange."""

    def __init__(self, account: Account, url: str) -> None:
        self.venue = exchange(account, url, timeout=60)

    def market(self) -> str:
        """Tell what an advisor has to know."""
        price = self.venue.info.all_mids()[COIN]
        state = self.venue.info.user_state(self.venue.wallet.address)
        held = [one["position"]["szi"] for one in state["assetPositions"]]
        return f"{COIN} is at {price} USD. You hold {held[0] if held else 0} {COIN}."

    def follow(self, advised: dict[str, Any]) -> Done:
        """Do as advised; a refusal is an outcome, and so is advice that is none."""
        try:
            return Done(advised, str(self._act(advised)))
        except PolicyRefused as error:
            return Done(advised, str(error), error.reason)
        except (KeyError, TypeError, ValueError) as error:
            return Done(advised, f"no advice that can be followed: {error!r}")

    def _act(self, advised: dict[str, Any]) -> Any:
        do = advised["do"]
        if do in ("buy", "sell"):
            price = float(self.venue.info.all_mids()[COIN])
            size = round(float(advised["usd"]) / price, DECIMALS)
            return self.venue.market_open(COIN, do == "buy", size, slippage=SLIPPAGE)
        if do == "close":
            return self.venue.market_close(COIN, slippage=SLIPPAGE)
        if do == "leverage":
            return self.venue.update_leverage(int(advised["times"]), COIN)
        if do == "send":
            return self.venue.usd_transfer(float(advised["usd"]), str(advised["to"]))
        return "waits"
