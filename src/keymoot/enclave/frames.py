"""What host and enclave say to each other about blocks, certificates and answers.

The frame around it, and who an enclave is, are in `messages`. Words of the host:

    BEGIN    a place                        begins there, once
    WATCH    a place, a witness             sees the committee there: it has no state secret yet
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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.fixed import Hash32
from keymoot.base.forms import AtMost, Exactly
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.committee.certified import SIGNATURE_BYTES
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.messages import MAX_BATCH
from keymoot.runtime.disclosure import Disclosure

BEGIN, WATCH, EXECUTE, CERTIFY = "begin", "watch", "execute", "certify"
OUTCOME, ANSWER, QUERY = "outcome", "answer", "query"


@dataclass(frozen=True, slots=True)
class ReleasedFrame(Record):
    """What leaves an enclave under a certificate.

    Attributes:
        first: The lowest block that this certificate was the first to cover, here.
        outcomes: Of each block from there to the certificate's own: its outcome, the digest
            of it, or nothing, as was wanted.
        answers: To the requests that the certificate's own block bound.
    """

    first: Height
    outcomes: tuple[bytes, ...]
    answers: tuple[RequestAnswer, ...]


@dataclass(frozen=True, slots=True)
class CertifiedPlace(Record):
    """A certified block, as a host shows it.

    Attributes:
        record: The founding record.
        header: The block's header.
        signature: Its certificate, 48 bytes; empty for the record's own block.
    """

    record: bytes
    header: bytes
    signature: Annotated[bytes, Exactly(0, SIGNATURE_BYTES)] = b""


@dataclass(frozen=True, slots=True)
class WatchFrame(Record):
    place: CertifiedPlace
    witness: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class CertifyFrame(Record):
    """A certificate: 48 bytes, or the founding record, which counts as one."""

    height: Height
    proof: bytes
    want: Disclosure
    rests: bool


@dataclass(frozen=True, slots=True)
class OutcomeFrame(Record):
    height: Height
    want: Disclosure


@dataclass(frozen=True, slots=True)
class BeginFrame(Record):
    """Where an enclave is to begin; None: at the genesis."""

    BARE = True

    place: CertifiedPlace | None


@dataclass(frozen=True, slots=True)
class RequestsFrame(Record):
    """Which requests are to be answered."""

    BARE = True

    requests: Annotated[tuple[Hash32, ...], AtMost(MAX_BATCH)]
