"""What nodes say to the ledger: transaction type 0x4e ("N").

    raw = 0x4e ‖ rlp([network, generation, seat, kind, body, signature])

signed with Ed25519 over keccak256 of the same without the signature: by the seat's key of
session, so that nothing a node says outlives its start; a new key of session by its identity; a
recovery carries the signatures of its own.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.forms import U16, U32, U64, AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SIGNATURE_BYTES
from keymoot.crypto.keccak import keccak256

MESSAGE_TYPE = 0x4E
"""EIP-2718 type byte of a node's message."""

MAX_BODY_BYTES = 245_760
"""Longest body: a batch of presignatures for a large committee."""


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


WITH_EVIDENCE = frozenset({Kind.EVIDENCE, Kind.JOIN})
"""What carries evidence, which takes longer to check than anything else that is said."""


DEALINGS = frozenset({Kind.KEYGEN_OPEN, Kind.FIRST, Kind.SECOND, Kind.RESHARE})
"""What carries ciphertexts for every seat: long, and of no use once they have been opened."""


@dataclass(frozen=True)
class NodeMessage(Record):
    """One message of one seat."""

    PREFIX = bytes((MESSAGE_TYPE,))
    MAX_ITEMS = 6

    network: NetworkId
    generation: Hash32
    seat: U16
    kind: Kind
    body: Annotated[bytes, AtMost(MAX_BODY_BYTES)]
    signature: Annotated[bytes, AtMost(SIGNATURE_BYTES)] = b""

    @cached_property
    def digest(self) -> Hash32:
        return keccak256(self.PREFIX + rlp.encode(self.item()[:-1]))

    def signed(self, key: Secret) -> "NodeMessage":
        return replace(self, signature=ed25519.sign(key, self.digest))

    def signed_by(self, public: Bytes32) -> bool:
        """Tell whether a key made the signature; a block asks twice, and it is checked once."""
        return _verified(public, self.digest, self.signature)


def is_message(raw: bytes) -> bool:
    return raw[:1] == NodeMessage.PREFIX


def is_dealing(raw: bytes) -> bool:
    return is_message(raw) and NodeMessage.decode(raw).kind in DEALINGS


@dataclass(frozen=True, slots=True)
class NumberedBody(Record):
    """Body of what names a batch, an epoch or an attempt at key generation by its number."""

    number: U64
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class AttemptBody(Record):
    """Body of what is said in an attempt to reach epoch `number`."""

    number: U64
    attempt: U32
    content: bytes = b""


@lru_cache(maxsize=256)
def _verified(public: Bytes32, digest: Hash32, signature: bytes) -> bool:
    return ed25519.verify(public, digest, signature)
