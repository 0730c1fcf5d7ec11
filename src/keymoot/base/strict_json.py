"""JSON from strangers: bounded, no duplicate keys, no floats, no surprises."""

import json  # consensus: its words are not repeated
from typing import TypeAlias

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
"""What a document of ours may hold: no floating point numbers."""

MAX_DEPTH = 32

NOT_JSON = "not JSON"
"""All that is said of what is none."""

MAX_INTEGER_DIGITS = 80
"""Longest integer that is read: a uint256 has 78 digits."""


_OPEN_OR_CLOSE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(code for code in range(256) if chr(code) not in "[]{}")


def parse(
    text: str | bytes, max_bytes: int, max_depth: int = MAX_DEPTH, *, floats: bool = False
) -> Json:
    """Read one document, of at most `max_bytes` of UTF-8.

    `floats` are for questions that are not decided upon. Malformed: too large, too deep, not UTF-8,
    not JSON, a key twice, a fraction or exponent, NaN, or an integer of over 80 digits.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise Malformed(f"JSON has {len(raw)} bytes, at most {max_bytes} are accepted")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("JSON is not UTF-8") from error
    if decoded.count("[") + decoded.count("{") > max_depth:
        _check_depth(decoded, max_depth)
    try:
        value: Json = json.loads(
            decoded,
            object_pairs_hook=_no_duplicates,
            parse_float=float if floats else _no_float,
            parse_constant=_no_float,
            parse_int=_bounded_int,
        )
    except json.JSONDecodeError as error:
        # What the library says, and where, differs between versions of Python.
        raise Malformed(NOT_JSON) from error
    if "\\u" in decoded:
        _check_text(value)
    return value


def canonical(value: Json) -> bytes:
    """Write a document in one way only: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _check_depth(text: str, max_depth: int) -> None:
    """Refuse what is nested too deep, before anything recurses into it.

    Sixty kilobytes may be brackets: no step here is a character's.
    """
    # Between quotes that no backslash stands before is a string.
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2]).encode()
    brackets = outside.translate(_OPEN_OR_CLOSE, _NO_BRACKETS)
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    # Opened and never closed is no JSON; but it too would be followed down.
    if b"[]" in brackets or brackets.count(b"[") > max_depth:
        raise Malformed(f"JSON is nested deeper than {max_depth} levels")


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for key, value in pairs:
        if key in fields:
            raise Malformed(f'the key "{shown(key, 64)}" stands twice in one object')
        fields[key] = value
    return fields


def _no_float(text: str) -> Json:
    raise Malformed(f"{text[:32]} is not a whole number: write amounts as decimal strings")


def _bounded_int(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise Malformed(f"an integer has {len(text)} digits, at most {MAX_INTEGER_DIGITS} are read")
    return int(text)  # consensus: JSON's digits are ASCII, and few


def _check_text(value: Json) -> None:
    """Refuse lone surrogates, which have no UTF-8 form."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Malformed("text holds half of a surrogate pair") from error
    elif isinstance(value, list):
        for part in value:
            _check_text(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            _check_text(key)
            _check_text(part)
