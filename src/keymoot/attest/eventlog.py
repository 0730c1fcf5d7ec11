"""What was measured after the start, read from a log and replayed to the registers of evidence.

A log is the host's word, until it is replayed: each event extends a register,
`new = SHA-384(old | digest)`, and the registers that come out have to be those that the vendor
signed. Two forms are read: the crypto-agile log of firmware and kernel ("TCG PC Client Platform
Firmware Profile", 1.06, section 10; TDX: CCEL), and dstack's JSON.

Replayed, the *digests* are proven. What stands beside a digest is proven only where the digest
is its hash, which `LoggedEvent.proven` says: firmware writes what it likes into other events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha384
from typing import Final

from keymoot.attest.claims import Claims
from keymoot.attest.evidence import EvidenceRefused
from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json, parse

MAX_LOG_BYTES = 1 << 20
"""Longest log that is read; a Linux guest's has 30,000 bytes."""

MAX_EVENTS = 4_096
MAX_EVENT_BYTES = 65_536
MAX_REGISTERS = 32
DIGEST_BYTES = 48

_NO_ACTION = 3
_SHA384 = 0x0C
_DIGEST_SIZES: Final = {0x04: 20, 0x0B: 32, _SHA384: 48, 0x0D: 64, 0x12: 32}
"""Bytes of a digest, by the TPM's number of its hash."""

_MAX_DIGESTS = 8
_SHA1_BYTES = 20
_END_OF_LOG = b"\xff" * 4
_DSTACK_RUNTIME = 0x08000001
"""Type of events that dstack's guest adds itself."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One measurement.

    Attributes:
        register: Which register it extends: 0 is RTMR0 or PCR0.
        kind: Its type, as the log's specification numbers them.
        digest: What the register is extended by; 48 bytes.
        name: What dstack calls it; empty of others.
        data: What stands beside the digest.
    """

    register: int
    kind: int
    digest: bytes
    name: str
    data: bytes

    @property
    def proven(self) -> bool:
        """Whether the digest vouches for name and data, and not for something that they tell of."""
        return self.digest in (sha384(self.data).digest(), _of_dstack(self))


def _of_dstack(event: LoggedEvent) -> bytes:
    """Give the digest by which dstack's guest binds kind, name and data."""
    kind = event.kind.to_bytes(4, "little")
    return sha384(b":".join([kind, event.name.encode(), event.data])).digest()


class LogRefused(EvidenceRefused, code="LOG_REFUSED"):
    """A log does not lead to the registers that were signed."""


def replay(events: Iterable[LoggedEvent]) -> Mapping[int, bytes]:
    """Give what the registers hold after some events; they begin with zeros."""
    registers: dict[int, bytes] = {}
    for event in events:
        before = registers.get(event.register, bytes(DIGEST_BYTES))
        registers[event.register] = sha384(before + event.digest).digest()
    return registers


def check_log(claims: Claims, events: Sequence[LoggedEvent], prefix: str = "RTMR") -> None:
    """Raise unless a log tells all that was measured into the registers that it names.

    Args:
        claims: What the vendor signed.
        events: The log.
        prefix: Of the registers' names: `RTMR`, or `PCR`.

    Raises:
        LogRefused: one register is another, or none of that name was signed.
    """
    for register, value in replay(events).items():
        signed = claims.registers.get(f"{prefix}{register}")
        if signed != value:
            raise LogRefused(
                f"the log leads to {value.hex()} in {prefix}{register}, the evidence has "
                f"{'none' if signed is None else signed.hex()}: send the log of this very start"
            )


def read_log(raw: bytes) -> tuple[LoggedEvent, ...]:
    """Read a crypto-agile log; in TDX's, register n stands as n + 1, and so it is read.

    Events that extend nothing (EV_NO_ACTION) are left out.

    Raises:
        Malformed: another form, or too long.
    """
    if len(raw) > MAX_LOG_BYTES:
        raise Malformed(f"the log has {len(raw)} bytes, at most {MAX_LOG_BYTES} are read", "log")
    return tuple(_events(_Cursor(raw)))


