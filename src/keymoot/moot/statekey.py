"""The state key on the ledger: which it is, who has it, who asks for it, what is answered.

The network's state secret is a derived key (`threshold.derived`): what the root for
derivation gives for the purpose *state*, the network and a version. So no seat makes it up,
every seat comes to the same one, and whoever lost it gets it again. Purposes keep it apart
from the keys that accounts ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.crypto.keccak import keccak256
from keymoot.moot.pages import Pages
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.derived import Answer, AskerKey
from keymoot.threshold.session import framed

STATE = "state"
"""Name of the page."""

PURPOSE = "state"
"""Purpose of the state secret; no account can ask for a key of it."""

SIGNATURE_BYTES = 64
_ASK = b"keymoot/v1/state-ask"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the state key stands.

    Attributes:
        version: Which one it is; nothing raises it yet.
        since: The block in which it came to exist: n−f seats had it. 0 before.
        holders: Seats that have it sealed, as they say: of members, and of who is about to be one.
        asks: How many asks there were; the newest has this number.
        asked: Seats whose present start has asked in this epoch: it may once; a newcomer once
            in each attempt to end it.
    """

    version: int = 0
    since: Height = Height(0)
    holders: frozenset[int] = frozenset()
    asks: int = 0
    asked: frozenset[int] = frozenset()

    @property
    def exists(self) -> bool:
        """Whether confidential state may be used; once it may, it always may."""
        return self.since > 0

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.version),
                uint(self.since),
                _seats(self.holders),
                uint(self.asks),
                _seats(self.asked),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Standing":
        """Read the page.

        Raises:
            Malformed: not that.
        """
        version, since, holders, asks, asked = list_of(rlp.decode(raw), 5, "standing")
        return Standing(
            uint_of(version, "version", 4),
            Height(uint_of(since, "since", 8)),
            _read_seats(holders, "holders"),
            uint_of(asks, "asks", 8),
            _read_seats(asked, "asked"),
        )


@dataclass(frozen=True, slots=True)
class Ask:
    """The open ask of one seat.

    Attributes:
        number: Names it for those who answer: an answer to an older one blames nobody.
        to: The asker's one-time key.
        answers: Good answers by seat, as many as it takes.
        bad: Seats whose answer was bad; they are not heard again.
    """

    number: int
    to: AskerKey
    answers: Mapping[int, Answer] = field(default_factory=dict)
    bad: frozenset[int] = frozenset()

    def awaits(self, seat: int, need: int) -> bool:
        """Tell whether the answer of a seat is still wanted, where `need` are enough."""
        return len(self.answers) < need and seat not in self.answers and seat not in self.bad

    def encode(self) -> bytes:
        """Give the page."""
        answers: list[rlp.Item] = [
            [uint(seat), self.answers[seat].encode()] for seat in sorted(self.answers)
        ]
        return rlp.encode(
            [uint(self.number), self.to.first, self.to.second, answers, _seats(self.bad)]
        )

    @staticmethod
    def decode(raw: bytes) -> "Ask":
        """Read the page.

        Raises:
            Malformed: not an ask.
        """
        number, first, second, answers, bad = list_of(rlp.decode(raw), 5, "ask")
        found = {}
        for pair in _bounded(answers, "answers"):
            seat, answer = list_of(pair, 2, "answers")
            found[uint_of(seat, "seat", 2)] = Answer.decode(answer)
        return Ask(
            uint_of(number, "number", 8), _key(first, second), found, _read_seats(bad, "bad")
        )


_standing = lru_cache(maxsize=64)(Standing.decode)
"""Decoding is pure, and the page is read far more often than it changes."""


def standing_in(pages: Pages) -> Standing:
    """Give how the state key stands."""
    raw = pages.get(STATE)
    return Standing() if raw is None else _standing(raw)


def state_input(network: NetworkId, version: int) -> bytes:
    """Give the input from which a network's state secret is derived."""
    return derived.input_of(PURPOSE, network, version.to_bytes(4, "big"))


def state_secret(point: Secret) -> Secret:
    """Give the state secret, 32 bytes, from the point that answers combine to."""
    return derived.key_of(point, PURPOSE)


def ask_digest(
    network: NetworkId,
    generation: Hash32,
    seat: int,
    boot: Bytes32,
    when: tuple[int, int],
    to: AskerKey,
) -> Hash32:
    """Give what the identity of an asking seat signs.

    A key of boot alone does not do: a recovery may seat one that no enclave made, but an
    identity never leaves its enclave.

    Args:
        network: The network's id.
        generation: The present one.
        seat: Who asks.
        boot: Signing key of its present start.
        when: The living epoch, of whose shares answers are made, and the attempt to end it.
        to: The one-time key.
    """
    epoch, attempt = when
    place = (seat.to_bytes(2, "big"), bytes(boot))
    times = (epoch.to_bytes(8, "big"), attempt.to_bytes(4, "big"))
    return keccak256(framed(_ASK, network, generation, *place, *times, to.first, to.second))


def write_ask(when: tuple[int, int], to: AskerKey, signature: bytes) -> bytes:
    """Write an ask: epoch and attempt, the one-time key, the identity's signature."""
    epoch, attempt = when
    return rlp.encode([uint(epoch), uint(attempt), to.first, to.second, signature])


def read_ask(body: bytes) -> tuple[tuple[int, int], AskerKey, bytes]:
    """Read an ask.

    Raises:
        Malformed: not one.
    """
    epoch, attempt, first, second, signature = list_of(rlp.decode(body), 5, "ask")
    when = uint_of(epoch, "epoch", 8), uint_of(attempt, "attempt", 4)
    to = _key(first, second)
    return when, to, bytes_of(signature, "signature", SIGNATURE_BYTES)


def write_answer(asker: int, number: int, answer: Answer) -> bytes:
    """Write an answer: to whom, to which ask."""
    return rlp.encode([uint(asker), uint(number), answer.encode()])


def read_answer(body: bytes) -> tuple[int, int, Answer]:
    """Read an answer.

    Raises:
        Malformed: not one.
    """
    asker, number, answer = list_of(rlp.decode(body), 3, "answer")
    return uint_of(asker, "asker", 2), uint_of(number, "number", 8), Answer.decode(answer)


def write_held(version: int) -> bytes:
    """Write that a seat has the secret sealed."""
    return rlp.encode([uint(version)])


def read_held(body: bytes) -> int:
    """Read which version of the secret a seat has sealed.

    Raises:
        Malformed: not that.
    """
    (version,) = list_of(rlp.decode(body), 1, "held")
    return uint_of(version, "version", 4)


def _key(first: rlp.Decoded, second: rlp.Decoded) -> AskerKey:
    return AskerKey(
        bytes_of(first, "first", G1.POINT_BYTES), bytes_of(second, "second", G2.POINT_BYTES)
    )


def _seats(seats: frozenset[int]) -> rlp.Item:
    return [uint(seat) for seat in sorted(seats)]


def _read_seats(item: rlp.Decoded, path: str) -> frozenset[int]:
    return frozenset(uint_of(seat, path, 2) for seat in _bounded(item, path))


def _bounded(item: rlp.Decoded, path: str) -> list[rlp.Decoded]:
    found = list_of(item, None, path)
    if len(found) > MAX_SIZE:
        raise Malformed(f"at most {MAX_SIZE} seats", path)
    return found
