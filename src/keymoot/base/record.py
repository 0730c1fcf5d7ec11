"""Dataclasses that read and write themselves as canonical RLP: what they are is their form.

    @dataclass(frozen=True, slots=True)
    class Row(Record):
        cursor: U64
        points: Annotated[tuple[Annotated[bytes, Exactly(33)], ...], AtMost(64)]
        generation: Hash32 | None = None

is the list of its fields, in their order; `forms` says what an annotation means. There is one
form: what `decode` takes, `encode` gives back, and `encode` refuses what `decode` would. What
else must hold is said in `__post_init__`, which raises Malformed. A class is compiled once,
when its first record is read or written.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self, cast, get_args, get_origin, get_type_hints

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of
from keymoot.base.forms import ALWAYS, LATER, UNWRITTEN, Form, as_it_is, form_of


class Record:
    """A frozen dataclass with a canonical form.

    Attributes:
        MAX_BYTES: Longest encoding that is read; None: whoever calls has bounded it.
        MAX_DEPTH: Deepest list that is followed.
        MAX_ITEMS: Most items, of all lists together.
        REMEMBERED: How many decoded records are kept by their bytes: for those that are read
            far more often than they change.
        PREFIX: What stands before the list: the type byte of a transaction.
        BARE: The one field, which is written as a list, is the whole list, with none around it.

    A constant of the form is a class variable: `kind: ClassVar[Annotated[Hash32, ALWAYS]]`.
    """

    __slots__ = ()
    MAX_BYTES: ClassVar[int | None] = None
    MAX_DEPTH: ClassVar[int] = rlp.MAX_DEPTH
    MAX_ITEMS: ClassVar[int] = rlp.MAX_ITEMS
    REMEMBERED: ClassVar[int] = 0
    PREFIX: ClassVar[bytes] = b""
    BARE: ClassVar[bool] = False

    def item(self) -> list[rlp.Item]:
        """Malformed, with the field's path: a value is beyond its bound."""
        return (_COMPILED.get(type(self)) or compiled(type(self))).write(self)

    def encode(self) -> bytes:
        made = _COMPILED.get(type(self)) or compiled(type(self))
        return self.PREFIX + rlp.encode(made.write(self))

    @classmethod
    def of_item(cls, item: rlp.Decoded) -> Self:
        return cast("Self", (_COMPILED.get(cls) or compiled(cls)).read(item))

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        return cast("Self", (_COMPILED.get(cls) or compiled(cls)).decode(raw))


@dataclasses.dataclass(frozen=True, slots=True)
class Compiled:
    """What a class has become; the forms of constants read nothing else."""

    forms: Mapping[str, Form[Any]]
    read: Callable[[rlp.Decoded], Any]
    write: Callable[[Any], list[rlp.Item]]
    decode: Callable[[bytes], Any]


_COMPILED: dict[type, Compiled] = {}


def compiled(cls: type[Record]) -> Compiled:
    forms, constants, later = {}, set[str](), None
    own = {field.name: field for field in dataclasses.fields(cast("Any", cls))}
    for name, kind in get_type_hints(cls, include_extras=True).items():
        inner = get_args(kind)[0] if get_origin(kind) is ClassVar else kind
        extras = get_args(inner)[1:] if get_origin(inner) is Annotated else ()
        if ALWAYS in extras:
            constants.add(name)
            forms[name] = _constant(getattr(cls, name))
        elif name in own and own[name].init and UNWRITTEN not in extras:
            forms[name] = form_of(kind, _form_of_record)
            later = own[name] if LATER in extras else None
    if cls.BARE:
        read, write = _bare(cls, forms)
    elif later is None:
        read, write = _reader(cls, forms, constants), _writer(forms)
    else:
        read, write = _with_later(cls, forms, constants, later)
    made = Compiled(forms, read, write, _decoder(cls, read))
    return _COMPILED.setdefault(cls, made)


def _form_of_record(kind: type) -> Form[Any] | None:
    if not issubclass(kind, Record):
        return None
    made = _COMPILED.get(kind) or compiled(kind)
    return Form(made.read, made.write)


def _constant(value: bytes) -> Form[bytes]:
    def read(item: rlp.Decoded) -> bytes:
        if item != value:
            raise Malformed(f"this is a constant, 0x{value.hex()}")
        return value

    return Form(read, as_it_is)