class _Cursor:
    """Takes bytes from the front of a log."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        """Give the next bytes."""
        if len(self.raw) - self.at < count:
            raise Malformed(f"the log ends at byte {len(self.raw)} within an event", "log")
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, count: int) -> int:
        """Give the next number, which is little-endian."""
        return int.from_bytes(self.take(count), "little")

    def data(self) -> bytes:
        """Give an event's data, after its length."""
        if (length := self.number(4)) > MAX_EVENT_BYTES:
            raise Malformed(f"an event has {length} bytes, at most {MAX_EVENT_BYTES}", "log")
        return self.take(length)

    @property
    def ended(self) -> bool:
        """Whether nothing is left but the filling of the table that the log stands in."""
        rest = self.raw[self.at : self.at + 4]
        return not rest or rest == _END_OF_LOG


def _events(log: _Cursor) -> Iterator[LoggedEvent]:
    # The first has the old form, extends nothing, and says that the others have the new one.
    log.take(4)
    if log.number(4) != _NO_ACTION:
        raise Malformed("a log begins with its specification (EV_NO_ACTION)", "log")
    log.take(_SHA1_BYTES)
    if not log.data().startswith(b"Spec ID Event03\x00"):
        raise Malformed("the log is not crypto-agile (Spec ID Event03)", "log")
    count = 0
    while not log.ended:
        count += 1
        if count > MAX_EVENTS:
            raise Malformed(f"a log has at most {MAX_EVENTS} events", "log")
        index, kind = log.number(4), log.number(4)
        digest = _digest(log)
        data = log.data()
        if kind == _NO_ACTION:
            continue
        if not 1 <= index <= MAX_REGISTERS:
            raise Malformed(f"measurement registers are 1 to {MAX_REGISTERS}, got {index}", "log")
        if digest is None:
            raise Malformed("an event has no digest of SHA-384", "log")
        yield LoggedEvent(index - 1, kind, digest, "", data)


def _digest(log: _Cursor) -> bytes | None:
    if (count := log.number(4)) > _MAX_DIGESTS:
        raise Malformed(f"an event has at most {_MAX_DIGESTS} digests, got {count}", "log")
    sha384 = None
    for _ in range(count):
        algorithm = log.number(2)
        size = _DIGEST_SIZES.get(algorithm)
        if size is None:
            raise Malformed(f"hash {algorithm:#x} is not known", "log")
        digest = log.take(size)
        sha384 = digest if algorithm == _SHA384 else sha384
    return sha384


def read_dstack(raw: bytes) -> tuple[LoggedEvent, ...]:
    """Read dstack's log: objects with `imr`, `event_type`, `digest`, `event`, and payload.

    Raises:
        Malformed: another form, too long, or an event of dstack's own that its digest is not of.
    """
    entries = parse(raw, MAX_LOG_BYTES)
    if not isinstance(entries, list) or len(entries) > MAX_EVENTS:
        raise Malformed(f"a log is a list of at most {MAX_EVENTS} events", "log")
    return tuple([_event_of(entry, f"log[{at}]") for at, entry in enumerate(entries)])


def _event_of(entry: Json, path: str) -> LoggedEvent:
    if not isinstance(entry, dict):
        raise Malformed("an event is an object", path)
    register, kind = entry.get("imr"), entry.get("event_type")
    if isinstance(register, bool) or not isinstance(register, int):
        raise Malformed("a register is a number", f"{path}.imr")
    if isinstance(kind, bool) or not isinstance(kind, int) or not 0 <= kind < 1 << 32:
        raise Malformed("a type is a number of four bytes", f"{path}.event_type")
    if not 0 <= register < MAX_REGISTERS:
        raise Malformed(f"registers are 0 to {MAX_REGISTERS - 1}", f"{path}.imr")
    name = entry.get("event", "")
    if not isinstance(name, str):
        raise Malformed("a name is a text", f"{path}.event")
    digest = _hex(entry.get("digest"), f"{path}.digest")
    if len(digest) != DIGEST_BYTES:
        raise Malformed(f"a digest has {DIGEST_BYTES} bytes, got {len(digest)}", f"{path}.digest")
    data = _hex(entry.get("event_payload", ""), f"{path}.event_payload")
    made = LoggedEvent(register, kind, digest, name, data)
    if kind == _DSTACK_RUNTIME and digest != _of_dstack(made):
        raise Malformed("the digest is not that of event and payload", path)
    return made


def _hex(text: Json, path: str) -> bytes:
    try:
        made = bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError as error:
        raise Malformed("hex was expected", path) from error
    if made is None or len(made) > MAX_EVENT_BYTES:
        raise Malformed(f"hex of at most {MAX_EVENT_BYTES} bytes was expected", path)
    return made
