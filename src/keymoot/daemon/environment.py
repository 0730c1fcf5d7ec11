"""What the agent's process finds in its environment: our sockets, and the app's secrets.

Secrets travel here and nowhere else: not in arguments, which the whole machine reads, and not in
a log. A name becomes upper case, as ROFL's does; one that would turn the process itself is left
out, and named.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.secret import Secret

OURS = ("KEYMOOT_SOCKET", "DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT")

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_TURNING = re.compile(
    r"(KEYMOOT|DSTACK|TAPPD|LD|PYTHON|NODE)_.*|(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|PYTHON[A-Z]*)"
)
"""Whoever sets these changes which program runs, or to whom it speaks."""

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
        value = _text(secret)
        if name is None or value is None:
            left_out.append(given)
        else:
            kept[name] = value
    told = (str(rofl), str(dstack), str(dstack))
    return AgentEnvironment(kept | dict(zip(OURS, told, strict=True)), tuple(left_out))


def variable(name: str) -> str | None:
    """Give the variable for a secret's name: upper case, blanks as low lines; None: none."""
    made = name.upper().replace(" ", "_")
    return made if _NAME.fullmatch(made) and not _TURNING.fullmatch(made) else None


def _text(secret: Secret) -> str | None:
    try:
        value = secret.expose().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in value else value
