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
from keymoot.cli.kept import damaged, read_json, replace_text
from keymoot.cli.output import fail, note

if TYPE_CHECKING:
    from keymoot.proof.founding import Anchor

_WHAT = "the file of pinned networks"

VARIABLE = "KEYMOOT_FINGERPRINT"
"""Environment variable with the fingerprint that a network must have, the first time too."""


class NotTheOne(Refused, code="ANOTHER_NETWORK"):
    """The network has another fingerprint than was named."""


def find(folder: Path, url: str) -> "Anchor | None":
    """Give what is pinned for a URL, if anything; of several with commas, for any of them."""
    anchor: Anchor | None = None
    pinned = _read(folder)
    for key in _keys(url):
        told = pinned.get(key)
        if told is None:
            continue
        another = _anchor(folder, told)
        if anchor is not None and another != anchor:
            fail(
                f"other networks are pinned for nodes of {url}, {anchor.network.hex0x} and "
                f"{another.network.hex0x}: name nodes of one network only"
            )
        anchor = another
    if anchor is not None:
        _check_named(anchor, url)
    return anchor


def _anchor(folder: Path, told: dict[str, str]) -> "Anchor":
    from keymoot.base.fixed import NetworkId
    from keymoot.committee.certified import VERIFYING_KEY_BYTES
    from keymoot.proof.founding import Anchor

    try:
        network = NetworkId.from_hex(told["network"])
        key = hexes.parse_data(told["verifyingKey"], "verifyingKey", VERIFYING_KEY_BYTES)
    except (Malformed, KeyError, TypeError) as error:
        damaged(_path(folder), _WHAT, error)
    return Anchor(network, key)


def first_use(folder: Path, url: str, introduced: "Anchor") -> None:
    """Show a network that is new here, and pin it, unless the environment names another."""
    _check_named(introduced, url)
    note(f"first use of {url}: network {introduced.network.hex0x}")
    note(f"fingerprint {introduced.fingerprint}: compare it with what those who run it tell you")
    pinned = _read(folder)
    key = hexes.data(introduced.verifying_key)
    anchor = {"network": introduced.network.hex0x, "verifyingKey": key}
    _write(folder, pinned | dict.fromkeys(_keys(url), anchor))


def forget(folder: Path, url: str) -> "Anchor":
    """Take a pin back, so that the next network that answers at a URL is pinned."""
    anchor = find(folder, url)
    if anchor is None:
        fail(f"no network is pinned for {url}")
    gone = _keys(url)
    _write(folder, {name: kept for name, kept in _read(folder).items() if name not in gone})
    return anchor


def _check_named(anchor: "Anchor", url: str) -> None:
    named = os.environ.get(VARIABLE)
    if named and named.strip().lower() != anchor.fingerprint:
        raise NotTheOne(
            f"the network at {url} has the fingerprint {anchor.fingerprint}, {VARIABLE} names "
            f"{named}: this is another network, or the variable is meant for another URL"
        )


def _keys(url: str) -> tuple[str, ...]:
    return tuple(name.strip().rstrip("/") for name in url.split(",") if name.strip())


def _path(folder: Path) -> Path:
    return folder / "networks.json"


def _read(folder: Path) -> dict[str, dict[str, str]]:
    fields = read_json(_path(folder), _WHAT)
    if fields is not None and not isinstance(fields, dict):
        damaged(_path(folder), _WHAT, "no JSON object")
    return fields or {}


def _write(folder: Path, pinned: dict[str, dict[str, str]]) -> None:
    path = _path(folder)
    try:
        replace_text(path, json.dumps(pinned, indent=1, sort_keys=True))
    except OSError as error:
        note(f"warning: {CannotWrite(str(path), error.errno)}; the network is not pinned")
