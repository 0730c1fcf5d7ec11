"""What server and enclave say to each other: RLP over a socket pair, length first.

frame   = length (4 bytes) ‖ rlp([id, word, body])
answer  = length (4 bytes) ‖ rlp([id, "ok", body])  or  rlp([id, CODE, message])
"""

from dataclasses import dataclass
from typing import Annotated, Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint_of
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.forms import ANY_ITEM, U64, AtMost, Check, Uint
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.committee.seat import POINT_BYTES, SessionKeys
from keymoot.enclave.answer import RequestAnswer
from keymoot.runtime.outcome import MAX_OUTCOME_BYTES
from keymoot.threshold.committee import MAX_SIZE

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 67_108_864
"""Longest frame to an enclave: a witness of all pages is far smaller."""

MAX_OUTCOMES_BYTES = MAX_OUTCOME_BYTES + 65_536
"""Outcomes that leave at once: the longest fits, and short ones together."""

MAX_ANSWER_BYTES = MAX_OUTCOMES_BYTES + MAX_FRAME_BYTES
"""Longest frame from an enclave: outcomes, and answers beside them."""

MAX_BATCH = 256
"""Requests answered at once."""

HELLO, JOIN, ENDORSE = "hello", "join", "endorse"
PULSE, TURN, ADMIT, PART, STORED = "pulse", "turn", "admit", "part", "stored"
OK = "ok"

SEND = "say"
"""Word of a frame that nobody asked for, numbered 0: a message that the node is to post."""


@dataclass(frozen=True, slots=True)
class EnclaveGreeting(Record):
    """Who an enclave is.

    Attributes:
        network: Empty until it has joined one.
        quote: Evidence that this code holds these keys.
        sealing: Point to which root dealings are encrypted.
        session: The keys of this start.
    """

    identity_key: Bytes32
    measurement: Measurement
    simulated: bool
    network: Annotated[bytes, AtMost(32)]
    quote: bytes
    sealing: Annotated[bytes, AtMost(POINT_BYTES)]
    session: SessionKeys


def _check_seat(number: int) -> None:
    if number > MAX_SIZE:
        raise Malformed(f"seats have numbers up to {MAX_SIZE}, got {number}")


@dataclass(frozen=True, slots=True)
class JoinFrame(Record):
    """What an enclave joins: a genesis, and the seat that it has or wants; 0: as listed."""

    genesis: bytes
    seat: Annotated[int, Uint(1), Check(_check_seat)]


@dataclass(frozen=True, slots=True)
class AnswersFrame(Record):
    """What several requests get."""

    BARE = True

    answers: tuple[RequestAnswer, ...]


@dataclass(frozen=True, slots=True)
class ToldFrame(Record):
    """A yes or a no."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Frame(Record):
    """One frame: its number, its word, and a body whose form the word tells."""

    MAX_ITEMS = MAX_ANSWER_BYTES

    number: U64
    word: Annotated[str, AtMost(64)]
    body: Annotated[Any, ANY_ITEM]


def frame(number: int, word: str, body: rlp.Item) -> bytes:
    payload = Frame(number, word, body).encode()
    if len(payload) > MAX_ANSWER_BYTES:
        raise Malformed(f"a frame has at most {MAX_ANSWER_BYTES} bytes, got {len(payload)}")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def parse(payload: bytes) -> tuple[int, str, rlp.Decoded]:
    """Read one frame's payload: its number, its word, its body."""
    told = Frame.decode(payload)
    return told.number, told.word, told.body


def read_stored(item: rlp.Decoded) -> Height:
    return Height(uint_of(item, "height", 8))
