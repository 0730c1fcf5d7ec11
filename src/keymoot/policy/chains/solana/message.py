"""Messages of Solana, legacy and version 0: the bytes that an Ed25519 signature is over.

Follows Solana's own types (`solana-message`) and what its runtime checks before it runs
anything (`sanitize`). Read strictly, and in one way only: lengths are compact-u16 in their
shortest form, nothing follows the end, no account stands twice. What the instructions mean
is `policy`'s.
"""

from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, SolanaAddress

MAX_PACKET_BYTES = 1_232
"""Longest transaction that Solana's network takes, its signatures included."""

SIGNATURE_BYTES = 64

VERSION_BIT = 0x80
"""Set in the first byte of every message that is not a legacy one; its version is below."""

_HEADER_BYTES = 3
_KEY_BYTES = SolanaAddress.LENGTH


class UnsupportedVersion(Malformed, code="MESSAGE_VERSION"):
    """A message of a version that is neither legacy nor 0."""


class TableLookups(Malformed, code="TABLE_LOOKUPS"):
    """A message that loads accounts from tables, which nobody can see in its bytes."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call of a program; program and accounts are indices into the message's."""

    program: int
    accounts: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class SolanaMessage:
    """A message before its signatures.

    Attributes:
        version: None for a legacy message, or 0.
        signers: How many of the first accounts sign; the first of them pays.
        readonly_signers: The last so many of the signers are only read.
        readonly_others: The last so many of all accounts are only read.
        accounts: Every account and program, each once.
        recent_blockhash: A block of the last minute or so, of the cluster that may run it.
    """

    version: int | None
    signers: int
    readonly_signers: int
    readonly_others: int
    accounts: tuple[SolanaAddress, ...]
    recent_blockhash: Hash32
    instructions: tuple[Instruction, ...]

    def encode(self) -> bytes:
        parts = [b"" if self.version is None else bytes((VERSION_BIT | self.version,))]
        parts.append(bytes((self.signers, self.readonly_signers, self.readonly_others)))
        parts += [compact(len(self.accounts)), *self.accounts, self.recent_blockhash]
        parts.append(compact(len(self.instructions)))
        for call in self.instructions:
            parts += [bytes((call.program,)), compact(len(call.accounts)), bytes(call.accounts)]
            parts += [compact(len(call.data)), call.data]
        if self.version is not None:
            parts.append(compact(0))
        return b"".join(parts)


def compact(value: int) -> bytes:
    """Write a length as compact-u16: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_message(raw: bytes) -> SolanaMessage:
    """Read a message.

    Raises:
        UnsupportedVersion: neither legacy nor 0.
        TableLookups: version 0 with address table lookups.
        Malformed: not the one encoding of a message, or too long for a packet.
    """
    if len(raw) > MAX_PACKET_BYTES:
        raise Malformed(f"a message has at most {MAX_PACKET_BYTES} bytes, got {len(raw)}")
    reader = _MessageReader(raw)
    # 1. The version, and the header as the runtime wants it.
    version: int | None = None
    if raw[:1] >= bytes((VERSION_BIT,)):
        version = reader.byte("version") & ~VERSION_BIT
        if version != 0:
            raise UnsupportedVersion(f"version {version} is not read: send legacy or version 0")
    signers = reader.byte("header")
    readonly_signers, readonly_others = reader.byte("header"), reader.byte("header")
    if signers * SIGNATURE_BYTES + len(raw) + 1 > MAX_PACKET_BYTES:
        raise Malformed(f"with its signatures it is over {MAX_PACKET_BYTES} bytes", "header")
    if readonly_signers >= signers:
        raise Malformed("the first account signs and pays, so it is writable", "header")
    # 2. Accounts: each once, as many as the header counts.
    accounts = tuple(SolanaAddress(key) for key in reader.many(_KEY_BYTES, "accounts"))
    if signers + readonly_others > len(accounts):
        raise Malformed("the header counts more accounts than there are", "header")
    if len(set(accounts)) != len(accounts):
        raise Malformed("an account stands twice", "accounts")
    blockhash = Hash32(reader.take(Hash32.LENGTH, "recentBlockhash"))
    # 3. Instructions, of accounts that stand in the message: none are from tables.
    count = reader.compact("instructions")
    instructions = tuple(_instruction(reader, f"instructions[{at}]") for at in range(count))
    if version is not None and reader.compact("addressTableLookups"):
        raise TableLookups("accounts from tables cannot be seen: name them in the message")
    for at, call in enumerate(instructions):
        if call.program == 0 or max((call.program, *call.accounts)) >= len(accounts):
            why = f"an index points outside the {len(accounts)} accounts, or to a program that pays"
            raise Malformed(why, f"instructions[{at}]")
    # 4. Nothing follows the end.
    if reader.at != len(raw):
        raise Malformed(f"{len(raw) - reader.at} bytes follow the end")
    return SolanaMessage(
        version, signers, readonly_signers, readonly_others, accounts, blockhash, instructions
    )


def _instruction(reader: "_MessageReader", path: str) -> Instruction:
    program = reader.byte(path)
    indices = tuple(reader.take(reader.compact(path), path))
    return Instruction(program, indices, reader.take(reader.compact(path), path))


class _MessageReader:
    """A place in bytes that only moves forward."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, length: int, path: str) -> bytes:
        if len(self.raw) - self.at < length:
            raise Malformed("the bytes end too early", path)
        self.at += length
        return self.raw[self.at - length : self.at]

    def many(self, length: int, path: str) -> list[bytes]:
        return [self.take(length, path) for _ in range(self.compact(path))]

    def byte(self, path: str) -> int:
        return self.take(1, path)[0]

    def compact(self, path: str) -> int:
        value = 0
        for shift in (0, 7, 14):
            byte = self.byte(path)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise Malformed("a length is not in its shortest form", path)
                if value > 0xFFFF:
                    raise Malformed("a length has at most 16 bits", path)
                return value
        raise Malformed("a length has at most three bytes", path)


def message_of_transaction(raw: bytes) -> bytes:
    """Give the message behind the signatures of a whole transaction, itself not read yet."""
    reader = _MessageReader(raw)
    reader.many(SIGNATURE_BYTES, "signatures")
    return raw[reader.at :]


def resembles_message(raw: bytes) -> bool:
    """Tell whether any reader, however careless, could take the start of `raw` for a message.

    Versioned ones by their first byte. Legacy ones by their shape alone: lengths in any
    form, indices and header unchecked, anything behind the end.
    """
    if not raw:
        return False
    if raw[0] >= VERSION_BIT:
        return True
    at = _HEADER_BYTES
    keys, at = _careless_length(raw, at)
    at += keys * _KEY_BYTES + Hash32.LENGTH
    count, at = _careless_length(raw, at)
    for _ in range(count):
        accounts, at = _careless_length(raw, at + 1)
        data, at = _careless_length(raw, at + accounts)
        at += data
        if at > len(raw):
            return False
    return at <= len(raw)


def _careless_length(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in (0, 7, 14):
        byte = raw[at] if at < len(raw) else 0
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value & 0xFFFF, at
