"""What the agent's process finds in its environment: our sockets, and the app's secrets.

Secrets travel here and nowhere else: not in arguments, which the whole machine reads, and not in
a log. A name that no variable has, or one that would turn the process itself, is left out, and
named: `image.variables` has the rule.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.secret import Secret
from keymoot.image.variables import value_of, variable

OURS = ("KEYMOOT_SOCKET", "DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT")

_OWN_THINGS = re.compile(r"KEYMOOT_.*")
"""Ours: credentials, addresses, where a simulated machine keeps its fuses."""


@dataclass(frozen=True, slots=True)
class AgentEnvironment:
    """Variables for the process; `left_out` are the names of secrets that are none.

    Its variables are secret: they are handed to the process, and not shown.
    """

    variables: Mapping[str, str]
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        return f"AgentEnvironment({len(self.variables)} variables)"


def environment(
    inherited: Mapping[str, str], rofl: Path, dstack: Path, secrets: Mapping[str, Secret]
) -> AgentEnvironment:
    """Give what the process gets; secrets do not replace what is ours, and nothing twice."""
    kept = {name: value for name, value in inherited.items() if not _OWN_THINGS.fullmatch(name)}
    left_out = []
    for given, secret in sorted(secrets.items()):
        name = variable(given)
        value = value_of(secret.expose())
        if name is None or value is None:
            left_out.append(given)
        else:
            kept[name] = value
    told = (str(rofl), str(dstack), str(dstack))
    return AgentEnvironment(kept | dict(zip(OURS, told, strict=True)), tuple(left_out))
