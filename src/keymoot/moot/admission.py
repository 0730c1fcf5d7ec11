"""Who comes and who goes with the next epoch: votes, newcomers with their keys, wishes to leave.

The page lives as long as an epoch: with the next one all of it is said anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from keymoot.attest.evidence import MAX_EVIDENCE_BYTES
from keymoot.base import rlp
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32
from keymoot.moot.seat import POINT_BYTES, Boot
from keymoot.threshold.committee import MIN_SIZE
from keymoot.threshold.secp256k1 import SECP256K1

MAX_INVITED = 8
"""Newcomers that one seat invites in one epoch: so votes of liars stay bounded."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An enclave on its way to a seat.

    Attributes:
        identity: Ed25519: the key that was voted for.
        sealing: A point of secp256k1: its shares of the next epoch are encrypted to it.
        boot: The keys of its present start.
    """

    identity: Bytes32
    sealing: bytes
    boot: Boot

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [self.identity, self.sealing, self.boot.encode()]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Newcomer":
        """Read the RLP item.

        Raises:
            Malformed: not a newcomer.
        """
        identity, sealing, boot = list_of(item, 3, "newcomer")
        point = bytes_of(sealing, "sealing", POINT_BYTES)
        SECP256K1.decode(point)
        return Newcomer(
            fixed_of(identity, Bytes32, "identity"),
            point,
            Boot.decode(boot),
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """The page.

    Attributes:
        invited: Which seats want an enclave to join, by its identity.
        unwanted: Which seats want a member to leave, by its seat.
        leaving: Who leaves, in the order in which that was settled.
        joining: Newcomers by the seats that they will have.
    """

    invited: Mapping[Bytes32, frozenset[int]] = field(default_factory=dict)
    unwanted: Mapping[int, frozenset[int]] = field(default_factory=dict)
    leaving: tuple[int, ...] = ()
    joining: Mapping[int, Newcomer] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                [[one, _seats(self.invited[one])] for one in sorted(self.invited)],
                [[uint(one), _seats(self.unwanted[one])] for one in sorted(self.unwanted)],
                [uint(seat) for seat in self.leaving],
                [[uint(at), self.joining[at].encode()] for at in sorted(self.joining)],
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Admission":
        """Read the page.

        Raises:
            Malformed: not an admission.
        """
        fields = list_of(rlp.decode(raw), 4, "admission")
        invited, unwanted, joining = {}, {}, {}
        for pair in list_of(fields[0], None, "invited"):
            identity, seats = list_of(pair, 2, "invited")
            invited[fixed_of(identity, Bytes32, "identity")] = frozenset(_read_seats(seats))
        for pair in list_of(fields[1], None, "unwanted"):
            seat, seats = list_of(pair, 2, "unwanted")
            unwanted[uint_of(seat, "seat", 1)] = frozenset(_read_seats(seats))
        for pair in list_of(fields[3], None, "joining"):
            seat, newcomer = list_of(pair, 2, "joining")
            joining[uint_of(seat, "seat", 1)] = Newcomer.decode(newcomer)
        return Admission(invited, unwanted, _read_seats(fields[2]), joining)

    def next_seats(self, members: tuple[int, ...]) -> tuple[int, ...]:
        """Give the seats of the next epoch.

        Who wants to leave first leaves first, as long as a committee stays.
        """
        seats = {*members, *self.joining}
        for leaver in self.leaving:
            if len(seats) > MIN_SIZE:
                seats.discard(leaver)
        return tuple(sorted(seats))

    def without(self, seats: frozenset[int]) -> "Admission":
        """Give the page without some newcomers: to come again they must be voted for again."""
        gone = {self.joining[at].identity for at in seats if at in self.joining}
        return replace(
            self,
            invited={one: votes for one, votes in self.invited.items() if one not in gone},
            joining={at: one for at, one in self.joining.items() if at not in seats},
        )


def write_join(newcomer: Newcomer, evidence: bytes) -> bytes:
    """Write what a newcomer asks with: its keys, and evidence of what holds them."""
    return rlp.encode([newcomer.encode(), evidence])


def read_join(content: bytes) -> tuple[Newcomer, bytes]:
    """Read what a newcomer asks with.

    Raises:
        Malformed: not that.
    """
    newcomer, evidence = list_of(rlp.decode(content), 2, "join")
    return Newcomer.decode(newcomer), bytes_of(evidence, "evidence", MAX_EVIDENCE_BYTES)


def _seats(seats: frozenset[int]) -> rlp.Item:
    return [uint(seat) for seat in sorted(seats)]


def _read_seats(item: rlp.Decoded) -> tuple[int, ...]:
    return tuple(uint_of(seat, "seat", 1) for seat in list_of(item, None, "seats"))
