"""Events: what a contract tells the world, as Ethereum logs."""

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, get_type_hints

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

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
        topics, kinds, values = [self.topic()], [], []
        for name, kind, indexed in self.inputs():
            value: Any = getattr(self, name)
            if indexed:
                topics.append(Bytes32(encode([kind], [value])))
            else:
                kinds.append(kind)
                values.append(value)
        return tuple(topics), encode(kinds, values)

    @classmethod
    def read(cls, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
        """Read topics and data back into the fields, by name.

        Raises:
            Malformed: they are of another event.
        """
        indexed = [(name, kind) for name, kind, topic in cls.inputs() if topic]
        rest = [(name, kind) for name, kind, topic in cls.inputs() if not topic]
        if len(topics) != len(indexed) + 1 or topics[0] != cls.topic():
            raise Malformed(f"the log is no {cls.__name__}")
        found: dict[str, Any] = {}
        try:
            for (name, kind), topic in zip(indexed, topics[1:], strict=True):
                found[name] = from_abi(kind, decode([kind], topic)[0])
            values = decode([kind for _, kind in rest], data)
        except (DecodingError, OverflowError, ValueError) as error:
            raise Malformed(f"the log is no {cls.__name__}: {error}") from error
        for (name, kind), value in zip(rest, values, strict=True):
            found[name] = from_abi(kind, value)
        return found
