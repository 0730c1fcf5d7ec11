"""Which app a folder is, on which network: kept beside its manifest, and no secret.

{"0x<network id>": "rofl1…"}
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keymoot.base.errors import Malformed
from keymoot.cli.kept import damaged, read_json, replace_bytes
from keymoot.cli.output import fail

if TYPE_CHECKING:
    from keymoot.base.fixed import AppId, NetworkId

FILE = "keymoot.deployments.json"
_WHAT = "the list of deployments"


def find(folder: Path, network: "NetworkId") -> "AppId":
    """Give the app that a folder is on a network, or end the command."""
    from keymoot.base.fixed import AppId

    path = folder / FILE
    text = entries(folder).get(network.hex0x)
    if text is None:
        fail(
            f"{folder} is no app on this network yet (no {FILE} says so): "
            "`keymoot app create` makes it one"
        )
    try:
        return AppId.from_text(text)
    except Malformed as error:
        damaged(path, _WHAT, error)


def entries(folder: Path) -> dict[str, str]:
    path = folder / FILE
    fields = read_json(path, _WHAT) or {}
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        damaged(path, _WHAT, "not a list of networks and apps")
    return fields


def add(folder: Path, network: "NetworkId", app: "AppId") -> None:
    known = entries(folder) | {network.hex0x: app.text}
    replace_bytes(folder / FILE, json.dumps(known, indent=1).encode() + b"\n")
