"""The host attacks, and the demo tells the truth about each attack."""

import json
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from keymoot.agent.account import Account
from keymoot.agent.errors import Unproven
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.seen import beside
from keymoot.base.fixed import Address, Hash32, Signature65
from keymoot.base.units import UnixSeconds
from keymoot.cli.demo.market import USDC
from keymoot.cli.demo.network import LocalNetwork
from keymoot.cli.demo.outside import calldata, free_port
from keymoot.cli.demo.rules import vault_policy
from keymoot.cli.demo.stage import CREDENTIAL_SECONDS, QUOTA, Stage
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave.measurement import measure, own_package
from keymoot.node.config import DEFAULT_NODES
from keymoot.policy.errors import PolicyRefused
from keymoot.threshold.committee import Committee

TWICE_LIMIT = 1_000 * USDC

UNPROVEN = "refused by the agent itself"


def try_all(stage: Stage) -> None:
    """Try the five attacks."""
    stage.network.stop()
    copy = stage.folder / "stolen"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(stage.network.data, copy)
    source = stage.folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(own_package(), source / "keymoot", ignore=shutil.ignore_patterns("__pycache__"))
    _copy_without_fuse(stage, copy, source)
    _double(stage)
    _copy_with_fuses(stage, copy)
    _yesterday(stage)


def _copy_without_fuse(stage: Stage, copy: Path, source: Path) -> None:
    report, account = stage.report, stage.wallet.account
    report.say("searching a copy of the folder: every 32 bytes of it, tried as the wallet's key;")
    report.say("most of the demo's time goes here")
    searched = _thief(stage, "search", "--data", copy, "--account", account.hex0x)
    report.say(f"searched the folder: {searched['tried']} candidate keys tried")
    # The thief patches the source: a made-up fuse key, and whatever measurement helps.
    fuse = stage.folder / "made-up" / "fuse.key"
    claim = measure(own_package()).hex()  # quotes show it to everybody
    _patch(source)
    opened = _thief(
        stage,
        "open",
        *("--data", copy, "--fuse", fuse, "--seats", "1,2"),
        *("--wallet", stage.wallet.wallet.hex0x),
        *("--challenge", "0x" + secrets.token_hex(32), "--claim", claim),
        source=source,
    )
    report.say(f"patched the code to claim the right measurement: {opened.get('why')}")
    safe = not searched["found"] and not opened["found"] and searched["tried"] > 0
    report.attack("1. folder and source, no fuse key", "not found" if safe else "FOUND", "sealing")
    report.hold("(1) a copy of the folder without the fuse key: the key is not found", true=safe)


def _double(stage: Stage) -> None:
    folder = stage.folder / "double"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    double = LocalNetwork(
        folder / "data",
        folder / "cpu" / "fuse.key",
        folder / "up.log",
        module=("keymoot.cli.demo.unsealed",),
        port=free_port(),
    )
    double.start()
    try:
        owner = Owner(double.network(), new_key())
        owner.network.faucet(owner.address)
        # In Vault a key stands in a cell, sealed or, in the double, not.
        wallet = owner.create("yield", Address(b"\x01" * 20), QUOTA, in_vault=True)
    finally:
        double.stop()
    searched = _thief(stage, "search", "--data", double.data, "--account", wallet.account.hex0x)
    found = bool(searched["found"])
    stage.report.attack(
        "2. the same search, sealing replaced by a double",
        "found" if found else "NOT FOUND",
        "the search works",
    )
    stage.report.hold("(2) the same search where nothing is sealed: the key is found", true=found)


def _copy_with_fuses(stage: Stage, copy: Path) -> None:
    """Break as many enclaves as the degree allows, then one more."""
    degree = Committee.of(DEFAULT_NODES).ecdsa_degree
    few, enough = range(1, degree + 1), range(1, degree + 2)
    held = _signs_with(stage, copy, few)
    stage.report.attack(
        f"3. folders and fuse keys of {len(few)} of {DEFAULT_NODES} enclaves",
        "FOUND" if held else "not found",
        "the threshold",
    )
    stage.report.hold(
        f"(3) what {len(few)} broken enclave has does not yield the wallet's key", true=not held
    )
    stage.report.say(
        f"degree+1 = {len(enough)} broken enclaves hold the root: hardware must prevent that, "
        "and more enclaves raise the number"
    )
    broken = _signs_with(stage, copy, enough)
    stage.report.attack(
        f"4. folders and fuse keys of {len(enough)} of {DEFAULT_NODES} enclaves",
        "found" if broken else "NOT FOUND",
        "what hardware must prevent",
    )
    stage.report.hold(f"(4) {len(enough)} together do: that is the threshold", true=broken)


