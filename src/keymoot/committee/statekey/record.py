"""The state key on the ledger: which it is, who has it, who asks for it, what is answered.

The network's state secret is a derived key (`threshold.derived`): what the root for
derivation gives for the purpose *state*, the network and a version. So no seat makes it up,
every seat comes to the same one, and whoever lost it gets it again. Purposes keep it apart
from the keys that accounts ask for.
"""

from dataclasses import dataclass, field
from typing import Annotated

from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.forms import U16, U32, U64, AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.seat_lists import BySeat, Seats
from keymoot.crypto.ed25519 import SIGNATURE_BYTES
from keymoot.crypto.keccak import keccak256
from keymoot.store.keys import FIRST_NAME, Former
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.session import framed

PURPOSE = "state"
"""Purpose of the state secret; no account can ask for a key of it."""

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


@dataclass(frozen=True, slots=True)
class FormerVersions(Record):
    """The versions before the present one, version 0 first."""

    BARE = True
    REMEMBERED = 16

    versions: tuple[Former, ...] = ()


def state_input(network: NetworkId, version: int, name: Bytes32 = FIRST_NAME) -> bytes:
    return derived.input_of(PURPOSE, network, version.to_bytes(4, "big"), name)


def state_secret(point: Secret) -> Secret:
    return derived.key_of(point, PURPOSE)


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


@dataclass(frozen=True, slots=True)
class AskBody(Record):
    """What a seat says that has no state secret.

    Attributes:
        epoch: The living epoch, of whose shares answers are made.
        attempt: To end it.
        name: Of the version.
        first: The one-time key, in G1.
        second: The same in G2.
        signature: By the identity, over `ask_digest`.
    """

    epoch: U64
    attempt: U32
    name: Bytes32
    first: Annotated[bytes, AtMost(G1.POINT_BYTES)]
    second: Annotated[bytes, AtMost(G2.POINT_BYTES)]
    signature: Annotated[bytes, AtMost(SIGNATURE_BYTES)]

    @property
    def when(self) -> tuple[int, int]:
        return self.epoch, self.attempt

    @property
    def to(self) -> AskerKey:
        return AskerKey(self.first, self.second)


@dataclass(frozen=True, slots=True)
class AnswerBody(Record):
    """One seat's part of a version, for the seat that asked; `number` names the ask."""

    name: Bytes32
    asker: U16
    number: U64
    answer: DerivationShare


@dataclass(frozen=True, slots=True)
class HeldBody(Record):
    """This seat has the version of that name sealed."""

    name: Bytes32
