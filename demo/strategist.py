"""The yield agent: it moves the wallet's USDC to the vault that pays best, net of gas.

It holds no key. Everything that it wants signed goes through `Account`.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from demo.market import ETH_IN_USDC, USDC, Market, Vault
from demo.outside import CHAIN_ID, calldata
from demo.report import Signed
from keymoot.agent.account import Account

RULES = {"approve": "approve", "deposit": "deposit", "redeem": "exit"}
"""The policy's rule for each kind of transaction."""

GAS = {"approve": 60_000, "deposit": 130_000, "redeem": 130_000, "transfer": 70_000}


@dataclass(slots=True)
class Strategist:
    """An agent with a credential.

    Attributes:
        place: The vault in which the money is now.
        sent: Raw transactions that were mined, for the audit.
        signed: What was signed and mined, under which rule, how fast.
    """

    account: Account
    market: Market
    place: Vault | None = None
    sent: list[bytes] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The wallet's address on the outside chain."""
        return str(self.account.address)

    def fields(self, kind: str, to: str, data: bytes, nonce: int | None = None) -> dict[str, Any]:
        """Build a transaction as web3.py's dictionary."""
        highest, tip = self.market.chain.fees()
        return {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self.market.chain.nonce(self.address) if nonce is None else nonce,
            "maxFeePerGas": highest,
            "maxPriorityFeePerGas": tip,
            "gas": GAS[kind],
            "to": to,
            "value": 0,
            "data": "0x" + data.hex(),
        }

    def act(self, kind: str, to: str, data: bytes) -> None:
        """Have one transaction signed by the network, and mined by the chain."""
        wish = self.fields(kind, to, data)
        start = time.perf_counter()
        signed = self.account.sign_transaction(wish)
        milliseconds = (time.perf_counter() - start) * 1e3
        raw = bytes(signed.raw_transaction)
        self.market.chain.send_raw(raw)
        self.sent.append(raw)
        self.signed.append(Signed(kind, RULES[kind], milliseconds))

    def choose(self) -> tuple[Vault, str]:
        """Give the vault for the coming round, and why."""
        rates = {vault: self.market.rate(vault) for vault in self.market.vaults}
        best = max(self.market.vaults, key=lambda vault: rates[vault])
        if self.place is None:
            return best, f"pays {rates[best]} bp"
        if best == self.place:
            return best, f"stays: still best at {rates[best]} bp"
        gain = self.market.wealth(self.address) * (rates[best] - rates[self.place]) // 10_000
        cost = self._move_cost()
        if gain <= cost:
            return self.place, f"stays: {gain / USDC:.2f} more is not worth {cost / USDC:.2f} gas"
        return best, f"moves: {gain / USDC:.2f} more for {cost / USDC:.2f} gas"

    def move(self, to: Vault) -> int:
        """Put all USDC into a vault; give the count of transactions."""
        before = len(self.sent)
        if self.place is not None and self.place != to:
            shares = self.market.shares(self.place, self.address)
            leave = calldata("redeem(uint256,address,address)", shares, self.address, self.address)
            self.act("redeem", self.place.address, leave)
        cash = self.market.cash(self.address)
        if cash:
            self.act(
                "approve", self.market.usdc, calldata("approve(address,uint256)", to.address, cash)
            )
            self.act(
                "deposit", to.address, calldata("deposit(uint256,address)", cash, self.address)
            )
        self.place = to
        return len(self.sent) - before

    def _move_cost(self) -> int:
        highest, _ = self.market.chain.fees()
        gas = GAS["redeem"] + GAS["approve"] + GAS["deposit"]
        return gas * highest * ETH_IN_USDC * USDC // 10**18
