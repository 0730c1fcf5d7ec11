"""How one field of a record stands in RLP, read off its annotation.

    int, and the units of it      Annotated[int, Uint(8)]: at most so many bytes; units have a width
    bool                          1 or 0
    an IntEnum                    one byte, a number that the enum has
    a Fixed                       its bytes; `X | None`: no bytes for None
    bytes                         Annotated[bytes, AtMost(64)], Exactly(32), Exactly(0, 64); alone
                                  it is as long as what holds it
    str                           Annotated[str, AtMost(64)] bytes of UTF-8, or Cut(64)
    a Record                      its list; `X | None`: an empty list for None; Annotated with
                                  ENCODED: the bytes of that list
    tuple[X, ...], tuple[X, Y]    a list
    frozenset[X]                  a list that rises
    Mapping[K, X]                 a list of pairs whose keys rise

AtMost bounds the entries of the last ones, too, and Exactly those of a tuple; `Check` adds what
else must hold. A form of its own is Annotated[T, Form(read, write)]. Reading accepts what writing
gives and nothing else.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import itemgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar, Union, get_args, get_origin

from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, rising, text_of, uint, uint_of
from keymoot.base.fixed import Fixed
from keymoot.base.rlp import Decoded, Item
from keymoot.base.shown import bounded
from keymoot.base.units import ChainId, Gas, Height, Nonce, Seconds, UnixNanos, UnixSeconds, Wei

T = TypeVar("T")
C = TypeVar("C", bound=Collection[Any])

UNIT_BYTES: Mapping[Any, int] = {
    **dict.fromkeys((ChainId, Gas, Height, Nonce, Seconds, UnixNanos, UnixSeconds), 8),
    Wei: 32,
}
"""Bytes of a unit at most, where its field says nothing else."""


@dataclass(frozen=True, slots=True)
class Uint:
    """An integer of at most so many bytes, from 0 on."""

    max_bytes: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """At most so many bytes or entries."""

    length: int


class Exactly:
    """Bytes of this length, or of one of these lengths; or so many entries."""

    def __init__(self, *lengths: int) -> None:
        """In the order in which an error names them."""
        self.lengths = lengths


@dataclass(frozen=True, slots=True)
class Cut:
    """Text that is cut to so many bytes when it is written: for words that only people read."""

    length: int


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """What else must hold of a value, when it is read and written; else `check` raises."""

    check: Callable[[T], object]


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How values of one type stand in RLP.

    `read` gives the value, or raises Malformed with the path within the field; `write` gives the
    one item that `read` takes for the value, or raises Malformed.
    """

    read: Callable[[Decoded], T]
    write: Callable[[T], Item]


ENCODED: Final = "encoded"
"""Of a record: its bytes stand here, not its list."""

UNWRITTEN: Final = "unwritten"
"""Of a field: it is for this process only, and has a default. Such fields come last."""

LATER: Final = "later"
"""Of a last field: it came later. Where it has its default it is left out, so that what was
written before it came reads and is written as ever."""

ALWAYS: Final = "always"
"""Of a class variable: its value stands in every record, and no other is read."""

U16: TypeAlias = Annotated[int, Uint(2)]
U32: TypeAlias = Annotated[int, Uint(4)]
U64: TypeAlias = Annotated[int, Uint(8)]
U256: TypeAlias = Annotated[int, Uint(32)]

Lookup: TypeAlias = Callable[[type], Form[Any] | None]
"""Gives the form of a record's list; None for a class that is no record."""


def form_of(kind: Any, records: Lookup) -> Form[Any]:
    """Give the form that an annotation, with its extras, names.

    TypeError: it does not say how the value stands in RLP, or how long it may be.
    """
    if get_origin(kind) is Annotated:
        inner, *extras = get_args(kind)
        return _annotated(inner, extras, records)
    return _annotated(kind, [], records)


def _annotated(kind: Any, extras: Sequence[Any], records: Lookup) -> Form[Any]:
    form = next((extra for extra in extras if isinstance(extra, Form)), None)
    form = form or _optional_of(kind, records) or _scalar(kind, extras)
    form = form or _compound(kind, extras, records) or _record(kind, extras, records)
    if form is None:
        raise TypeError(
            f"{kind} does not say how it stands in RLP, or how long it may be"  # consensus: for us
        )
    for bound in extras:
        if isinstance(bound, Check):
            form = _checked(form, bound.check)
    return form


