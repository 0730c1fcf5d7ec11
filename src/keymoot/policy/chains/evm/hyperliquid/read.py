"""The small readers of an action's JSON: a value is what it has to be, or Malformed says where."""

import re
from collections.abc import Set as AbstractSet

from keymoot.base.digits import decimal
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.hexes import parse_data
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json

CLOID_BYTES = 16
"""A client's own name for an order."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_MAX_DIGITS = 32


def members(
    json: Json, path: str, needed: AbstractSet[str], more: AbstractSet[str] = frozenset()
) -> dict[str, Json]:
    """Read an object that has all of `needed`, perhaps some of `more`, and nothing else."""
    if not isinstance(json, dict):
        raise Malformed("an object is expected", path)
    for name in json:
        if name not in needed and name not in more:
            raise Malformed(
                f"unknown: known are {', '.join(sorted(needed | more))}", f"{path}.{shown(name)}"
            )
    for name in sorted(needed):
        if name not in json:
            raise Malformed("this field is missing", f"{path}.{name}")
    return json


def listed(json: Json, path: str, most: int) -> list[Json]:
    if not isinstance(json, list) or not 0 < len(json) <= most:
        raise Malformed(f"a list of 1 to {most} is expected", path)
    return json


def whole(json: Json, path: str, bits: int = 64, *, signed: bool = False) -> int:
    """Read a whole number of at most so many bits."""
    if not isinstance(json, int) or isinstance(json, bool):
        raise Malformed("a whole number is expected", path)
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not least <= json <= most:
        raise Malformed(f"a number from {least} to {most} is expected", path)
    return json


def truth(json: Json, path: str) -> bool:
    if not isinstance(json, bool):
        raise Malformed("true or false is expected", path)
    return json


def text(json: Json, path: str, known: tuple[str, ...]) -> str:
    if not isinstance(json, str) or json not in known:
        raise Malformed(f"one of {', '.join(known)} is expected", path)
    return json


def address(json: Json, path: str) -> Address:
    return Address(parse_sized(json, path, Address.LENGTH))


def parse_sized(json: Json, path: str, length: int) -> bytes:
    raw = parse_data(json, path, length)
    if len(raw) != length:
        raise Malformed(f"{length} bytes are expected, got {len(raw)}", path)
    return raw


def fixed_point(json: Json, path: str, places: int) -> int:
    """Read decimal text, exactly, as a whole number of 10^-places."""
    decimals = (
        _DECIMAL.fullmatch(json) if isinstance(json, str) and len(json) <= _MAX_DIGITS else None
    )
    if decimals is None:
        raise Malformed('decimal text is expected, such as "1050.5"', path)
    fraction = decimals[2] or ""
    if len(fraction) > places:
        raise Malformed(f"at most {places} digits behind the point are read", path)
    number = decimal(decimals[1] + fraction.ljust(places, "0"))
    if number is None:
        raise Malformed("too long a number", path)
    return number
