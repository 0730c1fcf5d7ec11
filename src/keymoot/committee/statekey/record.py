"""The state key on the ledger: which it is, who has it, who asks for it, what is answered.

The network's state secret is a derived key (`threshold.derived`): what the root for
derivation gives for the purpose *state*, the network and a version. So no seat makes it up,
every seat comes to the same one, and whoever lost it gets it again. Purposes keep it apart
from the keys that accounts ask for.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.forms import U32, U64, AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.pages import Pages
from keymoot.committee.seat_lists import BySeat, Seats
from keymoot.crypto.keccak import keccak256
from keymoot.store.keys import FIRST_NAME, WRAPPED_BYTES, Former, Version
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.session import framed

STATE = "state"
"""Name of the page of the present version."""

COMING = "state/coming"
"""Name of the page of the version that is to come.

There is none while nobody has to be shut out.
"""

FORMER = "state/former"
"""Name of the page of the versions before it."""

PURPOSE = "state"
"""Purpose of the state secret; no account can ask for a key of it."""

SIGNATURE_BYTES = 64
_ASK = b"keymoot/v1/state-ask"
_VERSION = b"keymoot/v1/state-version"


@dataclass(frozen=True, slots=True)
class StateKeyStatus(Record):
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

    REMEMBERED = 64

    version: U32 = 0
    name: Bytes32 = FIRST_NAME
    since: Height = Height(0)
    holders: Annotated[Seats, AtMost(MAX_SIZE)] = frozenset()
    asks: U64 = 0
    asked: Annotated[Seats, AtMost(MAX_SIZE)] = frozenset()
    told: Annotated[Seats, AtMost(MAX_SIZE)] = frozenset()
    exposed: bool = False

    @property
    def exists(self) -> bool:
        """Whether confidential state may be used; once it may, it always may."""
        return self.since > 0


@dataclass(frozen=True, slots=True)
class Ask(Record):
    """The open ask of one seat.

    Attributes:
        number: Names it for those who answer: an answer to an older one blames nobody.
        first: The asker's one-time key, in G1.
        second: The same in G2.
        answers: Good answers by seat, as many as it takes.
        bad: Seats whose answer was bad; they are not heard again.
    """

    REMEMBERED = 256

    number: U64
    first: Annotated[bytes, AtMost(G1.POINT_BYTES)]
    second: Annotated[bytes, AtMost(G2.POINT_BYTES)]
    answers: Annotated[BySeat[DerivationShare], AtMost(MAX_SIZE)] = field(default_factory=dict)
    bad: Annotated[Seats, AtMost(MAX_SIZE)] = frozenset()

    @property
    def to(self) -> AskerKey:
        return AskerKey(self.first, self.second)

    def awaits(self, seat: int, need: int) -> bool:
        """Tell whether the answer of a seat is still wanted, where `need` are enough."""
        return len(self.answers) < need and seat not in self.answers and seat not in self.bad


def status_in(pages: Pages) -> StateKeyStatus:
    return status_on(pages, STATE)


def status_on(pages: Pages, page: str) -> StateKeyStatus:
    raw = pages.get(page)
    return StateKeyStatus() if raw is None else StateKeyStatus.decode(raw)


def former_in(pages: Pages) -> tuple[Former, ...]:
    """Version 0 first."""
    raw = pages.get(FORMER)
    return () if raw is None else _former(raw)


def version_in(pages: Pages) -> Version:
    """Give which state secret the next block uses."""
    return Version(status_in(pages).name, former_in(pages))


def write_former(former: tuple[Former, ...]) -> bytes:
    return rlp.encode([[version.name, version.wrapped] for version in former])


def _read_former(raw: bytes) -> tuple[Former, ...]:
    versions = []
    for item in list_of(rlp.decode(raw), None, "former"):
        name, wrapped = list_of(item, 2, "former")
        sealed = bytes_of(wrapped, "wrapped")
        if len(sealed) not in (0, WRAPPED_BYTES):
            raise Malformed(f"a wrapped secret has {WRAPPED_BYTES} bytes", "wrapped")
        versions.append(Former(fixed_of(name, Bytes32, "name"), sealed))
    return tuple(versions)


_former = lru_cache(maxsize=16)(_read_former)


def state_input(network: NetworkId, version: int, name: Bytes32 = FIRST_NAME) -> bytes:
    return derived.input_of(PURPOSE, network, version.to_bytes(4, "big"), name)


def state_secret(point: Secret) -> Secret:
    return derived.key_of(point, PURPOSE)


def page_of(page: str, seat: int) -> str:
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
    """What the identity of an asking seat signs.

    A session key alone does not do: a recovery may seat one that no enclave made, but an
    identity never leaves its enclave.

    Args:
        network: The network's id.
        generation: The present one.
        place: The asking seat, and the signing key of its present start.
        when: The living epoch, of whose shares answers are made, and the attempt to end it.
        name: Of the version.
        to: The one-time key.
    """
    (seat, session), (epoch, attempt) = place, when
    who = (seat.to_bytes(2, "big"), bytes(session))
    times = (epoch.to_bytes(8, "big"), attempt.to_bytes(4, "big"))
    return keccak256(framed(_ASK, network, generation, *who, *times, name, to.first, to.second))


def write_ask(when: tuple[int, int], name: Bytes32, to: AskerKey, signature: bytes) -> bytes:
    epoch, attempt = when
    return rlp.encode([uint(epoch), uint(attempt), name, to.first, to.second, signature])


def read_ask(body: bytes) -> tuple[tuple[int, int], Bytes32, AskerKey, bytes]:
    epoch, attempt, name, first, second, signature = list_of(rlp.decode(body), 6, "ask")
    when = uint_of(epoch, "epoch", 8), uint_of(attempt, "attempt", 4)
    to = _key(first, second)
    version = fixed_of(name, Bytes32, "name")
    return when, version, to, bytes_of(signature, "signature", SIGNATURE_BYTES)


def write_answer(name: Bytes32, asker: int, number: int, answer: DerivationShare) -> bytes:
    return rlp.encode([name, uint(asker), uint(number), answer.item()])


def read_answer(body: bytes) -> tuple[Bytes32, int, int, DerivationShare]:
    name, asker, number, answer = list_of(rlp.decode(body), 4, "answer")
    return (
        fixed_of(name, Bytes32, "name"),
        uint_of(asker, "asker", 2),
        uint_of(number, "number", 8),
        DerivationShare.of_item(answer),
    )


def write_held(name: Bytes32) -> bytes:
    return rlp.encode([name])


def read_held(body: bytes) -> Bytes32:
    (name,) = list_of(rlp.decode(body), 1, "held")
    return fixed_of(name, Bytes32, "name")


def _key(first: rlp.Decoded, second: rlp.Decoded) -> AskerKey:
    return AskerKey(
        bytes_of(first, "first", G1.POINT_BYTES), bytes_of(second, "second", G2.POINT_BYTES)
    )
