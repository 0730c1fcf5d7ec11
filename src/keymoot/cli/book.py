"""The book of wallets: which name means which wallet on which network, on this machine.

For convenience only: it holds no secret, and every fact in it stands on the ledger.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from keymoot.base.storage import CannotWrite
from keymoot.cli.kept import replace_text
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


def _path() -> Path:
    return config_folder() / "wallets.json"


def entries(network: str | None = None) -> list[Entry]:
    """Give the wallets that this machine knows, of one network or of all."""
    try:
        found = [Entry(**one) for one in json.loads(_path().read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except OSError as error:
        fail(f"the book of wallets {_path()} cannot be read ({error.strerror})")
    except (ValueError, TypeError) as error:
        fail(f"the book of wallets {_path()} is damaged ({error}): repair it or remove it")
    return [one for one in found if network in (None, one.network)]


def find(name: str, network: str) -> Entry:
    """Give a wallet of a network by its name."""
    known = entries(network)
    for one in known:
        if name in (one.name, one.wallet):
            return one
    others = ", ".join(sorted(one.name for one in known)) or "none"
    fail(
        f'no wallet "{name}" is known here on this network (known: {others}): create it, '
        "or give its id (0x…), which `keymoot wallet create` has shown"
    )


def add(entry: Entry) -> None:
    """Write a wallet into the book, in place of one of the same name and network."""
    kept = [one for one in entries() if (one.name, one.network) != (entry.name, entry.network)]
    path = _path()
    text = json.dumps([asdict(one) for one in [*kept, entry]], indent=1)
    try:
        replace_text(path, text)
    except OSError as error:
        # The wallet is there all the same: its id finds it without the book.
        note(f"warning: {CannotWrite(str(path), error.errno)}; name the wallet by its id instead")