def _optional_of(kind: Any, records: Lookup) -> Form[Any] | None:
    parts = get_args(kind)
    if get_origin(kind) not in (Union, UnionType) or len(parts) != 2 or parts[1] is not NoneType:
        return None
    form = form_of(parts[0], records)
    listed = isinstance(parts[0], type) and records(parts[0]) is not None
    return _optional(form, [] if listed else b"")


def _scalar(kind: Any, extras: Sequence[Any]) -> Form[Any] | None:
    bounds = {type(extra): extra for extra in extras}
    if kind is bool:
        return Form(lambda item: flag_of(item, ""), uint)
    if kind is bytes and Exactly in bounds:
        return _exact(bounds[Exactly].lengths)
    if kind is bytes:
        return _bytes(bounds[AtMost].length) if AtMost in bounds else _BYTES
    if kind is str and (AtMost in bounds or Cut in bounds):
        bound = bounds.get(AtMost) or bounds[Cut]
        return _text(bound.length, cut=Cut in bounds)
    if Uint in bounds:
        return _uint(bounds[Uint].max_bytes)
    if kind in UNIT_BYTES:
        return _uint(UNIT_BYTES[kind])
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return _enum(kind)
    if isinstance(kind, type) and issubclass(kind, Fixed):
        return _fixed(kind)
    return None


def _compound(kind: Any, extras: Sequence[Any], records: Lookup) -> Form[Any] | None:
    origin, parts = get_origin(kind), get_args(kind)
    most = next((extra.length for extra in extras if isinstance(extra, AtMost)), None)
    if origin is tuple and parts[1:] != (...,):
        return _row([form_of(part, records) for part in parts])
    if origin is tuple:
        exact = next((extra.lengths for extra in extras if isinstance(extra, Exactly)), ())
        return _tuple(form_of(parts[0], records), most, exact)
    if origin is frozenset:
        return _set(form_of(parts[0], records), most)
    if origin is Mapping:
        return _mapping(form_of(parts[0], records), form_of(parts[1], records), most)
    return None


def _record(kind: Any, extras: Sequence[Any], records: Lookup) -> Form[Any] | None:
    listed = records(kind) if isinstance(kind, type) else None
    return _encoded(kind) if listed is not None and ENCODED in extras else listed


def _uint(max_bytes: int) -> Form[int]:
    end = 1 << 8 * max_bytes

    def read(item: Decoded) -> int:
        if len(item) <= max_bytes and type(item) is bytes and item[:1] != b"\0":
            return int.from_bytes(item, "big")
        return uint_of(item, "", max_bytes)

    def write(value: int) -> bytes:
        if 0 <= value < end:
            return value.to_bytes((value.bit_length() + 7) >> 3, "big")
        raise Malformed(f"an integer has no sign and at most {max_bytes} bytes, got {value}")

    return Form(read, write)


def _enum(kind: type[IntEnum]) -> Form[IntEnum]:
    known = {member.value: member for member in kind}

    def read(item: Decoded) -> IntEnum:
        number = uint_of(item, "", 1)
        if number not in known:
            raise Malformed(f"no {kind.__name__} has the number {number}")
        return known[number]

    return Form(read, uint)


def _fixed(kind: type[Fixed]) -> Form[Fixed]:
    length, new = kind.LENGTH, bytes.__new__

    def read(item: Decoded) -> Fixed:
        # what `kind` does itself, without a call of it: most fields are of this form
        return new(kind, item) if len(item) == length and type(item) is bytes else slowly(item)

    def slowly(item: Decoded) -> Fixed:
        return fixed_of(item, kind, "")

    return Form(read, as_it_is)


def as_it_is(value: Any) -> Any:
    """Write a value that is an item already, and that its type has bounded."""
    return value


ANY_ITEM: Final[Form[Decoded]] = Form(as_it_is, as_it_is)
"""Of a field that somebody else reads, who knows its form."""

_BYTES: Form[bytes] = Form(lambda item: bytes_of(item, ""), as_it_is)


def _bytes(most: int) -> Form[bytes]:
    def read(item: Decoded) -> bytes:
        return bytes_of(item, "", most)

    return Form(read, read)


