"""Solidity's types as annotations: they give a method its ABI and a cell its bytes.

`uint256` is `int` to the type checker and "uint256" to the ABI.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import Address, Bytes32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Abi:
    """The name of a type in the ABI."""

    name: str


uint8 = Annotated[int, Abi("uint8")]
uint64 = Annotated[int, Abi("uint64")]
uint256 = Annotated[int, Abi("uint256")]
boolean = Annotated[bool, Abi("bool")]
address = Annotated[Address, Abi("address")]
bytes32 = Annotated[Bytes32, Abi("bytes32")]
dynamic_bytes = Annotated[bytes, Abi("bytes")]
string = Annotated[str, Abi("string")]


def abi_name(annotation: Any) -> str:
    """Give the ABI's name for an annotation: ours, `list[...]` of ours.

    Raises:
        Defect: an annotation that has no ABI; found when a contract class is made.
    """
    if get_origin(annotation) is list:
        return abi_name(get_args(annotation)[0]) + "[]"
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Abi):
            return mark.name
    raise Defect("an annotation has no ABI: annotate with the types of keymoot.contracts")


def from_abi(kind: str, value: Any) -> Any:
    """Turn what the ABI's codec decoded into the value that a contract handles."""
    if kind.endswith("[]"):
        return [from_abi(kind[:-2], part) for part in value]
    return Bytes32(value) if kind == "bytes32" else value


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a cell's value becomes bytes and comes back."""

    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]


def codec_of(kind: Any) -> Codec[Any]:
    """Give the codec of a type: one of ours, or a class with `encode` and `decode`.

    Raises:
        Defect: neither; found when a contract class is made.
    """
    if isinstance(kind, type) and hasattr(kind, "encode") and hasattr(kind, "decode"):
        return Codec(lambda value: value.encode(), kind.decode)
    name = abi_name(kind)
    if name.startswith("uint"):
        bits = int(name[4:])  # consensus: a type of ours
        return Codec(lambda value: _encode_uint(value, bits), _decode_uint)
    if name not in _CODECS:
        raise Defect(f"a cell cannot hold {name}")
    return _CODECS[name]


def _encode_uint(value: int, bits: int) -> bytes:
    if not 0 <= value < 1 << bits:
        raise OutOfRange(value, bits)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _decode_uint(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


class OutOfRange(Malformed):
    """An integer does not fit its type; Solidity would have panicked with 0x11."""

    code = "OUT_OF_RANGE"

    def __init__(self, value: int, bits: int) -> None:
        """Show the number and the room it had."""
        super().__init__(f"{value} does not fit uint{bits}")


_CODECS: dict[str, Codec[Any]] = {
    "bool": Codec(lambda value: bytes((bool(value),)), lambda raw: raw == b"\x01"),
    "address": Codec(bytes, Address),
    "bytes32": Codec(bytes, Bytes32),
    "bytes": Codec(bytes, bytes),
    "string": Codec(lambda value: value.encode(), lambda raw: raw.decode()),
}