def _reader(
    cls: type[Record], forms: Mapping[str, Form[Any]], constants: Collection[str]
) -> Callable[[rlp.Decoded], Any]:
    count, paths = len(forms), [_camel(name) for name in forms]
    steps = [(at, form.read) for at, form in enumerate(forms.values())]
    kept = [at for at, name in enumerate(forms) if name not in constants]

    def read(item: rlp.Decoded) -> Any:
        values: list[Any] = list_of(item, count, "").copy()
        at = 0
        try:
            for at, take in steps:
                values[at] = take(values[at])
        except Malformed as error:
            error.within(paths[at])
            raise
        return cls(*[values[at] for at in kept]) if constants else cls(*values)

    return read


def _writer(forms: Mapping[str, Form[Any]]) -> Callable[[Any], list[rlp.Item]]:
    names = [*forms]
    # of one name, attrgetter gives no tuple
    of_all = attrgetter(*names) if len(names) > 1 else lambda record: [getattr(record, names[0])]
    gives = [(at, form.write) for at, form in enumerate(forms.values())]
    steps = [(at, give) for at, give in gives if give is not as_it_is]

    def write(record: Any) -> list[rlp.Item]:
        items = [*of_all(record)]
        at = 0
        try:
            for at, give in steps:
                items[at] = give(items[at])
        except Malformed as error:
            error.within(_camel(names[at]))
            raise
        return items

    return write


def _bare(
    cls: type[Record], forms: Mapping[str, Form[Any]]
) -> tuple[Callable[[rlp.Decoded], Any], Callable[[Any], list[rlp.Item]]]:
    """Give what reads and writes a record that is its one field."""
    ((name, form),) = forms.items()
    path, inner, outer = _camel(name), form.read, form.write

    def read(item: rlp.Decoded) -> Any:
        try:
            return cast("Any", cls)(inner(list_of(item, None, "")))
        except Malformed as error:
            error.within(path)
            raise

    def write(record: Any) -> list[rlp.Item]:
        try:
            return cast("list[rlp.Item]", outer(getattr(record, name)))
        except Malformed as error:
            error.within(path)
            raise

    return read, write


def _with_later(
    cls: type[Record],
    forms: Mapping[str, Form[Any]],
    constants: Collection[str],
    later: dataclasses.Field[Any],
) -> tuple[Callable[[rlp.Decoded], Any], Callable[[Any], list[rlp.Item]]]:
    """Give what reads and writes a record whose last field is left out where it is the default."""
    name, usual, count = later.name, later.default, len(forms)
    of_all, gives = _reader(cls, forms, constants), _writer(forms)
    before = {field: form for field, form in forms.items() if field != name}
    of_most, gives_most = _reader(cls, before, constants), _writer(before)

    def read(item: rlp.Decoded) -> Any:
        if len(list_of(item, None, "")) != count:
            return of_most(item)
        values = of_all(item)
        if getattr(values, name) == usual:
            raise Malformed("what is usual is left out", _camel(name))
        return values

    def write(record: Any) -> list[rlp.Item]:
        return gives_most(record) if getattr(record, name) == usual else gives(record)

    return read, write


def _decoder(cls: type[Record], read: Callable[[rlp.Decoded], Any]) -> Callable[[bytes], Any]:
    most, depth, count = cls.MAX_BYTES, cls.MAX_DEPTH, cls.MAX_ITEMS
    label, prefix, begin = _camel(cls.__name__), cls.PREFIX, len(cls.PREFIX)

    def decode(raw: bytes) -> Any:
        if most is not None and len(raw) > most:
            raise Malformed(f"at most {most} bytes are accepted, got {len(raw)}", label)
        if raw[:begin] != prefix:
            raise Malformed(f"this starts with 0x{prefix.hex()}", label)
        item = rlp.decode(raw[begin:] if begin else raw, depth, count)
        try:
            return read(item)
        except Malformed as error:
            if not error.path:
                error.within(label)
            raise

    return lru_cache(maxsize=cls.REMEMBERED)(decode) if cls.REMEMBERED else decode


def _camel(name: str) -> str:
    """Give an attribute's name, or a class's, as it stands in an error's path."""
    first, *others = name.split("_")
    first = first[0].lower() + first[1:]  # consensus: names in our source, which are ASCII
    return first + "".join([other.capitalize() for other in others])  # consensus: as above
