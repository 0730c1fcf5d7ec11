"""Who comes and who goes with the next epoch: votes, newcomers with their keys, wishes to leave.

The page lives as long as an epoch: with the next one all of it is said anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from keymoot.attest import simulated
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.forms import U16, AtMost
from keymoot.base.record import Record
from keymoot.committee.seat import Point, SessionKeys, VendorName
from keymoot.committee.seat_lists import BySeat, Seats
from keymoot.threshold.committee import MIN_SIZE

MAX_INVITED = 8
"""Newcomers that one seat invites in one epoch: so votes of liars stay bounded."""


@dataclass(frozen=True, slots=True)
class Newcomer(Record):
    """An enclave on its way to a seat.

    Attributes:
        identity: Ed25519: the key that was voted for.
        sealing: A point of secp256k1: its shares of the next epoch are encrypted to it.
        session: The keys of its present start.
        vendor: Who vouched for it, as its evidence was found to say.
    """

    identity: Bytes32
    sealing: Point
    session: SessionKeys
    vendor: VendorName = simulated.VENDOR


@dataclass(frozen=True, slots=True)
class MembershipRecord(Record):
    """The page.

    Attributes:
        invited: Which seats want an enclave to join, by its identity.
        unwanted: Which seats want a member to leave, by its seat.
        leaving: Who leaves, in the order in which that was settled.
        joining: Newcomers by the seats that they will have.
    """

    REMEMBERED = 64

    invited: Mapping[Bytes32, Seats] = field(default_factory=dict)
    unwanted: BySeat[Seats] = field(default_factory=dict)
    leaving: tuple[U16, ...] = ()
    joining: BySeat[Newcomer] = field(default_factory=dict)

    def next_seats(self, members: tuple[int, ...]) -> tuple[int, ...]:
        """Who wants to leave first leaves first, as long as a committee stays."""
        seats = {*members, *self.joining}
        for leaver in self.leaving:
            if len(seats) > MIN_SIZE:
                seats.discard(leaver)
        return tuple(sorted(seats))

    def without(self, seats: frozenset[int]) -> "MembershipRecord":
        """Give the page without some newcomers: to come again they must be voted for again."""
        gone = {self.joining[at].identity for at in seats if at in self.joining}
        return replace(
            self,
            invited={
                invited: votes for invited, votes in self.invited.items() if invited not in gone
            },
            joining={at: newcomer for at, newcomer in self.joining.items() if at not in seats},
        )


@dataclass(frozen=True, slots=True)
class JoinBody(Record):
    """What an enclave says that wants a seat: who it is, and evidence of what it runs."""

    newcomer: Newcomer
    evidence: Annotated[bytes, AtMost(MAX_EVIDENCE_BYTES)]

    def __post_init__(self) -> None:
        """Refuse a word about who vouches for it: the evidence has that."""
        if self.newcomer.vendor != simulated.VENDOR:
            raise Malformed("who vouches for a newcomer is read off its evidence", "newcomer")
