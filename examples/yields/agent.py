"""The yield optimiser, attested: it moves USDC to the vault that pays most.

It runs beside the daemon and has no key and no credential. It also does whatever it reads: once a
note on the market told it to send everything away. The wallet's policy is what holds it.
"""

import time
from typing import Any

try:
    from eth_abi import encode
    from eth_utils import keccak

    from keymoot.agent import PolicyRefused, SocketAccount
    from keymoot.agent.errors import NetworkUnreachable
    from keymoot.agent.program import program, setting
    from keymoot.agent.transport import Transport
    from keymoot.base.errors import Refused
except ModuleNotFoundError as absent:
    raise SystemExit(f"{absent.name} is missing: pip install keymoot") from None

CHAIN = 31_337
GAS = 150_000
PAUSE_SECONDS = 0.2


def calldata(signature: str, *values: Any) -> str:
    kinds = signature[signature.index("(") + 1 : -1].split(",") if values else []
    return "0x" + (keccak(text=signature)[:4] + encode(kinds, values)).hex()


class Optimiser:
    """One wallet on one chain."""

    def __init__(self) -> None:
        self.account = SocketAccount.connect("yields")
        self.target = Transport(setting("TARGET_RPC", "the RPC of the chain with the vaults"))
        self.usdc = setting("USDC", "the token's address")
        self.vaults = setting("VAULTS", "the vaults' addresses, with commas").split(",")

    def ask(self, method: str, *params: Any) -> Any:
        try:
            return self.target.call(method, params, 30.0)
        except NetworkUnreachable as error:
            raise Refused(f"TARGET_RPC does not answer at {error.url}: start that chain") from error

    def read(self, to: str, signature: str, *values: Any) -> int:
        asked = {"to": to, "data": calldata(signature, *values)}
        return int(self.ask("eth_call", asked, "latest"), 16)

    def send(self, to: str, signature: str, *values: Any) -> None:
        """Have a transaction signed as the policy allows, and wait until it is mined."""
        base = int(self.ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)  # noqa: FBT003
        wish = {
            "type": 2,
            "chainId": CHAIN,
            "nonce": int(self.ask("eth_getTransactionCount", self.account.address, "pending"), 16),
            "maxFeePerGas": 2 * base + 10**9,
            "maxPriorityFeePerGas": 10**9,
            "gas": GAS,
            "to": to,
            "value": 0,
            "data": calldata(signature, *values),
        }
        signed = self.account.sign_transaction(wish)
        name = self.ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        while self.ask("eth_getTransactionReceipt", name) is None:
            time.sleep(PAUSE_SECONDS)

    def rates(self) -> list[int]:
        return [self.read(vault, "rate()") for vault in self.vaults]

    def move(self, best: str) -> None:
        """Take everything out of the other vaults, and put it into this one."""
        me = self.account.address
        for vault in self.vaults:
            shares = self.read(vault, "balanceOf(address)", me)
            if shares and vault != best:
                self.send(vault, "redeem(uint256,address,address)", shares, me, me)
        cash = self.read(self.usdc, "balanceOf(address)", me)
        if cash:
            self.send(self.usdc, "approve(address,uint256)", best, cash)
            self.send(best, "deposit(uint256,address)", cash, me)

    def obey(self, note: str) -> None:
        """Do what a stranger's note says, as a model may that believes it."""
        try:
            self.send(self.usdc, "transfer(address,uint256)", note.rsplit(maxsplit=1)[-1], 1)
        except PolicyRefused as refused:
            print(f"refused: {refused.reason}", flush=True)


def main() -> None:
    optimiser, seen = Optimiser(), None
    for number in range(1, int(setting("ROUNDS", "how many")) + 1):
        while (rates := optimiser.rates()) == seen:
            time.sleep(PAUSE_SECONDS)
        seen = rates
        optimiser.move(optimiser.vaults[rates.index(max(rates))])
        print(f"round {number}: the best pays {max(rates)} basis points", flush=True)
    note = setting("NOTE", "what somebody wrote on the market")
    print(f"a note: {note}", flush=True)
    optimiser.obey(note)


if __name__ == "__main__":
    with program():
        main()
