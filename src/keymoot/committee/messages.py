"""What nodes say to the ledger: transaction type 0x4e ("N").

    raw = 0x4e ‖ rlp([network, generation, seat, kind, body, signature])

signed with Ed25519 over keccak256 of the same without the signature: by the seat's key of
session, so that nothing a node says outlives its start; a new key of session by its identity; a
recovery carries the signatures of its own.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property, lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256

MESSAGE_TYPE = 0x4E
"""EIP-2718 type byte of a node's message."""

MAX_BODY_BYTES = 245_760
"""Longest body: a batch of presignatures for a large committee."""

_SIGNATURE_BYTES = 64
_FIELDS = 6


_FIRST = bytes((MESSAGE_TYPE,))


def is_message(raw: bytes) -> bool:
    return raw[:1] == _FIRST


class Kind(IntEnum):
    TICK = 0
    """Time has passed."""
    SESSION = 1
    """This seat has started anew, with these keys."""
    RECOVER = 2
    """So many have started anew that a generation begins."""
    KEYGEN_HASH = 3
    KEYGEN_OPEN = 4
    KEYGEN_VERDICT = 5
    KEYGEN_VOTE = 6
    FIRST = 7
    """A dealing of a batch's first round."""
    SECOND = 8
    """A dealing of a batch's second round."""
    ACK = 9
    """This seat holds valid shares of a batch."""
    COMPLAIN = 10
    """A dealing of a batch is bad."""
    EPOCH_KEY = 11
    """The key to which this seat's shares of the next epoch are to be encrypted."""
    END_EPOCH = 12
    """This seat wants the epoch to end now."""
    RESHARE = 13
    """Dealings of this seat's root shares, for the next epoch."""
    RESHARE_VERDICT = 14
    HELD = 15
    """This seat holds its shares of the next epoch."""
    NONCES = 16
    """A batch of nonce commitments for FROST."""
    BAD_NONCE = 17
    """A commitment of a seat is no point."""
    JOIN = 18
    """An enclave that enough seats have invited takes a vacant seat, with these keys."""
    ADMIT = 19
    """This seat invites an enclave, by its identity."""
    PART = 20
    """This seat wants to leave, or another one to."""
    EVIDENCE = 21
    """What this founder runs, and that the keys of the genesis are its own."""
    STATE_ASK = 24
    """This seat has no state secret; answers are to be made out to this one-time key."""
    STATE_ANSWER = 25
    """This seat's part of the state secret, for the seat that asked."""
    STATE_HELD = 26
    """This seat has the state secret sealed."""


BY_IDENTITY = frozenset({Kind.SESSION, Kind.JOIN})
"""What the identity signs: it brings the session keys that sign everything else."""


DEALINGS = frozenset({Kind.KEYGEN_OPEN, Kind.FIRST, Kind.SECOND, Kind.RESHARE})
"""What carries ciphertexts for every seat: long, and of no use once they have been opened."""


@dataclass(frozen=True)
class NodeMessage:
    """One message of one seat."""

    network: NetworkId
    generation: Hash32
    seat: int
    kind: Kind
    body: bytes
    signature: bytes = b""

    @cached_property
    def digest(self) -> Hash32:
        return keccak256(_FIRST + rlp.encode(self._fields()))

    def signed(self, key: Secret) -> "NodeMessage":
        return replace(self, signature=ed25519.sign(key, self.digest))

    def signed_by(self, public: Bytes32) -> bool:
        """Tell whether a key made the signature; a block asks twice, and it is checked once."""
        return _verified(public, self.digest, self.signature)

    def encode(self) -> bytes:
        return _FIRST + rlp.encode([*self._fields(), self.signature])

    @staticmethod
    def decode(raw: bytes) -> "NodeMessage":
        if not is_message(raw):
            raise Malformed(f"a node's message starts with 0x{MESSAGE_TYPE:02x}")
        fields = list_of(rlp.decode(raw[1:], max_items=_FIELDS), _FIELDS, "message")
        kind = uint_of(fields[3], "kind", 1)
        if kind not in Kind.__members__.values():
            raise Malformed(f"no kind of message has the number {kind}", "kind")
        return NodeMessage(
            fixed_of(fields[0], NetworkId, "network"),
            fixed_of(fields[1], Hash32, "generation"),
            uint_of(fields[2], "seat", 2),
            Kind(kind),
            bytes_of(fields[4], "body", MAX_BODY_BYTES),
            bytes_of(fields[5], "signature", _SIGNATURE_BYTES),
        )

    def _fields(self) -> list[rlp.Item]:
        return [self.network, self.generation, uint(self.seat), uint(self.kind), self.body]


def is_dealing(raw: bytes) -> bool:
    return is_message(raw) and NodeMessage.decode(raw).kind in DEALINGS


def write_numbered(number: int, content: bytes = b"") -> bytes:
    """Body of what names a batch, an epoch or an attempt by its number."""
    return rlp.encode([uint(number), content])


def read_numbered(body: bytes) -> tuple[int, bytes]:
    number, content = list_of(rlp.decode(body), 2, "numbered")
    return uint_of(number, "batch", 8), bytes_of(content, "content")


def write_attempt(number: int, attempt: int, content: bytes = b"") -> bytes:
    """Body of what is said in an attempt to reach epoch `number`."""
    return rlp.encode([uint(number), uint(attempt), content])


def read_attempt(body: bytes) -> tuple[int, int, bytes]:
    number, attempt, content = list_of(rlp.decode(body), 3, "turn")
    return (
        uint_of(number, "number", 8),
        uint_of(attempt, "attempt", 4),
        bytes_of(content, "content"),
    )


@lru_cache(maxsize=256)
def _verified(public: Bytes32, digest: Hash32, signature: bytes) -> bool:
    return ed25519.verify(public, digest, signature)
