"""The story, from an empty folder to the attacks of the host."""

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from demo import attacks, wishes, yields
from demo.market import open_market
from demo.network import LocalNetwork
from demo.outside import anvil
from demo.report import Report
from demo.stage import Stage, set_stage
from keymoot.base.errors import Refused

ROUNDS = 12
SHORT_ROUNDS = 3


def tell(*, short: bool = False, keep: Path | None = None, console: Console | None = None) -> int:
    """Tell the story; exit status 0 only if all of it was as stated.

    Args:
        short: Fewer rounds.
        keep: Where to leave the folder.
        console: Where to print.

    Raises:
        Refused: something is not set up, or broke on the way.
    """
    report = Report(console or Console())
    report.say("Keymoot demo. SIMULATED enclave, unaudited: test funds only.")
    report.say("Two chains: the Keymoot RPC (keys, policies) and a target chain (anvil, money).")
    with ExitStack() as stack:
        folder = (
            keep.resolve()
            if keep
            else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keymoot-")))
        )
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Refused(f"the folder {folder} is not empty: name a new one with --keep")
        report.chapter("1. Start the embedded network and a real Ethereum node")
        chain = stack.enter_context(anvil())
        network = LocalNetwork(folder / "data", folder / "cpu" / "fuse.key", folder / "up.log")
        stack.enter_context(network)
        network.start()
        market = open_market(chain)
        report.say(f"Keymoot RPC {network.url}, target RPC {chain.url}")
        report.say(f"USDC {market.usdc}, three ERC-4626 vaults")
        report.chapter("2. An owner makes a wallet, a policy, and a credential for an agent")
        stage = set_stage(report, network, market, folder)
        report.chapter("3. The agent earns yield")
        yields.earn(stage, SHORT_ROUNDS if short else ROUNDS)
        stage.note_balances("after the last round")
        report.chapter("4. What the agent must not do, and what the owner always can")
        wishes.try_all(stage)
        stage.note_balances("withdrawn")
        report.chapter("5. An audit by a script that imports only eth_account")
        _audit(stage)
        report.chapter("6. The host attacks")
        attacks.try_all(stage)
        report.chapter("7. What happened")
        report.tables()
        if keep:
            path = folder / "answers.json"
            path.write_text(json.dumps(report.answers, indent=1) + "\n", encoding="utf-8")
            report.say(f"every refusal, whole: {path}")
    report.say("")
    if report.failures:
        for failure in report.failures:
            report.say(f"✗ did not hold: {failure}")
        return 1
    report.say(
        f"All {report.held} statements held. The enclaves were SIMULATED: see attacks 3, 4 and 5."
    )
    return 0


def _audit(stage: Stage) -> None:
    """Let a stranger's script recover every sender."""
    listing = stage.folder / "transactions.txt"
    raws = stage.agent.sent + stage.withdrawals
    listing.write_text("".join(f"0x{raw.hex()}\n" for raw in raws), encoding="utf-8")
    script = Path(__file__).with_name("recover_senders.py")
    copy = stage.folder / script.name
    shutil.copyfile(script, copy)
    done = subprocess.run(  # noqa: S603  our own script
        [sys.executable, "-I", str(copy), str(listing)],
        capture_output=True,
        text=True,
        check=True,
    )
    senders = done.stdout.split()
    stage.report.say(f"{len(senders)} transactions, sent by {', '.join(sorted(set(senders)))}")
    stage.report.hold(
        "every mined transaction was sent by the wallet",
        true=senders == [stage.agent.address] * len(raws) and bool(raws),
    )
