"""Which network is which: the first one that answered at a URL is the one for ever after.

The file `networks.json` in the folder of our settings holds, for each Keymoot RPC, the network's
id and verifying key. It is no secret; whoever can write it can show you another network.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.base import hexes
from keymoot.base.errors import Malformed, Refused
from keymoot.base.storage import CannotWrite
from keymoot.cli.kept import replace_text
from keymoot.cli.output import fail, note

if TYPE_CHECKING:
    from keymoot.proof.founding import Anchor

VARIABLE = "KEYMOOT_FINGERPRINT"
"""Environment variable with the fingerprint that a network must have, the first time too."""


class NotTheOne(Refused):
    """The network has another fingerprint than was named."""

    code = "ANOTHER_NETWORK"


def find(folder: Path, url: str) -> "Anchor | None":
    """Give what is pinned for a URL, if anything; of several with commas, for any of them."""
    found: Anchor | None = None
    pinned = _read(folder)
    for one in _keys(url):
        told = pinned.get(one)
        if told is None:
            continue
        another = _anchor(folder, told)
        if found is not None and another != found:
            fail(
                f"other networks are pinned for nodes of {url}, {found.network.hex0x} and "
                f"{another.network.hex0x}: name nodes of one network only"
            )
        found = another
    if found is not None:
        _check_named(found, url)
    return found


def _anchor(folder: Path, told: dict[str, str]) -> "Anchor":
    from keymoot.base.fixed import NetworkId
    from keymoot.moot.certified import VERIFYING_KEY_BYTES
    from keymoot.proof.founding import Anchor

    try:
        network = NetworkId.from_hex(told["network"])
        key = hexes.parse_data(told["verifyingKey"], "verifyingKey", VERIFYING_KEY_BYTES)
    except (Malformed, KeyError, TypeError) as error:
        fail(f"{_path(folder)} is damaged ({error}): repair it or remove it")
    return Anchor(network, key)


def first_use(folder: Path, url: str, found: "Anchor") -> None:
    """Show a network that is new here, and pin it.

    Raises:
        NotTheOne: the environment names another fingerprint.
    """
    _check_named(found, url)
    note(f"first use of {url}: network {found.network.hex0x}")
    note(f"fingerprint {found.fingerprint}: compare it with what those who run it tell you")
    pinned = _read(folder)
    key = hexes.data(found.verifying_key)
    anchor = {"network": found.network.hex0x, "verifyingKey": key}
    _write(folder, pinned | dict.fromkeys(_keys(url), anchor))


def forget(folder: Path, url: str) -> "Anchor":
    """Take a pin back, so that the next network that answers at a URL is pinned."""
    found = find(folder, url)
    if found is None:
        fail(f"no network is pinned for {url}")
    gone = _keys(url)
    _write(folder, {name: one for name, one in _read(folder).items() if name not in gone})
    return found


def _check_named(found: "Anchor", url: str) -> None:
    named = os.environ.get(VARIABLE)
    if named and named.strip().lower() != found.fingerprint:
        raise NotTheOne(
            f"the network at {url} has the fingerprint {found.fingerprint}, {VARIABLE} names "
            f"{named}: this is another network, or the variable is meant for another URL"
        )


def _keys(url: str) -> tuple[str, ...]:
    """Give the names under which the nodes of a list are pinned."""
    return tuple(one.strip().rstrip("/") for one in url.split(",") if one.strip())


def _path(folder: Path) -> Path:
    return folder / "networks.json"


def _read(folder: Path) -> dict[str, dict[str, str]]:
    path = _path(folder)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        fail(f"the networks that are pinned, {path}, cannot be read ({error.strerror})")
    except ValueError as error:
        fail(f"{path} is damaged ({error}): repair it or remove it")
    if not isinstance(found, dict):
        fail(f"{path} is damaged (no JSON object): repair it or remove it")
    return found


def _write(folder: Path, pinned: dict[str, dict[str, str]]) -> None:
    path = _path(folder)
    try:
        replace_text(path, json.dumps(pinned, indent=1, sort_keys=True))
    except OSError as error:
        note(f"warning: {CannotWrite(str(path), error.errno)}; the network is not pinned")
