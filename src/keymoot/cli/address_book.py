"""The address book of wallets: which name means which wallet on which network, on this machine.

For convenience only: it holds no secret, and every fact in it stands on the ledger.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from keymoot.base.storage import CannotWrite
from keymoot.cli.kept import damaged, read_json, replace_text
from keymoot.cli.output import fail, note
from keymoot.cli.settings import config_folder


@dataclass(frozen=True, slots=True)
class Entry:
    """One wallet; all fields are hex text but the name."""

    name: str
    network: str
    wallet: str
    account: str
    owner: str


_WHAT = "the address book"


def _path() -> Path:
    return config_folder() / "wallets.json"


def entries(network: str | None = None) -> list[Entry]:
    try:
        saved = [Entry(**fields) for fields in read_json(_path(), _WHAT) or ()]
    except TypeError as error:
        damaged(_path(), _WHAT, error)
    return [entry for entry in saved if network in (None, entry.network)]


def find(name: str, network: str) -> Entry:
    known = entries(network)
    for entry in known:
        if name in (entry.name, entry.wallet):
            return entry
    others = ", ".join(sorted(entry.name for entry in known)) or "none"
    fail(
        f'no wallet "{name}" is known here on this network (known: {others}): create it, '
        "or give its id (0x…), which `keymoot wallet create` has shown"
    )


def add(entry: Entry) -> None:
    """Write a wallet into the book, in place of one of the same name and network."""
    kept = [
        other for other in entries() if (other.name, other.network) != (entry.name, entry.network)
    ]
    path = _path()
    text = json.dumps([asdict(each) for each in [*kept, entry]], indent=1)
    try:
        replace_text(path, text)
    except OSError as error:
        # The wallet is there all the same: its id finds it without the book.
        note(f"warning: {CannotWrite(str(path), error.errno)}; name the wallet by its id instead")
