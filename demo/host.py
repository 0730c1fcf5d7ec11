"""What a host can do: copy folders and code, and run a thief on them in a process of its own."""

import json
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.checkout import ROOT
from keymoot.agent.views import WalletView
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, Signature65
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave.measurement import own_package

PATCHED = "enclave/sealed_state.py"
"""The file that a thief patches; any file that is measured would do."""


@dataclass(frozen=True, slots=True)
class Loot:
    """What a thief came away with.

    Attributes:
        has_key: It signed our challenge with the wallet's key.
        why: The code of the error on which it ended; empty if none.
        tried: How many candidate keys it tried.
        places: Where in the folder the key stands that it has.
    """

    has_key: bool
    why: str
    tried: int
    places: tuple[str, ...]


def copied(folder: Path, to: Path) -> Path:
    """Copy a folder, over whatever was there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def patched_code(to: Path) -> Path:
    """Copy the product's source and change it; give the folder to import it from."""
    file = copied(own_package(), to / own_package().name) / PATCHED
    file.write_text(file.read_text(encoding="utf-8") + "\n# patched\n", encoding="utf-8")
    return to


def steal(
    attack: str, data: Path, wallet: WalletView, *arguments: Any, code: Path | None = None
) -> Loot:
    """Run the thief on a copy of a data folder, to get a wallet's key.

    Args:
        attack: What the thief does.
        data: The copy.
        wallet: Whose key it wants.
        arguments: More for it.
        code: A copy of the product's source to run; by default the one that runs here.

    Raises:
        Refused: the thief broke down, so nothing was shown.
    """
    challenge = Hash32(secrets.token_bytes(32))
    of = (
        ("--account", wallet.account.hex0x)
        if attack == "search"
        else ("--wallet", wallet.wallet.hex0x)
    )
    command = [sys.executable, "-m", "demo.thief", attack, data.resolve(), *of]
    command += ["--challenge", challenge.hex0x, *arguments]
    paths = [own_package().parent if code is None else code.resolve(), ROOT]
    done = subprocess.run(  # noqa: S603  our own code
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(map(str, paths))},
        cwd=data,
    )
    if done.returncode:
        raise Refused(f"the thief broke down, so nothing was shown: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout)
    signature = told.get("signature")
    has_key = signature is not None and (
        recover(challenge, Signature65(bytes.fromhex(signature))) == wallet.account
    )
    places = tuple(told.get("places", ()))
    return Loot(has_key, told.get("why", ""), told.get("tried", 0), places)
