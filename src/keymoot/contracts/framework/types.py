"""What an annotation says to the ABI, and how a cell's value becomes bytes.

Methods, events and cells are annotated with the types in which the rest of Keymoot thinks:
`WalletId`, `Height`, `Wei`. The table below says which type of Solidity's each one is. What comes
from outside is decoded to exactly that type, or refused; a plain number says its size itself:
`uint64`, `uint256`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import (
    Address,
    AppId,
    Bytes32,
    Hash32,
    NetworkId,
    RequestId,
    SolanaAddress,
    WalletId,
)
from keymoot.base.units import Gas, Height, Seconds, UnixSeconds, Wei

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Abi:
    """The name of a type in the ABI."""

    name: str


uint8 = Annotated[int, Abi("uint8")]
uint64 = Annotated[int, Abi("uint64")]
uint256 = Annotated[int, Abi("uint256")]

ABI_NAMES: Mapping[Any, str] = MappingProxyType(
    {
        bool: "bool",
        bytes: "bytes",
        str: "string",
        Address: "address",
        AppId: "bytes21",
        Bytes32: "bytes32",
        Hash32: "bytes32",
        NetworkId: "bytes32",
        RequestId: "bytes32",
        SolanaAddress: "bytes32",
        WalletId: "bytes32",
        Gas: "uint64",
        Height: "uint64",
        Seconds: "uint64",
        UnixSeconds: "uint64",
        Wei: "uint256",
    }
)
"""What each domain type is to the ABI; integers are bounded by that, fixed bytes by themselves."""


_FIXED = frozenset(("address", "bytes21", "bytes32"))
"""Types whose values are `Fixed`."""


@dataclass(frozen=True, slots=True)
class AbiType:
    """An annotation, as the ABI sees it.

    Attributes:
        name: Its name there.
        of: Gives the annotated type's value for what the ABI's codec has read.
    """

    name: str
    of: Callable[[Any], Any]


def abi_type(annotation: Any) -> AbiType:
    """Read an annotation: a type of the table, a sized number, or `list[...]` of one."""
    if get_origin(annotation) is list:
        part = abi_type(get_args(annotation)[0])
        return AbiType(part.name + "[]", lambda values: [part.of(value) for value in values])
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, Abi):
            return AbiType(mark.name, _as_it_is)
    name = ABI_NAMES.get(annotation)
    if name is None:
        raise Defect(
            "an annotation has no ABI: use uint64, uint256, or a type of framework.types.ABI_NAMES"
        )
    return AbiType(name, annotation if name in _FIXED else _as_it_is)


def _as_it_is(value: T) -> T:
    return value


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]


def codec_of(kind: Any) -> Codec[Any]:
    """Give the codec of a type: one with an ABI, or a class with `encode` and `decode`."""
    if isinstance(kind, type) and hasattr(kind, "encode") and hasattr(kind, "decode"):
        return Codec(lambda value: value.encode(), kind.decode)
    name = abi_type(kind).name
    if name.startswith("uint"):
        bits = int(name[4:])  # consensus: a type of ours
        return Codec(lambda value: _encode_uint(value, bits), _decode_uint)
    if name in _FIXED:
        return Codec(bytes, kind)
    if name not in _CODECS:
        raise Defect(f"a cell cannot hold {name}")
    return _CODECS[name]


def _encode_uint(value: int, bits: int) -> bytes:
    if not 0 <= value < 1 << bits:
        raise OutOfRange(value, bits)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _decode_uint(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


class OutOfRange(Malformed, code="OUT_OF_RANGE"):
    """An integer does not fit its type; Solidity would have panicked with 0x11."""

    def __init__(self, value: int, bits: int) -> None:
        super().__init__(f"{value} does not fit uint{bits}")


_CODECS: dict[str, Codec[Any]] = {
    "bool": Codec(lambda value: bytes((bool(value),)), lambda raw: raw == b"\x01"),
    "bytes": Codec(bytes, bytes),
    "string": Codec(lambda value: value.encode(), lambda raw: raw.decode()),
}
