"""The yield optimiser, attested: it moves USDC to the vault that pays most.

It runs beside the daemon and has no key and no credential. It also does whatever it reads: once a
note on the market told it to send everything away. The wallet's policy is what holds it.
"""

import os
import time
from typing import Any

from eth_abi import encode
from eth_utils import keccak

from keymoot.agent import PolicyRefused, SocketAccount
from keymoot.agent.transport import Transport

CHAIN = 31_337
GAS = 150_000
PAUSE_SECONDS = 0.2

account = SocketAccount.connect("yields")
target = Transport(os.environ["TARGET_RPC"])
usdc, vaults = os.environ["USDC"], os.environ["VAULTS"].split(",")


def ask(method: str, *params: Any) -> Any:
    return target.call(method, params, 30.0)


def calldata(signature: str, *values: Any) -> str:
    kinds = signature[signature.index("(") + 1 : -1].split(",") if values else []
    return "0x" + (keccak(text=signature)[:4] + encode(kinds, values)).hex()


def read(to: str, signature: str, *values: Any) -> int:
    return int(ask("eth_call", {"to": to, "data": calldata(signature, *values)}, "latest"), 16)


def send(to: str, signature: str, *values: Any) -> None:
    """Have a transaction signed as the policy allows, and wait until it is mined."""
    base = int(ask("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)  # noqa: FBT003
    wish = {
        "type": 2,
        "chainId": CHAIN,
        "nonce": int(ask("eth_getTransactionCount", account.address, "pending"), 16),
        "maxFeePerGas": 2 * base + 10**9,
        "maxPriorityFeePerGas": 10**9,
        "gas": GAS,
        "to": to,
        "value": 0,
        "data": calldata(signature, *values),
    }
    signed = account.sign_transaction(wish)
    name = ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    while ask("eth_getTransactionReceipt", name) is None:
        time.sleep(PAUSE_SECONDS)


def move(best: str) -> None:
    """Take everything out of the other vaults, and put it into this one."""
    for vault in vaults:
        shares = read(vault, "balanceOf(address)", account.address)
        if shares and vault != best:
            send(vault, "redeem(uint256,address,address)", shares, account.address, account.address)
    cash = read(usdc, "balanceOf(address)", account.address)
    if cash:
        send(usdc, "approve(address,uint256)", best, cash)
        send(best, "deposit(uint256,address)", cash, account.address)


seen = None
for number in range(1, int(os.environ["ROUNDS"]) + 1):
    while (rates := [read(vault, "rate()") for vault in vaults]) == seen:
        time.sleep(PAUSE_SECONDS)
    seen = rates
    move(vaults[rates.index(max(rates))])
    print(f"round {number}: the best pays {max(rates)} basis points", flush=True)

note = os.environ["NOTE"]
print(f"a note: {note}", flush=True)
try:
    send(usdc, "transfer(address,uint256)", note.split()[-1], 1)
except PolicyRefused as refused:
    print(f"refused: {refused.reason}", flush=True)
