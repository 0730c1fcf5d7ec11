"""Events: what a contract tells the world, as Ethereum logs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, get_type_hints

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import WORD, Kind, parse_kinds
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.contracts.types import abi_name, from_abi
from keymoot.crypto.keccak import keccak256_raw


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an event's fields are laid out.

    Attributes:
        topic: The first topic: Keccak-256 of the signature.
        indexed: Names of the fields that become topics, a word each, and their types.
        rest: The same of those that become data.
    """

    topic: Bytes32
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
        hints = get_type_hints(cls, include_extras=True)
        return [
            (field.name, abi_name(hints[field.name]), field.name in cls.INDEXED)
            for field in fields(cls)  # type: ignore[arg-type]
        ]

    @classmethod
    def topic(cls) -> Bytes32:
        """Give the first topic: Keccak-256 of the signature."""
        return cls._shape().topic

    def log(self) -> tuple[tuple[Bytes32, ...], bytes]:
        """Give topics and data."""
        shape = self._shape()
        (names, kinds), (data_names, data_kinds) = shape.indexed, shape.rest
        words = encode(kinds, [getattr(self, name) for name in names])
        data = encode(data_kinds, [getattr(self, name) for name in data_names])
        topics = [Bytes32(words[at : at + WORD]) for at in range(0, len(words), WORD)]
        return (shape.topic, *topics), data

    @classmethod
    def read(cls, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Read topics and data back into the fields, by name.

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
        return {
            name: from_abi(kind.name, value)
            for name, kind, value in zip(
                (*names, *data_names), (*kinds, *data_kinds), values, strict=True
            )
        }

    @classmethod
    @cache
    def _shape(cls) -> _Shape:
        kinds = ",".join(kind for _, kind, _ in cls.inputs())
        topic = Bytes32(keccak256_raw(f"{cls.__name__}({kinds})".encode()))
        indexed, rest = (
            (
                tuple(name for name, _, topic in cls.inputs() if topic is wanted),
                parse_kinds(kind for _, kind, topic in cls.inputs() if topic is wanted),
            )
            for wanted in (True, False)
        )
        return _Shape(topic, indexed, rest)
