"""The outside world: anvil, a real Ethereum node, and contracts on it."""

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account

from demo.checkout import ROOT, free_port
from keymoot.agent.transport import Transport
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import Kind, parameters, parse_kinds
from keymoot.base.errors import Refused
from keymoot.base.fixed import Address
from keymoot.crypto.keccak import keccak256_raw
from keymoot.enclave.harden import die_with_parent
from keymoot.policy.names import checksummed

ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
WORLD = ROOT / "build/world.json"

CHAIN_ID = 31_337
START_SECONDS = 120.0

DEPLOYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""First account of "test test … junk": its key is known to everybody."""


class NotSetUp(Refused):
    """Something that `make setup` installs is missing."""

    code = "NOT_SET_UP"

    def __init__(self, path: Path) -> None:
        """Name it."""
        super().__init__(f"{path.name} is missing: run `make setup` in the checkout")


class Chain:
    """A target chain over JSON-RPC."""

    def __init__(self, url: str) -> None:
        """Take the target RPC's address."""
        self.url = url
        self._transport = Transport(url)

    def call(self, method: str, *params: Any) -> Any:
        """Call a JSON-RPC method."""
        return self._transport.call(method, params, 30.0)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def nonce(self, address: str) -> int:
        """Give an account's next nonce."""
        return int(self.call("eth_getTransactionCount", address, "pending"), 16)

    def balance(self, address: str) -> int:
        """Give a balance in wei."""
        return int(self.call("eth_getBalance", address, "latest"), 16)

    def fees(self) -> tuple[int, int]:
        """Give maxFeePerGas and maxPriorityFeePerGas for the next block, in wei."""
        base = int(self.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)  # noqa: FBT003
        return 2 * base + 10**9, 10**9

    def send_raw(self, raw: bytes) -> dict[str, Any]:
        """Send a signed transaction and give its receipt, which must be a success."""
        name = self.call("eth_sendRawTransaction", "0x" + raw.hex())
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.call("eth_getTransactionReceipt", name)
            if receipt is not None:
                if receipt["status"] != "0x1":
                    raise Refused(f"the target chain reverted transaction {name}")
                return receipt
            time.sleep(0.005)
        raise Refused(f"transaction {name} was not mined within 10 s")


class Deployer:
    """The script that moves the outside world."""

    def __init__(self, chain: Chain) -> None:
        """Act on `chain`."""
        self.chain = chain
        self.address = str(Account.from_key(DEPLOYER_KEY).address)
        try:
            self._made = json.loads(WORLD.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NotSetUp(WORLD) from error

    def deploy(self, name: str, kinds: list[str], values: list[Any]) -> str:
        """Deploy a contract; give its address."""
        code = self._made[name]["bytecode"] + _encoded(parse_kinds(kinds), values).hex()
        made = self.send(None, bytes.fromhex(code[2:]))["contractAddress"]
        return checksummed(Address.from_hex(made))

    def send(self, to: str | None, data: bytes = b"", value: int = 0) -> dict[str, Any]:
        """Send a transaction of the deployer's."""
        highest, tip = self.chain.fees()
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self.chain.nonce(self.address),
            "maxFeePerGas": highest,
            "maxPriorityFeePerGas": tip,
            "gas": 5_000_000,
            "value": value,
            "data": "0x" + data.hex(),
        }
        if to is not None:
            fields["to"] = to
        signed = Account.from_key(DEPLOYER_KEY).sign_transaction(fields)
        return self.chain.send_raw(bytes(signed.raw_transaction))


def calldata(signature: str, *values: Any) -> bytes:
    """Encode a call, as `transfer(address,uint256)` and its arguments."""
    return keccak256_raw(signature.encode())[:4] + _encoded(parameters(signature), values)


def _encoded(kinds: Sequence[Kind], values: Sequence[Any]) -> bytes:
    """Encode values among which addresses are text, as JSON-RPC writes them."""
    named = zip(kinds, values, strict=True)
    return encode(kinds, [Address.from_hex(v) if k.name == "address" else v for k, v in named])


def read(chain: Chain, to: str, signature: str, *values: Any) -> int:
    """Call a view that gives one unsigned integer."""
    call = {"to": to, "data": "0x" + calldata(signature, *values).hex()}
    raw = chain.call("eth_call", call, "latest")
    return int(raw, 16)


@contextmanager
def anvil() -> Iterator[Chain]:
    """Run a real Ethereum node on a free port, for as long as the block lasts."""
    if not ANVIL.exists():
        raise NotSetUp(ANVIL)
    port = free_port()
    process = subprocess.Popen(  # noqa: S603  our own installed binary
        [str(ANVIL), "--port", str(port), "--chain-id", str(CHAIN_ID), "--silent"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509  no threads run yet
    )
    chain = Chain(f"http://127.0.0.1:{port}")
    try:
        _wait(chain)
        yield chain
    finally:
        chain.close()
        process.terminate()
        process.wait()


def _wait(chain: Chain) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            chain.call("eth_chainId")
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
