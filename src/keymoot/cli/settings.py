"""What commands share: where the network is, the owner's key, the book of wallets."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.cli.output import note
from keymoot.cli.password import password

if TYPE_CHECKING:
    from keymoot.agent.app_admin import AppAdmin
    from keymoot.agent.network import Network
    from keymoot.agent.owner import Owner
    from keymoot.base.secret import Secret

DEFAULT_URL = "http://127.0.0.1:8645"
URL_VARIABLE = "KEYMOOT_URL"

FEES_WEI = 10**18
"""What an account keeps for the fees of its own transactions."""


def network(url: str | None) -> "Network":
    """Give the Keymoot RPC that a command speaks to: the option's, the variable's, ours.

    Only the network that is pinned for it is believed; the first one is shown, and pinned.
    Several nodes of one network are written with commas.
    """
    from functools import partial

    from keymoot.agent.network import Network
    from keymoot.cli import known

    at, folder = named_url(url) or DEFAULT_URL, config_folder()
    pin = known.find(folder, at)
    first_use = partial(known.first_use, folder, at) if pin is None else None
    return Network(at, seen=state_folder() / "seen", pin=pin, first_use=first_use)


def named_url(url: str | None) -> str | None:
    """Give the Keymoot RPC that a person has named, by the option or the variable, if any."""
    return url or os.environ.get(URL_VARIABLE) or None


def owner(url: str | None, keystore: Path, password_file: Path | None) -> "Owner":
    from keymoot.agent.owner import Owner

    return Owner(network(url), key_of(keystore, password_file))


def provide(acting: "Owner | AppAdmin", wei: int) -> None:
    """Ask the development network's faucet where an account has too little, fees included."""
    if acting.network.balance(acting.address) < wei + FEES_WEI:
        note("asking the development network's faucet for ledger tokens")
        acting.network.faucet(acting.address)


def key_of(keystore: Path, password_file: Path | None) -> "Secret":
    from keymoot.agent.keystore import Keystore

    # What no password opens is said before anybody types one.
    keystore_ = Keystore(keystore)
    return keystore_.open(password(password_file))


def state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "keymoot"


def config_folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "keymoot"
