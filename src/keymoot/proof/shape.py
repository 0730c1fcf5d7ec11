"""Read and write what proofs have in common as JSON: objects of few fields, data in hex."""

from collections.abc import Sequence
from typing import Any

from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json


def fields_of(told: Any, names: Sequence[str], path: str) -> list[Any]:
    """Take an object with exactly these fields; give their values in this order."""
    if not isinstance(told, dict) or told.keys() != set(names):
        raise Malformed(f"an object with the fields {', '.join(names)} is expected", path)
    return [told[name] for name in names]


def items_of(told: Any, most: int, path: str) -> list[Any]:
    if not isinstance(told, list) or len(told) > most:
        raise Malformed(f"a list of at most {most} is expected", path)
    return told


def datas_of(told: Any, most: int, most_bytes: int, path: str) -> tuple[bytes, ...]:
    """Each of at most so many bytes."""
    items = items_of(told, most, path)
    return tuple(
        hexes.parse_data(item, f"{path}[{at}]", most_bytes) for at, item in enumerate(items)
    )


def shown_datas(parts: Sequence[bytes]) -> list[Json]:
    return [hexes.data(part) for part in parts]
