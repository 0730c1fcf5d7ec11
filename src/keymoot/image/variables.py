"""Which variables of its environment an agent may be given: the one rule, for all who ask.

The manifest names them, the command line seals their values, and the daemon sets them. What one of
them refused and another let through would be a secret that never arrives.
"""

import re

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}", re.ASCII)
_TURNING = re.compile(
    r"(KEYMOOT|DSTACK|TAPPD|LD|PYTHON|NODE)_.*|(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|PYTHON[A-Z]*)"
)
"""Whoever sets these changes which program runs, or to whom it speaks."""


def variable(name: str) -> str | None:
    """Give the variable for a secret's name, or None where it may have none.

    As ROFL has it: upper case, blanks as low lines.
    """
    made = name.upper().replace(" ", "_")
    return made if _NAME.fullmatch(made) and not _TURNING.fullmatch(made) else None


def value_of(secret: bytes) -> str | None:
    """Give the text that a variable has for a secret's bytes, or None where it can have none."""
    try:
        value = secret.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in value else value
