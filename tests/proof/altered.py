"""Every way in which one place of a JSON bundle may be altered."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from keymoot.base.errors import KeymootError
from keymoot.base.strict_json import Json

Path = tuple[str | int, ...]


def places(told: Any, path: Path = ()) -> Iterator[Path]:
    """Name every value of a document, the whole of it too."""
    yield path
    parts = (
        told.items()
        if isinstance(told, dict)
        else enumerate(told)
        if isinstance(told, list)
        else ()
    )
    for name, part in parts:
        yield from places(part, (*path, name))


def at(told: Any, path: Path) -> Any:
    for name in path:
        told = told[name]
    return told


def put(told: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(told)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def drop(told: Any, path: Path) -> Any:
    changed = copy.deepcopy(told)
    del at(changed, path[:-1])[path[-1]]
    return changed


def flipped(text: str, place: int, bit: int) -> str:
    raw = bytearray.fromhex(text[2:])
    raw[place % len(raw)] ^= 1 << bit
    return "0x" + raw.hex()


@st.composite
def alterations(draw: st.DrawFn, told: Json) -> Any:
    """Give the document with one thing altered, somewhere."""
    path = draw(st.sampled_from(sorted(places(told), key=str)))
    value = at(told, path)
    ways: list[Callable[[], Any]] = [
        lambda: put(told, path, draw(st.sampled_from([7, True, "", "0x", "0xg0", [], {}, [[]]]))),
    ]
    if path:
        ways.append(lambda: drop(told, path))
    if isinstance(value, str) and value.startswith("0x") and len(value) % 2 == 0 < len(value) - 2:
        place, bit = draw(st.integers(0, len(value) // 2 - 2)), draw(st.integers(0, 7))
        ways.append(lambda: put(told, path, flipped(value, place, bit)))
        ways.append(lambda: put(told, path, value[:-2]))
        ways.append(lambda: put(told, path, value + "00"))
        ways.append(lambda: put(told, path, None))
    if isinstance(value, list) and value:
        ways.append(lambda: put(told, path, [*value, value[-1]]))
        ways.append(lambda: put(told, path, [*value, value[0]]))
    if isinstance(value, dict):
        ways.append(lambda: put(told, path, {**value, "more": "0x"}))
    changed = draw(st.sampled_from(ways))()
    return changed if changed != told else None


def refusal(check: Callable[[], object]) -> str:
    """Tell with which of our errors something is refused; anything else fails the test."""
    try:
        check()
    except KeymootError as error:
        assert str(error)
        return error.code
    return ""
