"""Gather what every parser is given while the tests run: the inputs that fuzzing begins with.

A plugin: `pytest -p tests.fuzz.harvest tests/committee tests/enclave` writes `seeds.json` beside
it.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import KeymootError
from keymoot.base.record import Record
from tests.test_parsers import OF_BYTES, OF_ITEMS

SEEDS = Path(__file__).with_name("seeds.json")

MOST_OF_EACH = 4
"""Seeds of one parser: each of another length."""

MAX_SEED_BYTES = 4_096
MOST_LENGTHS = 400

Parser = Callable[[Any], Any]


def name_of(parser: Parser) -> str:
    """Give a parser's module and name, with its kind where it is one of a family."""
    whole: Any = parser.func if isinstance(parser, partial) else parser
    owner = getattr(whole, "__self__", None)
    kind = owner if isinstance(owner, type) or owner is None else type(owner)
    of = whole.__qualname__ if kind is None else f"{kind.__name__}.{whole.__name__}"
    module = whole.__module__ if owner is not kind or kind is None else kind.__module__
    return f"{module.removeprefix('keymoot.')}:{of}"


PARSERS: dict[str, tuple[Parser, bool]] = {
    **{name_of(one): (one, False) for one in OF_BYTES},
    **{name_of(one): (one, True) for one in OF_ITEMS},
}
"""By name: what reads, and whether it takes an item of RLP instead of bytes."""


def read(name: str, raw: bytes) -> Any:
    """Give bytes to one parser, decoded before where it takes an item."""
    parser, takes_item = PARSERS[name]
    return parser(rlp.decode(raw)) if takes_item else parser(raw)


_seen: dict[str, dict[int, bytes]] = {name: {} for name in PARSERS}
_whole: dict[str, Callable[..., Any]] = {}


def watched(name: str, arguments: tuple[Any, ...]) -> Any:
    """Stand in for a parser: remember what it is given, and let it read."""
    found, value = _seen[name], arguments[-1]
    raw = value if isinstance(value, bytes) else rlp.encode(value)
    if len(raw) <= MAX_SEED_BYTES and len(found) < MOST_LENGTHS:
        found.setdefault(len(raw), raw)
    return _whole[name](*arguments)


def pytest_configure() -> None:
    """Replace each parser's code, wherever it has been imported to."""
    for name, (parser, _) in PARSERS.items():
        whole: Any = parser.func if isinstance(parser, partial) else parser
        owner = getattr(whole, "__self__", None)
        if isinstance(owner, type) and issubclass(owner, Record):
            # All records have one decoder, so each gets one of its own to be watched.
            _whole[name] = whole
            setattr(owner, whole.__name__, partial(lambda name, raw: watched(name, (raw,)), name))
            continue
        whole = getattr(whole, "__wrapped__", whole)
        function: FunctionType = getattr(whole, "__func__", whole)
        if function.__code__.co_freevars or not isinstance(function, FunctionType):
            continue
        kept = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__
        )
        _whole[name] = kept
        text = f"def told(*arguments):\n    from {__name__} import watched\n"
        text += f"    return watched({name!r}, arguments)\n"
        scope: dict[str, Any] = {}
        exec(text, scope)  # noqa: S102  code of a function, with a name in it
        function.__code__ = scope["told"].__code__


def pytest_unconfigure() -> None:
    """Write the seeds, of every parser some: those of before where the tests gave none."""
    told: dict[str, list[str]] = json.loads(SEEDS.read_text()) if SEEDS.exists() else {}
    for name in PARSERS:
        raws = [*map(bytes.fromhex, told.get(name, [])), *_seen[name].values()]
        good = {len(raw): raw for raw in sorted(raws) if _reads(name, raw)}
        lengths = sorted(good)
        places = range(MOST_OF_EACH) if lengths else ()
        chosen = {lengths[len(lengths) * at // MOST_OF_EACH] for at in places}
        told[name] = [good[length].hex() for length in sorted(chosen)]
    SEEDS.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def _reads(name: str, raw: bytes) -> bool:
    try:
        read(name, raw)
    except KeymootError:
        return False
    return True
