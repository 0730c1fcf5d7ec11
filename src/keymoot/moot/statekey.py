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
from keymoot.base.fields import bytes_of, fixed_of, flag_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.crypto.keccak import keccak256
from keymoot.moot.pages import Pages
from keymoot.moot.seat_lists import item_of_pairs, item_of_seats, pairs_of, seats_of
from keymoot.store.keys import FIRST_NAME, WRAPPED_BYTES, Former, Version
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.derived import Answer, AskerKey
from keymoot.threshold.session import framed

STATE = "state"
"""Name of the page of the present version."""

COMING = "state/coming"
"""Name of the page of the version that is to come; there is none while nobody has to be shut out."""

FORMER = "state/former"
"""Name of the page of the versions before it."""

PURPOSE = "state"
"""Purpose of the state secret; no account can ask for a key of it."""

SIGNATURE_BYTES = 64
_ASK = b"keymoot/v1/state-ask"
_VERSION = b"keymoot/v1/state-version"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the state key stands.

    Attributes:
        version: How often it was raised.
        name: Of this version; no other secret of the network has it, on whichever branch.
        since: The block in which it came to exist: n−f seats had it. 0 before.
        holders: Seats that have it sealed, as they say: of members, and of who is about to be one.
        asks: How many asks there were; the newest has this number.
        asked: Seats whose present start has asked in this epoch: it may once; a newcomer once
            in each attempt to end it.
        told: Seats that have ever asked for it.
        exposed: Whether it may be known to somebody who has no seat any more.
    """

    version: int = 0
    name: Bytes32 = FIRST_NAME
    since: Height = Height(0)
    holders: frozenset[int] = frozenset()
    asks: int = 0
    asked: frozenset[int] = frozenset()
    told: frozenset[int] = frozenset()
    exposed: bool = False

    @property
    def exists(self) -> bool:
        """Whether confidential state may be used; once it may, it always may."""
        return self.since > 0

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.version),
                self.name,
                uint(self.since),
                item_of_seats(self.holders),
                uint(self.asks),
                item_of_seats(self.asked),
                item_of_seats(self.told),
                uint(self.exposed),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Standing":
        """Read the page.

        Raises:
            Malformed: not that.
        """
        fields = list_of(rlp.decode(raw), 8, "standing")
        version, name, since, holders, asks, asked, told, exposed = fields
        return Standing(
            uint_of(version, "version", 4),
            fixed_of(name, Bytes32, "name"),
            Height(uint_of(since, "since", 8)),
            seats_of(holders, "holders", MAX_SIZE),
            uint_of(asks, "asks", 8),
            seats_of(asked, "asked", MAX_SIZE),
            seats_of(told, "told", MAX_SIZE),
            flag_of(exposed, "exposed"),
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
        answers = item_of_pairs({seat: one.encode() for seat, one in self.answers.items()})
        return rlp.encode(
            [uint(self.number), self.to.first, self.to.second, answers, item_of_seats(self.bad)]
        )

    @staticmethod
    def decode(raw: bytes) -> "Ask":
        """Read the page.

        Raises:
            Malformed: not an ask.
        """
        number, first, second, answers, bad = list_of(rlp.decode(raw), 5, "ask")
        given = pairs_of(answers, "answers", MAX_SIZE)
        found = {seat: Answer.decode(answer) for seat, answer in given.items()}
        return Ask(
            uint_of(number, "number", 8), _key(first, second), found, seats_of(bad, "bad", MAX_SIZE)
        )


_standing = lru_cache(maxsize=64)(Standing.decode)
"""Decoding is pure, and the page is read far more often than it changes."""


def standing_in(pages: Pages) -> Standing:
    """Give how the present version of the state key stands."""
    return standing_on(pages, STATE)


def standing_on(pages: Pages, page: str) -> Standing:
    """Give how the version stands that has a page."""
    raw = pages.get(page)
    return Standing() if raw is None else _standing(raw)


def former_in(pages: Pages) -> tuple[Former, ...]:
    """Give the versions before the present one, version 0 first."""
    raw = pages.get(FORMER)
    return () if raw is None else _former(raw)


def version_in(pages: Pages) -> Version:
    """Give which state secret the next block uses."""
    return Version(standing_in(pages).name, former_in(pages))


def write_former(former: tuple[Former, ...]) -> bytes:
    """Write the page of the versions before."""
    return rlp.encode([[one.name, one.wrapped] for one in former])


def _read_former(raw: bytes) -> tuple[Former, ...]:
    found = []
    for item in list_of(rlp.decode(raw), None, "former"):
        name, wrapped = list_of(item, 2, "former")
        sealed = bytes_of(wrapped, "wrapped")
        if len(sealed) not in (0, WRAPPED_BYTES):
            raise Malformed(f"a wrapped secret has {WRAPPED_BYTES} bytes", "wrapped")
        found.append(Former(fixed_of(name, Bytes32, "name"), sealed))
    return tuple(found)


_former = lru_cache(maxsize=16)(_read_former)


def state_input(network: NetworkId, version: int, name: Bytes32 = FIRST_NAME) -> bytes:
    """Give the input from which a version of a network's state secret is derived."""
    return derived.input_of(PURPOSE, network, version.to_bytes(4, "big"), name)


