"""Who comes and who goes with the next epoch: votes, newcomers with their keys, wishes to leave.

The page lives as long as an epoch: with the next one all of it is said anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, fixed_of, list_of, rising, uint, uint_of
from keymoot.base.fixed import Bytes32
from keymoot.moot.seat import POINT_BYTES, Boot
from keymoot.moot.seat_lists import item_of_pairs, item_of_seats, pairs_of, seats_of
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
                [[one, item_of_seats(self.invited[one])] for one in sorted(self.invited)],
                item_of_pairs({at: item_of_seats(one) for at, one in self.unwanted.items()}),
                [uint(seat) for seat in self.leaving],
                item_of_pairs({at: one.encode() for at, one in self.joining.items()}),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Admission":
        """Read the page.

        Raises:
            Malformed: not an admission.
        """
        fields = list_of(rlp.decode(raw), 4, "admission")
        votes = [list_of(pair, 2, "invited") for pair in list_of(fields[0], None, "invited")]
        invited = [fixed_of(identity, Bytes32, "identity") for identity, _ in votes]
        rising(invited, "invited")
        unwanted = pairs_of(fields[1], "unwanted")
        joining = pairs_of(fields[3], "joining")
        return Admission(
            {
                one: seats_of(seats, "invited")
                for one, (_, seats) in zip(invited, votes, strict=True)
            },
            {at: seats_of(seats, "unwanted") for at, seats in unwanted.items()},
            tuple(uint_of(seat, "seat", 2) for seat in list_of(fields[2], None, "leaving")),
            {at: Newcomer.decode(one) for at, one in joining.items()},
        )

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


def write_join(newcomer: Newcomer) -> bytes:
    """Write what a newcomer asks with."""
    return rlp.encode(newcomer.encode())


def read_join(content: bytes) -> Newcomer:
    """Read what a newcomer asks with.

    Raises:
        Malformed: not that.
    """
    return Newcomer.decode(rlp.decode(content))