def _signs_with(stage: Stage, copy: Path, seats: range) -> bool:
    challenge = secrets.token_bytes(32)
    opened = _thief(
        stage,
        "open",
        *("--data", copy, "--fuse", stage.network.fuse),
        *("--seats", ",".join(map(str, seats))),
        *("--wallet", stage.wallet.wallet.hex0x, "--challenge", "0x" + challenge.hex()),
    )
    if not opened["found"]:
        return False
    signature = Signature65(bytes.fromhex(opened["signature"]))
    return recover(Hash32(challenge), signature) == stage.wallet.account


def _yesterday(stage: Stage) -> None:
    """Spend a budget, put yesterday's folder back, spend it again."""
    network = stage.network
    network.start()
    stage.set_policy(vault_policy(stage.market, TWICE_LIMIT, limit="twice-day"))
    until = UnixSeconds(int(time.time()) + CREDENTIAL_SECONDS)
    credential = stage.owner.grant(stage.wallet.wallet, "yield", until)
    path = stage.folder / "second.cred"
    path.unlink(missing_ok=True)
    credential.save(path)
    network.stop()
    yesterday = stage.folder / "yesterday"
    shutil.rmtree(yesterday, ignore_errors=True)
    shutil.copytree(network.data, yesterday)
    network.start()
    first = _spend(stage, path, 1)
    again = _spend(stage, path, 2)
    network.stop()
    shutil.rmtree(network.data)
    shutil.copytree(yesterday, network.data)
    network.start()
    remembers = _spend(stage, path, 3)
    # Root forgets for the agent what it saw.
    beside(path).unlink(missing_ok=True)
    second = _spend(stage, path, 3)
    network.stop()
    twice = (first, again, second) == ("signed", "LIMIT_EXCEEDED", "signed")
    stage.report.say(f"today {first}, then {again}; with yesterday's folder back: {remembers}")
    stage.report.hold(
        "(5) the agent saw a later block, and refuses what is before it", true=remembers == UNPROVEN
    )
    stage.report.say(f"once root has deleted the file in which the agent remembers: {second}")
    stage.report.attack(
        "5. yesterday's folder put back",
        "budget spent twice" if twice else "NOT AS STATED",
        "what many nodes prevent",
    )
    stage.report.hold(
        "(5) yesterday's folder: on one machine the budget is spent twice", true=twice
    )


def _spend(stage: Stage, credential: Path, nonce: int) -> str:
    account = Account.connect("yield", credential=credential)
    data = calldata("deposit(uint256,address)", TWICE_LIMIT, stage.agent.address)
    vault = stage.market.vaults[0].address
    fields = stage.agent.fields("deposit", vault, data, nonce=5_000 + nonce)
    try:
        account.sign_transaction(fields)
    except PolicyRefused as error:
        return error.reason
    except Unproven:
        return UNPROVEN
    finally:
        account.close()
    return "signed"


def _patch(source: Path) -> None:
    """Change the stolen source as a thief would: the fuse file may be anything."""
    path = source / "keymoot" / "enclave" / "simulated.py"
    text = path.read_text(encoding="utf-8")
    wanted = "    if len(fuse) != FUSE_BYTES:"
    if wanted not in text:
        raise RuntimeError("the demo's patch does not fit the source any more")
    path.write_text(text.replace(wanted, "    if False:"), encoding="utf-8")


def _thief(stage: Stage, *arguments: Any, source: Path | None = None) -> dict[str, Any]:
    """Run the thief in a process of its own, on its own copy of the source if it has one."""
    command = [sys.executable, "-m", "keymoot.cli.demo.thief", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin"}
    if source is not None:
        environment["PYTHONPATH"] = str(source)
    done = subprocess.run(  # noqa: S603  our own code
        command, capture_output=True, text=True, check=True, env=environment, cwd=stage.folder
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