def state_secret(point: Secret) -> Secret:
    """Give the state secret, 32 bytes, from the point that answers combine to."""
    return derived.key_of(point, PURPOSE)


def page_of(page: str, seat: int) -> str:
    """Name the page of a seat's open ask for the version that has a page."""
    return f"{page}/ask/{seat}"


def next_name(network: NetworkId, version: int, generation: Hash32, epoch: int) -> Bytes32:
    """Name a version, for good and on all branches.

    In one epoch of one generation a version is begun once, and asked for by its members only. So
    a recovery that undoes this gathers another secret, whatever the version's number is.
    """
    place = (version.to_bytes(4, "big"), generation, epoch.to_bytes(8, "big"))
    return Bytes32(keccak256(framed(_VERSION, network, *place)))


def ask_digest(
    network: NetworkId,
    generation: Hash32,
    place: tuple[int, Bytes32],
    when: tuple[int, int],
    name: Bytes32,
    to: AskerKey,
) -> Hash32:
    """Give what the identity of an asking seat signs.

    A key of boot alone does not do: a recovery may seat one that no enclave made, but an
    identity never leaves its enclave.

    Args:
        network: The network's id.
        generation: The present one.
        place: The asking seat, and the signing key of its present start.
        when: The living epoch, of whose shares answers are made, and the attempt to end it.
        name: Of the version.
        to: The one-time key.
    """
    (seat, boot), (epoch, attempt) = place, when
    who = (seat.to_bytes(2, "big"), bytes(boot))
    times = (epoch.to_bytes(8, "big"), attempt.to_bytes(4, "big"))
    return keccak256(framed(_ASK, network, generation, *who, *times, name, to.first, to.second))


def write_ask(when: tuple[int, int], name: Bytes32, to: AskerKey, signature: bytes) -> bytes:
    """Write an ask: epoch and attempt, the version, the one-time key, the identity's signature."""
    epoch, attempt = when
    return rlp.encode([uint(epoch), uint(attempt), name, to.first, to.second, signature])


def read_ask(body: bytes) -> tuple[tuple[int, int], Bytes32, AskerKey, bytes]:
    """Read an ask.

    Raises:
        Malformed: not one.
    """
    epoch, attempt, name, first, second, signature = list_of(rlp.decode(body), 6, "ask")
    when = uint_of(epoch, "epoch", 8), uint_of(attempt, "attempt", 4)
    to = _key(first, second)
    version = fixed_of(name, Bytes32, "name")
    return when, version, to, bytes_of(signature, "signature", SIGNATURE_BYTES)


def write_answer(name: Bytes32, asker: int, number: int, answer: Answer) -> bytes:
    """Write an answer: of which version, to whom, to which ask."""
    return rlp.encode([name, uint(asker), uint(number), answer.encode()])


def read_answer(body: bytes) -> tuple[Bytes32, int, int, Answer]:
    """Read an answer.

    Raises:
        Malformed: not one.
    """
    name, asker, number, answer = list_of(rlp.decode(body), 4, "answer")
    return (
        fixed_of(name, Bytes32, "name"),
        uint_of(asker, "asker", 2),
        uint_of(number, "number", 8),
        Answer.decode(answer),
    )


def write_held(name: Bytes32) -> bytes:
    """Write that a seat has the secret of a version sealed."""
    return rlp.encode([name])


def read_held(body: bytes) -> Bytes32:
    """Read which version of the secret a seat has sealed.

    Raises:
        Malformed: not that.
    """
    (name,) = list_of(rlp.decode(body), 1, "held")
    return fixed_of(name, Bytes32, "name")


def _key(first: rlp.Decoded, second: rlp.Decoded) -> AskerKey:
    return AskerKey(
        bytes_of(first, "first", G1.POINT_BYTES), bytes_of(second, "second", G2.POINT_BYTES)
    )
