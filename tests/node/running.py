"""A real node as a process tree, for tests that stop, kill and search it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo.checkout import free_port
from keymoot.agent.account import Account
from keymoot.agent.credential import Credential
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.views import WalletView
from keymoot.base.fixed import Address
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds, Wei
from keymoot.node.config import FUSE_VARIABLE, Config
from tests.node import prepared
from tests.runtime.people import policy

RECOVERY = Address(b"\x99" * 20)

PATIENCE_SECONDS = 240
"""How long anything may take that a machine under load does late."""


def until(found: Callable[[], Any]) -> Any:
    """Give what `found` finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Running:
    """One `keymoot up` in a process group of its own.

    Its processes have imported everything before, unless it starts `anew`, as a person starts it.
    """

    def __init__(
        self,
        folder: Path,
        module: str = "keymoot.cli",
        options: Sequence[str] = (),
        *,
        anew: bool = False,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.fuses = folder / "cpu" / "fuse.key"
        self.config = Config(self.data, self.fuses)
        self.fuse = self.config.fuse_of(1)
        self.log = folder / "up.log"
        self.port = free_port()
        self.module = module
        self.options = list(options)
        self.anew = anew
        self.process: subprocess.Popen[bytes] | prepared.Node | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def network(self) -> Network:
        return Network(self.url, PATIENCE_SECONDS)

    def start(self) -> "Running":
        arguments = ["up"] if self.module == "keymoot.cli" else []
        arguments += ["--data", str(self.data), "--port", str(self.port), *self.options]
        variables = {**os.environ, FUSE_VARIABLE: str(self.fuses)}
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.anew:
            self.process = _started(self.module, arguments, self.log, variables)
        else:
            self.process = prepared.Node(self.module, arguments, self.log, variables)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.network.identity()
            except Exception:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.03)
            else:
                return self

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE_SECONDS)
        self.process = None
        return status

    def kill(self) -> None:
        """Kill the whole tree at once, as a power cut does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def enclaves(self) -> list[int]:
        """Process ids of the enclaves, in no order."""
        assert self.process is not None
        return [pid for pid in children_of(self.process.pid) if name_of(pid) != prepared.NAME]

    def owner(self) -> Owner:
        owner = Owner(self.network, new_key())
        owner.network.faucet(owner.address)
        return owner


def _started(
    module: str, arguments: Sequence[str], log: Path, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    # Tests that run in the background ignore both signals; their node does not.
    command = ["env", "--default-signal=HUP,INT", sys.executable, "-m", module, *arguments]
    with log.open("ab") as said:
        return subprocess.Popen(
            command, stdout=said, stderr=said, env=variables, start_new_session=True
        )


def children_of(pid: int) -> list[int]:
    """Give the process ids of a process's children, in no order."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name_of(pid: int) -> str:
    """Give what the kernel calls a process; nothing for one that has just ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def gone(pid: int) -> bool:
    """Tell whether a process has ended, whether or not anybody has asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextmanager
def running(
    folder: Path,
    module: str = "keymoot.cli",
    options: Sequence[str] = (),
    *,
    anew: bool = False,
) -> Iterator[Running]:
    node = Running(folder, module, options, anew=anew)
    try:
        yield node.start()
    finally:
        if node.process is not None:
            node.kill()


def new_blocks(node: Running, count: int) -> None:
    """Let a node come to so many more blocks: each pays somebody test tokens."""
    somebody = Address(b"\x07" * 20)
    wanted = newest(node) + count
    while newest(node) < wanted:
        node.network.faucet(somebody)


def newest(node: Running) -> int:
    """Give a node's newest height."""
    return int(node.network.call("eth_blockNumber"), 16)


def wallet_with_agent(
    node: Running, owner: Owner, limit: int = 10**6, *, in_vault: bool = False
) -> tuple[WalletView, Credential, Account]:
    """Make a wallet that may pay up to `limit` a day, and an agent for it."""
    wallet = owner.create("test", RECOVERY, Wei(100 * 10**18), in_vault=in_vault)
    owner.set_policy(wallet.wallet, canonical(policy(limit)), 0)
    until = UnixSeconds(int(time.time()) + 3_600)
    credential = owner.grant(wallet.wallet, "test", until)
    return wallet, credential, Account(credential, node.url, PATIENCE_SECONDS)


def pay(nonce: int, value: int = 1) -> dict:
    return {
        "type": 2,
        "chainId": 8453,
        "nonce": nonce,
        "maxFeePerGas": 10,
        "maxPriorityFeePerGas": 1,
        "gas": 21_000,
        "to": "0x" + "02" * 20,
        "value": value,
        "data": "0x",
    }