def _exact(lengths: tuple[int, ...]) -> Form[bytes]:
    words = _either(lengths)

    def read(item: Decoded) -> bytes:
        raw = bytes_of(item, "")
        if len(raw) not in lengths:
            raise Malformed(f"{words} bytes were expected, got {len(raw)}")
        return raw

    return Form(read, read)


def _text(most: int, *, cut: bool) -> Form[str]:
    def write(value: str) -> bytes:
        return bytes_of((bounded(value, most) if cut else value).encode(), "", most)

    return Form(lambda item: text_of(item, "", most), write)


def _optional(form: Form[Any], empty: Item) -> Form[Any]:
    inner, outer = form.read, form.write

    def read(item: Decoded) -> Any:
        return None if item == empty else inner(item)

    def write(value: Any) -> Item:
        if value is None:
            return empty
        item = outer(value)
        if not item:
            raise Malformed("an empty value would be read as none")
        return item

    return Form(read, write)


def each(form: Form[Any], most: int | None, exact: tuple[int, ...] = ()) -> Form[Any]:
    """Give the form of a list; an error's path begins with the place in it."""
    inner, outer = form.read, form.write

    def read(item: Decoded) -> list[Any]:
        items = _bounded(list_of(item, None, ""), most, exact)
        entries: list[Any] = []
        add = entries.append
        try:
            for entry in items:
                add(inner(entry))
        except Malformed as error:
            error.within(f"[{len(entries)}]")
            raise
        return entries

    def write(value: Collection[Any]) -> Item:
        items: list[Item] = []
        add = items.append
        try:
            for entry in _bounded(value, most, exact):
                add(outer(entry))
        except Malformed as error:
            error.within(f"[{len(items)}]")
            raise
        return items

    return Form(read, write)


def _tuple(form: Form[Any], most: int | None, exact: tuple[int, ...] = ()) -> Form[tuple[Any, ...]]:
    entries = each(form, most, exact)
    read: Callable[[Decoded], list[Any]] = entries.read
    return Form(lambda item: tuple(read(item)), entries.write)


def _set(form: Form[Any], most: int | None) -> Form[frozenset[Any]]:
    entries = each(form, most)
    read, write = entries.read, entries.write
    return Form(
        lambda item: frozenset(rising(read(item), "")), lambda members: write(sorted(members))
    )


def _mapping(key: Form[Any], value: Form[Any], most: int | None) -> Form[Mapping[Any, Any]]:
    pairs = each(_row([key, value]), most)
    read, write = pairs.read, pairs.write

    def read_map(item: Decoded) -> Mapping[Any, Any]:
        pairs = read(item)
        rising([key for key, _ in pairs], "")
        return MappingProxyType(dict(pairs))

    return Form(read_map, lambda entries: write(sorted(entries.items(), key=itemgetter(0))))


def _row(forms: list[Form[Any]]) -> Form[Any]:
    readers, writers = [form.read for form in forms], [form.write for form in forms]

    def read(item: Decoded) -> tuple[Any, ...]:
        items = list_of(item, len(readers), "")
        return tuple([take(entry) for take, entry in zip(readers, items, strict=True)])

    def write(values: tuple[Any, ...]) -> Item:
        return [give(value) for give, value in zip(writers, values, strict=True)]

    return Form(read, write)


def _bounded(entries: C, most: int | None, exact: tuple[int, ...]) -> C:
    if exact and len(entries) not in exact:
        raise Malformed(f"{_either(exact)} entries were expected, got {len(entries)}")
    if most is not None and len(entries) > most:
        raise Malformed(f"at most {most} entries are accepted, got {len(entries)}")
    return entries


def _either(lengths: tuple[int, ...]) -> str:
    return " or ".join([f"{length}" for length in lengths])


def _checked(form: Form[Any], check: Callable[[Any], object]) -> Form[Any]:
    def read(item: Decoded) -> Any:
        value = form.read(item)
        check(value)
        return value

    def write(value: Any) -> Item:
        check(value)
        return form.write(value)

    return Form(read, write)


def _encoded(kind: Any) -> Form[Any]:
    return Form(lambda item: kind.decode(bytes_of(item, "")), lambda value: value.encode())


def rises(values: Sequence[Any]) -> None:
    """Check of a tuple: its entries rise, and none stands twice."""
    rising(values, "")
