"""Protobuf as CometBFT writes it: read strictly, or say what is wrong.

The `protobuf` library does the wire format; here are the rules that it leaves open.
Whatever is decoded is encoded again and compared, so that there is one form only:
no unknown field, no field twice, no long-form integer.
"""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from keymoot.base.errors import Malformed
from keymoot.base.units import NANOS_PER_SECOND, UnixNanos

HASH_BYTES = 32
ADDRESS_BYTES = 20

NO_TIME = UnixNanos(-62_135_596_800 * NANOS_PER_SECOND)
"""Go's zero time, 0001-01-01T00:00:00Z: how CometBFT writes that there is none."""

_LATEST = UnixNanos(253_402_300_800 * NANOS_PER_SECOND)
"""Protobuf's timestamps end before the year 10000."""

M = TypeVar("M", bound=Message)
V = TypeVar("V")


def decode(
    raw: bytes, kind: type[M], read: Callable[[M], V], write: Callable[[V], bytes], max_bytes: int
) -> V:
    """Read one message and refuse every form but the one that `write` gives.

    Args:
        raw: The whole message, without a length before it.
        kind: Its protobuf class.
        read: Turns the parsed message into a value; raises Malformed.
        write: Encodes that value.
        max_bytes: Most bytes that are read.

    Raises:
        Malformed: too long, no such message, or another form of it.
    """
    name = kind.DESCRIPTOR.name
    if len(raw) > max_bytes:
        raise Malformed(f"{name} has {len(raw)} bytes, at most {max_bytes} are accepted")
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError as error:
        raise Malformed(f"these bytes are no {name} message") from error
    value = read(message)
    if write(value) != raw:
        raise Malformed(f"{name} is not in its canonical form")
    return value


def encode(message: Message) -> bytes:
    """Give the canonical bytes: fields in the order of their numbers."""
    return message.SerializeToString(deterministic=True)


def delimited(message: Message) -> bytes:
    """Give the bytes with their length, a varint, before them: what validators sign."""
    body = encode(message)
    length, prefix = len(body), bytearray()
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + body


def write_time(into: Timestamp, time: UnixNanos) -> None:
    """Set a timestamp field; it is written even when it is zero."""
    into.SetInParent()
    into.seconds, into.nanos = divmod(time, NANOS_PER_SECOND)


def read_time(stamp: Timestamp, path: str) -> UnixNanos:
    """Take a timestamp between the years 1 and 9999."""
    time = UnixNanos(stamp.seconds * NANOS_PER_SECOND + stamp.nanos)
    if not 0 <= stamp.nanos < NANOS_PER_SECOND or not NO_TIME <= time < _LATEST:
        raise Malformed("a time is out of range", path)
    return time


def read_hash(raw: bytes, path: str) -> bytes:
    """Take a hash of 32 bytes, or none."""
    if raw and len(raw) != HASH_BYTES:
        raise Malformed(f"a hash is {HASH_BYTES} bytes or none, got {len(raw)}", path)
    return raw


def read_address(raw: bytes, path: str) -> bytes:
    """Take a validator's address of 20 bytes."""
    if len(raw) != ADDRESS_BYTES:
        raise Malformed(f"a validator's address is {ADDRESS_BYTES} bytes, got {len(raw)}", path)
    return raw
