"""Every record: what is written is read back, and nothing else is read but what would be written.

Values are made from the annotations. Where a field has a form of its own, or something else
must hold of it, they are those of the samples.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import IntEnum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import keymoot
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed
from keymoot.base.forms import UNIT_BYTES, AtMost, Check, Cut, Exactly, Form, Uint
from keymoot.base.record import Record, compiled
from tests.examples import THOROUGH_EXAMPLES, of
from tests.records.samples import SAMPLES


def all_records() -> list[type[Record]]:
    for module in pkgutil.walk_packages(keymoot.__path__, "keymoot."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [*_below(Record)]


def _below(kind: type[Record]) -> Iterator[type[Record]]:
    for one in kind.__subclasses__():
        # a dataclass with slots is made twice, and the first one stays among the subclasses
        if vars(sys.modules[one.__module__]).get(one.__name__) is one:
            yield one
            yield from _below(one)


RECORDS = all_records()
BY_CLASS: dict[type, Any] = {type(one): one for one in SAMPLES}


def values(kind: Any, sample: Any) -> st.SearchStrategy[Any]:
    """Give values of an annotation; `sample` is one of them, where only samples are good enough."""
    inner, *extras = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if any(isinstance(one, Form | Check) for one in extras):
        return st.just(sample)
    bound = next((one for one in extras if isinstance(one, AtMost | Exactly | Cut | Uint)), None)
    found = _scalars(inner, bound)
    return _many(inner, sample, bound) if found is None else found


def _scalars(kind: Any, bound: Any) -> st.SearchStrategy[Any] | None:
    if get_origin(kind) is not None:
        return None
    most = bound.length if isinstance(bound, AtMost | Cut) else 300
    if isinstance(bound, Exactly):
        return st.sampled_from(bound.lengths).flatmap(lambda n: st.binary(min_size=n, max_size=n))
    if kind is bool:
        return st.booleans()
    if kind is bytes:
        return st.binary(max_size=min(most, 300)) | st.just(bytes(most))
    if kind is str:
        return st.text(max_size=min(most // 4, 100)) | st.just("x" * most)
    if isinstance(bound, Uint) or kind in UNIT_BYTES:
        size = bound.max_bytes if isinstance(bound, Uint) else UNIT_BYTES[kind]
        return st.integers(0, 2 ** (8 * size) - 1) | st.integers(0, 200)
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return st.sampled_from(kind)
    if isinstance(kind, type) and issubclass(kind, Fixed):
        return st.binary(min_size=kind.LENGTH, max_size=kind.LENGTH).map(kind)
    return None


def _many(kind: Any, sample: Any, bound: Any) -> st.SearchStrategy[Any]:
    parts, origin = get_args(kind), get_origin(kind)
    most = min(bound.length if isinstance(bound, AtMost) else 4, 4)
    if isinstance(kind, type) and issubclass(kind, Record):
        return records(kind)
    if origin in (Union, UnionType) and parts[1] is NoneType:
        # what is written as nothing would be read as None, and is refused
        return st.none() | values(parts[0], sample).filter(
            lambda one: one is not None and one not in (0, b"")
        )
    if origin is tuple and parts[1:] == (...,):
        one = values(parts[0], sample[0] if sample else None)
        if isinstance(bound, Exactly):
            (length,) = bound.lengths
            return st.lists(one, min_size=length, max_size=length).map(tuple)
        return st.lists(one, max_size=most).map(tuple)
    if origin is tuple:
        return st.tuples(*[values(*pair) for pair in zip(parts, sample, strict=True)])
    if origin is frozenset:
        return st.frozensets(values(parts[0], min(sample)), max_size=most)
    assert origin is Mapping, kind
    key, value = min(sample.items())
    return st.dictionaries(values(parts[0], key), values(parts[1], value), max_size=most)


@st.composite
def records(draw: st.DrawFn, kind: type[Record]) -> Record:
    sample: Record = BY_CLASS[kind]
    hints = get_type_hints(kind, include_extras=True)
    names = [one for one in compiled(kind).forms if get_origin(hints[one]) is not ClassVar]
    found = {name: draw(values(hints[name], getattr(sample, name))) for name in names}
    try:
        return kind(**found)
    except Malformed:
        # what the class demands beyond its annotations
        return sample


OTHERS: list[rlp.Decoded] = [b"", b"\0", b"\x01", [], [b"\x01"]]


@st.composite
def other_items(draw: st.DrawFn, item: rlp.Decoded) -> rlp.Decoded:
    """Give RLP that differs in one place: something more, less, or twice."""
    if isinstance(item, bytes) or (item and draw(st.integers(0, 3)) == 0):
        return draw(st.sampled_from(OTHERS))
    found: list[rlp.Decoded] = [*item]
    at = draw(st.integers(0, len(found)))
    if at == len(found):
        found.append(draw(st.sampled_from(OTHERS)))
        return found
    match draw(st.integers(0, 3)):
        case 0:
            del found[at]
        case 1:
            found.insert(at, found[at])
        case _:
            found[at] = draw(other_items(found[at]))
    return found


def refused_or_the_same(kind: type[Record], raw: bytes) -> None:
    try:
        found = kind.decode(raw)
    except Malformed:
        return
    assert found.encode() == raw


def beyond(kind: type[Record]) -> Iterator[tuple[str, Any, bytes]]:
    """Give of each field, in order, a value that is too large by one, and its bytes; or None."""
    hints = get_type_hints(kind, include_extras=True)
    for name in compiled(kind).forms:
        inner, *extras = get_args(hints[name]) or (hints[name],)
        for one in extras:
            if isinstance(one, AtMost | Exactly) and inner in (bytes, str):
                length = one.length if isinstance(one, AtMost) else max(one.lengths)
                raw = b"x" * (length + 1)
                yield name, raw if inner is bytes else raw.decode(), raw
                break
            if isinstance(one, Uint):
                yield name, 1 << 8 * one.max_bytes, b"\x01" + bytes(one.max_bytes)
                break
        else:
            size = UNIT_BYTES.get(inner)
            yield name, size and 1 << 8 * size, b"\x01" + bytes(size or 0)


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join([one.capitalize() for one in others])


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
class TestEachRecord:
    def test_has_a_sample(self, kind: type[Record]) -> None:
        assert kind in BY_CLASS

    @settings(max_examples=of(quick=12, thorough=THOROUGH_EXAMPLES))
    @given(data=st.data())
    def test_is_read_as_it_was_written(self, kind: type[Record], data: st.DataObject) -> None:
        record = data.draw(records(kind))
        raw = record.encode()
        found = kind.decode(raw)
        assert found == record
        assert found.encode() == raw
        assert kind.of_item(record.item()) == record  # type: ignore[arg-type]

    @settings(max_examples=of(quick=12, thorough=THOROUGH_EXAMPLES))
    @given(data=st.data())
    def test_has_one_form(self, kind: type[Record], data: st.DataObject) -> None:
        raw = data.draw(st.just(BY_CLASS[kind]) | records(kind)).encode()
        assume(raw)
        at, byte = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 255))
        refused_or_the_same(kind, raw[:at] + bytes((byte,)) + raw[at + 1 :])
        refused_or_the_same(kind, raw[:at])
        refused_or_the_same(kind, raw + bytes((byte,)))
        item = rlp.decode(raw.removeprefix(kind.PREFIX))
        refused_or_the_same(kind, kind.PREFIX + rlp.encode(data.draw(other_items(item))))

    def test_keeps_its_bounds(self, kind: type[Record]) -> None:
        sample = BY_CLASS[kind]
        for place, (name, value, raw) in enumerate(beyond(kind)):
            if value is None:
                continue
            with pytest.raises(Malformed, match=camel(name)):
                replace(sample, **{name: value}).encode()
            items = sample.item()
            items[place : place + 1] = [raw]  # a later field may be left out of a sample
            with pytest.raises(Malformed, match=camel(name)):
                kind.decode(kind.PREFIX + rlp.encode(items))

    def test_has_all_its_fields_and_no_more(self, kind: type[Record]) -> None:
        items: list[Any] = BY_CLASS[kind].item()
        # a record that is its one list may have fewer entries
        fewer = [] if kind.BARE else [items[:-1]]
        for other in ([*items, b""], *fewer, b""):
            with pytest.raises(Malformed):
                kind.decode(kind.PREFIX + rlp.encode(other))

    def test_begins_as_it_must(self, kind: type[Record]) -> None:
        raw = BY_CLASS[kind].encode()
        for other in (b"\x01" + raw, raw[1:], b""):
            with pytest.raises(Malformed):
                kind.decode(other)
