"""What server and enclave say to each other: RLP over a socket pair, length first.

frame   = length (4 bytes) ‖ rlp([id, word, body])
answer  = length (4 bytes) ‖ rlp([id, "ok", body])  or  rlp([id, CODE, message])
"""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, Measurement
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.moot.seat import POINT_BYTES, Boot
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

SAY = "say"
"""Word of a frame that nobody asked for, numbered 0: a message that the node is to post."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an enclave is.

    Attributes:
        network: Empty until it has joined one.
        quote: Evidence that this code holds these keys.
        sealing: Point to which root dealings are encrypted.
        boot: The keys of this start.
    """

    identity_key: Bytes32
    measurement: Measurement
    simulated: bool
    network: bytes
    quote: bytes
    sealing: bytes
    boot: Boot

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [
            self.identity_key,
            self.measurement,
            uint(self.simulated),
            self.network,
            self.quote,
            self.sealing,
            self.boot.encode(),
        ]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Identity":
        """Read the RLP item."""
        fields = list_of(item, 7, "identity")
        return Identity(
            identity_key=fixed_of(fields[0], Bytes32, "identityKey"),
            measurement=fixed_of(fields[1], Measurement, "measurement"),
            simulated=flag_of(fields[2], "simulated"),
            network=bytes_of(fields[3], "network", 32),
            quote=bytes_of(fields[4], "quote"),
            sealing=bytes_of(fields[5], "sealing", POINT_BYTES),
            boot=Boot.decode(fields[6]),
        )


def frame(number: int, word: str, body: rlp.Item) -> bytes:
    """Write one frame."""
    payload = rlp.encode([uint(number), word.encode(), body])
    if len(payload) > MAX_ANSWER_BYTES:
        raise Malformed(f"a frame has at most {MAX_ANSWER_BYTES} bytes, got {len(payload)}")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def parse(payload: bytes) -> tuple[int, str, rlp.Decoded]:
    """Read one frame's payload: its number, its word, its body.

    Raises:
        Malformed: not a frame.
    """
    number, word, body = list_of(rlp.decode(payload, max_items=len(payload)), 3, "frame")
    return uint_of(number, "number", 8), text_of(word, "word", 64), body


def join_item(genesis: bytes, seat: int) -> rlp.Item:
    """Write what an enclave joins: a genesis, and the seat that it has or wants; 0: as listed."""
    return [genesis, uint(seat)]


def read_join(item: rlp.Decoded) -> tuple[bytes, int]:
    """Read what an enclave joins.

    Raises:
        Malformed: not that, or no seat's number.
    """
    genesis, seat = list_of(item, 2, "join")
    number = uint_of(seat, "seat", 1)
    if number > MAX_SIZE:
        raise Malformed(f"seats have numbers up to {MAX_SIZE}, got {number}", "seat")
    return bytes_of(genesis, "genesis"), number


def read_stored(item: rlp.Decoded) -> Height:
    """Read the height of a block that is certified and on the host's disk.

    Raises:
        Malformed: not that.
    """
    return Height(uint_of(item, "height", 8))


def answers_item(answers: list[Answer]) -> rlp.Item:
    """Write answers."""
    return [
        [one.request, one.sealed, one.signature, one.code.encode(), one.message.encode()]
        for one in answers
    ]


def read_answers(item: rlp.Decoded) -> list[Answer]:
    """Read answers.

    Raises:
        Malformed: not answers.
    """
    found = []
    for one in list_of(item, None, "answers"):
        fields = list_of(one, 5, "answer")
        found.append(
            Answer(
                fixed_of(fields[0], Hash32, "request"),
                bytes_of(fields[1], "sealed"),
                bytes_of(fields[2], "signature"),
                text_of(fields[3], "code", 64),
                text_of(fields[4], "message", 4096),
            )
        )
    return found
