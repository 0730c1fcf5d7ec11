"""Events: what a contract tells the world, as Ethereum logs."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, get_type_hints

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import Kind, parse_kinds
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.contracts.types import abi_name, from_abi
from keymoot.crypto.keccak import keccak256_raw


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
    @cache
    def topic(cls) -> Bytes32:
        """Give the first topic: Keccak-256 of the signature."""
        kinds = ",".join(kind for _, kind, _ in cls.inputs())
        return Bytes32(keccak256_raw(f"{cls.__name__}({kinds})".encode()))

    def log(self) -> tuple[tuple[Bytes32, ...], bytes]:
        """Give topics and data."""
        indexed, rest = self._parts()
        topic_kinds, data_kinds = self._kinds()
        words = encode(topic_kinds, [getattr(self, name) for name, _ in indexed])
        data = encode(data_kinds, [getattr(self, name) for name, _ in rest])
        topics = (words[at : at + 32] for at in range(0, len(words), 32))
        return (self.topic(), *map(Bytes32, topics)), data

    @classmethod
    def read(cls, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Read topics and data back into the fields, by name.

        Raises:
            Malformed: they are of another event.
        """
        indexed, rest = cls._parts()
        if len(topics) != len(indexed) + 1 or topics[0] != cls.topic():
            raise Malformed(f"the log is no {cls.__name__}")
        try:
            topic_kinds, data_kinds = cls._kinds()
            values = decode(topic_kinds, b"".join(topics[1:])) + decode(data_kinds, data)
        except BadEncoding as error:
            raise Malformed(f"the log is no {cls.__name__}: {error.reason}") from error
        return {
            name: from_abi(kind, value)
            for (name, kind), value in zip((*indexed, *rest), values, strict=True)
        }

    @classmethod
    @cache
    def _parts(cls) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Give names and types of what becomes topics, a word each, and of what becomes data."""
        indexed = [(name, kind) for name, kind, topic in cls.inputs() if topic]
        return indexed, [(name, kind) for name, kind, topic in cls.inputs() if not topic]

    @classmethod
    @cache
    def _kinds(cls) -> tuple[tuple[Kind, ...], tuple[Kind, ...]]:
        """Give the types of `_parts`, parsed."""
        indexed, rest = cls._parts()
        return parse_kinds(kind for _, kind in indexed), parse_kinds(kind for _, kind in rest)
