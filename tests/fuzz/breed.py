"""Fuzzing by coverage: inputs that reach a new step of our code are kept, and altered further.

Small, and with the interpreter's own tracing; seeded, so that a run may be repeated.
"""

import sys
from collections.abc import Callable, Sequence
from random import Random
from types import CodeType, FrameType
from typing import Any

import keymoot
from keymoot.base.errors import KeymootError

_OURS = keymoot.__path__[0]

MOST_KEPT = 5_000
"""Inputs that are kept to be altered."""

_TELLING = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\x81",
    b"\xb7",
    b"\xb8",
    b"\xbf",
    b"\xc0",
    b"\xf7",
    b"\xf8",
)
"""Bytes at which the formats turn: lengths of RLP, compact lengths, signs."""

Step = tuple[CodeType, int, int]


def breed(
    check: Callable[[bytes], object], seeds: Sequence[bytes], cases: int, seed: int = 0
) -> int:
    """Give `cases` inputs to `check`, which may raise our own errors and nothing else.

    Returns:
        How many inputs reached something new.
    """
    dice, kept = Random(seed), list(seeds)
    seen: set[Step] = set()
    for one in seeds:
        _run(check, one, seen)
    for _ in range(cases):
        raw = _altered(dice.choice(kept), kept, dice)
        before = len(seen)
        try:
            _run(check, raw, seen)
        except Exception as error:
            error.add_note(f"input: {raw.hex()}")
            raise
        if len(seen) > before and len(kept) < MOST_KEPT:
            kept.append(raw)
    return len(kept) - len(seeds)


def _run(check: Callable[[bytes], object], raw: bytes, seen: set[Step]) -> None:
    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal last
        if event == "line":
            seen.add((frame.f_code, last, frame.f_lineno))
            last = frame.f_lineno
        return line

    def enter(frame: FrameType, _event: str, _arg: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(_OURS) else None

    last, outer = 0, sys.gettrace()
    sys.settrace(enter)
    try:
        check(raw)
    except KeymootError as error:
        told = error
    else:
        told = None
    finally:
        sys.settrace(outer)
    assert told is None or str(told)


def _altered(raw: bytes, kept: Sequence[bytes], dice: Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(changed) + 1)
        end = min(len(changed), at + dice.choice((1, 1, 2, 8, 32)))
        way = dice.randrange(7)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            changed[at:end] = dice.choice(_TELLING)
        elif way == 2:
            del changed[at:end]
        elif way == 3:
            changed[at:at] = changed[at:end]
        elif way == 4:
            other = dice.choice(kept)
            start = dice.randrange(len(other) + 1)
            changed[at:end] = other[start : start + dice.choice((1, 4, 16, 64))]
        elif way == 5:
            changed[at:end] = dice.randbytes(end - at)
        elif at < len(changed):
            changed[at] = (changed[at] + dice.choice((1, -1))) % 256
    return bytes(changed)
