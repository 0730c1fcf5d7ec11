"""What host and enclave say to each other about blocks, certificates and answers.

The frame around it, and who an enclave is, are in `messages`. Words of the host:

    BEGIN    a place                        begins there, once
    WATCH    a place, a witness             sees the assembly there: it has no state secret yet
    EXECUTE  a block                        -> its hash, our shares of what vouches for it
    CERTIFY  height, proof, what is wanted,
             whether it rests               -> outcomes of what it covers, answers
    OUTCOME  height                         -> one outcome
    ANSWER   requests                       -> answers
    QUERY    a call without effect          -> what it gives: `runtime.asked`
    ENDORSE  terms of a recovery order      -> the identity's signature
    PULSE, TURN, ADMIT, PART                speak to the ledger
    STORED   height on the host's disk      -> whether it has left, and erased what it had
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.enclave.messages import MAX_BATCH, answers_item, read_answers

BEGIN, WATCH, EXECUTE, CERTIFY = "begin", "watch", "execute", "certify"
OUTCOME, ANSWER, QUERY = "outcome", "answer", "query"

SIGNATURE_BYTES = 64
SHARE_BYTES = 48


class Want(IntEnum):
    """What a host wants to have of the blocks that a certificate covers."""

    NOTHING = 0
    DIGESTS = 1
    OUTCOMES = 2


@dataclass(frozen=True, slots=True)
class Ballot:
    """What an enclave gives for a block that it has executed.

    Attributes:
        hash: The block's hash, as this enclave computed it.
        share: Its share of the certificate, 48 bytes; empty while it may not sign.
        founding: Its signature under the founding record, 64 bytes; empty where none is due.
    """

    hash: Hash32
    share: bytes = b""
    founding: bytes = b""

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [self.hash, self.share, self.founding]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Ballot":
        """Read the RLP item.

        Raises:
            Malformed: not a ballot.
        """
        name, share, founding = list_of(item, 3, "ballot")
        return Ballot(
            fixed_of(name, Hash32, "hash"),
            _empty_or(share, SHARE_BYTES, "share"),
            _empty_or(founding, SIGNATURE_BYTES, "founding"),
        )


@dataclass(frozen=True, slots=True)
class Released:
    """What leaves an enclave under a certificate.

    Attributes:
        first: The lowest block that this certificate was the first to cover, here.
        outcomes: Of each block from there to the certificate's own: its outcome, the digest
            of it, or nothing, as was wanted.
        answers: To the requests that the certificate's own block bound.
    """

    first: Height
    outcomes: tuple[bytes, ...]
    answers: tuple[Answer, ...]

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [uint(self.first), list(self.outcomes), answers_item(list(self.answers))]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Released":
        """Read the RLP item.

        Raises:
            Malformed: not that.
        """
        first, outcomes, answers = list_of(item, 3, "released")
        return Released(
            Height(uint_of(first, "first", 8)),
            tuple(bytes_of(one, "outcome") for one in list_of(outcomes, None, "outcomes")),
            tuple(read_answers(answers)),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A certified block, as a host shows it.

    Attributes:
        record: The founding record.
        header: The block's header.
        signature: Its certificate, 48 bytes; empty for the record's own block.
    """

    record: bytes
    header: bytes
    signature: bytes = b""

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [self.record, self.header, self.signature]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Place":
        """Read the RLP item.

        Raises:
            Malformed: not a place.
        """
        record, header, signature = list_of(item, 3, "place")
        return Place(
            bytes_of(record, "record"),
            bytes_of(header, "header"),
            _empty_or(signature, SHARE_BYTES, "signature"),
        )


def begin_item(place: Place | None) -> rlp.Item:
    """Write where an enclave is to begin; None: at the genesis."""
    return [] if place is None else place.encode()


def read_begin(item: rlp.Decoded) -> Place | None:
    """Read where an enclave is to begin.

    Raises:
        Malformed: not that.
    """
    return None if item == [] else Place.decode(item)


def watch_item(place: Place, witness: dict[bytes, bytes]) -> rlp.Item:
    """Write what an enclave without the state secret is shown."""
    return [place.encode(), [[key, witness[key]] for key in sorted(witness)]]


def read_watch(item: rlp.Decoded) -> tuple[Place, dict[bytes, bytes]]:
    """Read what an enclave without the state secret is shown.

    Raises:
        Malformed: not that.
    """
    place, entries = list_of(item, 2, "watch")
    witness: dict[bytes, bytes] = {}
    for pair in list_of(entries, None, "witness"):
        key, value = list_of(pair, 2, "witness")
        witness[bytes_of(key, "witness")] = bytes_of(value, "witness")
    return Place.decode(place), witness


def certify_item(height: Height, proof: bytes, want: Want, *, rests: bool) -> rlp.Item:
    """Write a certificate: 48 bytes, or the founding record, which counts as one."""
    return [uint(height), proof, uint(want), uint(rests)]


def read_certify(item: rlp.Decoded) -> tuple[Height, bytes, Want, bool]:
    """Read a certificate, what is wanted under it, and whether others answer first.

    Raises:
        Malformed: not that.
    """
    height, proof, want, rests = list_of(item, 4, "certify")
    return (
        Height(uint_of(height, "height", 8)),
        bytes_of(proof, "proof"),
        _want(want),
        flag_of(rests, "rests"),
    )


def outcome_item(height: Height, want: Want) -> rlp.Item:
    """Write a question for a block's outcome."""
    return [uint(height), uint(want)]


def read_outcome(item: rlp.Decoded) -> tuple[Height, Want]:
    """Read a question for a block's outcome.

    Raises:
        Malformed: not one.
    """
    height, want = list_of(item, 2, "outcome")
    return Height(uint_of(height, "height", 8)), _want(want)


def requests_item(requests: Sequence[Hash32]) -> rlp.Item:
    """Write a question for answers."""
    return list(requests)


def read_requests(item: rlp.Decoded) -> list[Hash32]:
    """Read a question for answers.

    Raises:
        Malformed: not one, or more than `MAX_BATCH` requests.
    """
    found = list_of(item, None, "requests")
    if len(found) > MAX_BATCH:
        raise Malformed(f"at most {MAX_BATCH} requests are answered at once, got {len(found)}")
    return [fixed_of(one, Hash32, "request") for one in found]


def _want(item: rlp.Decoded) -> Want:
    number = uint_of(item, "want", 1)
    if number not in Want.__members__.values():
        raise Malformed(f"nothing that is wanted has the number {number}", "want")
    return Want(number)


def _empty_or(item: rlp.Decoded, length: int, path: str) -> bytes:
    raw = bytes_of(item, path)
    if raw and len(raw) != length:
        raise Malformed(f"{path} has {length} bytes or none, got {len(raw)}", path)
    return raw
