"""Events: what a contract tells the world, as Ethereum logs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self, get_type_hints

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import WORD, Kind, parse_kinds
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.contracts.framework.types import AbiType, abi_type
from keymoot.crypto.keccak import keccak256_raw


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an event's fields are laid out.

    Attributes:
        topic: The first topic: Keccak-256 of the signature.
        types: Of all fields, by name.
        indexed: Names of the fields that become topics, a word each, and their types.
        rest: The same of those that become data.
    """

    topic: Bytes32
    types: dict[str, AbiType]
    indexed: tuple[tuple[str, ...], tuple[Kind, ...]]
    rest: tuple[tuple[str, ...], tuple[Kind, ...]]


class Event:
    """Subclass as a frozen dataclass whose fields are annotated with ABI types.

    Attributes:
        INDEXED: Fields that become topics, at most three, none of them dynamic.
    """

    INDEXED: ClassVar[tuple[str, ...]] = ()
    __slots__ = ()

    @classmethod
    @cache
    def inputs(cls) -> list[tuple[str, str, bool]]:
        """Give each field's name, ABI type, and whether it is indexed."""
        types = cls._shape().types
        return [(name, kind.name, name in cls.INDEXED) for name, kind in types.items()]

    @classmethod
    def topic(cls) -> Bytes32:
        return cls._shape().topic

    def log(self) -> tuple[tuple[Bytes32, ...], bytes]:
        shape = self._shape()
        (names, kinds), (data_names, data_kinds) = shape.indexed, shape.rest
        words = encode(kinds, [getattr(self, name) for name in names])
        data = encode(data_kinds, [getattr(self, name) for name in data_names])
        topics = [Bytes32(words[at : at + WORD]) for at in range(0, len(words), WORD)]
        return (shape.topic, *topics), data

    @classmethod
    def read(cls, topics: Sequence[bytes], data: bytes) -> Self:
        """Read the event back from topics and data.

        Raises:
            Malformed: they are of another event.
        """
        shape = cls._shape()
        (names, kinds), (data_names, data_kinds) = shape.indexed, shape.rest
        if len(topics) != len(names) + 1 or topics[0] != shape.topic:
            raise Malformed(f"the log is no {cls.__name__}")
        try:
            values = decode(kinds, b"".join(topics[1:])) + decode(data_kinds, data)
        except BadEncoding as error:
            raise Malformed(f"the log is no {cls.__name__}: {error.reason}") from error
        named = zip((*names, *data_names), values, strict=True)
        return cls(**{name: shape.types[name].of(value) for name, value in named})

    @classmethod
    @cache
    def _shape(cls) -> _Shape:
        hints = get_type_hints(cls, include_extras=True)
        types = {
            field.name: abi_type(hints[field.name])
            for field in fields(cls)  # type: ignore[arg-type]
        }
        signature = f"{cls.__name__}({','.join(kind.name for kind in types.values())})"
        indexed, rest = (
            (
                tuple(name for name in types if (name in cls.INDEXED) is wanted),
                parse_kinds(
                    kind.name for name, kind in types.items() if (name in cls.INDEXED) is wanted
                ),
            )
            for wanted in (True, False)
        )
        return _Shape(Bytes32(keccak256_raw(signature.encode())), types, indexed, rest)
