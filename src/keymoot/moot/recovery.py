"""A recovery order, as the block that holds it executes it.

n−f members say with which starts the ledger goes on, and from which certified block. All that
serves once is wiped. Where not all members hold the shares of their epoch yet, the epoch before
comes back: its shares are the ones that enough seats are sure to have.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.errors import NotSeated, Unwanted, WrongGeneration
from keymoot.moot.hall import Hall
from keymoot.moot.seat import Boot, Seat
from keymoot.moot.turning import Turning
from keymoot.threshold.committee import Committee

Ancestor: TypeAlias = Callable[[Height], Hash32 | None]
"""Gives the hash of an earlier block of this chain; None where it is not known any more."""


class Recovery:
    """Recoveries of a hall."""

    def __init__(self, hall: Hall, turning: Turning) -> None:
        """Work on `hall`."""
        self._hall = hall
        self._turning = turning

    def endorsers(self) -> Iterator[Mapping[int, Bytes32]]:
        """Give who may order a recovery: the members, and those before while they are needed.

        n−f of either are enough. Where many members changed at once, only those before can go
        back to their shares.
        """
        yield _identities(self._hall.seats())
        before = self._turning.before.seats()
        if before:
            yield _identities(before)

    def check(self, body: bytes) -> None:
        """Raise unless an order may be executed now.

        Raises:
            Malformed: not an order.
            NotSeated: too few signed, or it seats one that did not.
            WrongGeneration: it is of another network, or ends another generation.
        """
        # 1. Enough members say so.
        signed = self.check_endorsed(body)
        # 2. It ends the generation in which it is executed, so that it serves once.
        if signed.terms.previous != self._hall.head.generation:
            raise WrongGeneration

    def check_endorsed(self, body: bytes) -> SignedCertificate:
        """Read an order that enough members endorsed, whatever generation it ends.

        Raises:
            Malformed: not an order.
            NotSeated: too few signed, or it seats one that did not.
            WrongGeneration: it is of another network, or has been executed.
        """
        signed = SignedCertificate.decode(body)
        # 1. n−f members signed it, and it seats at least n−f, none but these.
        self._signed_by(signed)
        # 2. It is of this network, and no copy of the one that began this generation.
        terms = signed.terms
        if terms.network != self._hall.network or terms.digest() == self._hall.head.generation:
            raise WrongGeneration
        return signed

    def check_base(self, terms: Certificate, height: Height, ancestor: Ancestor) -> None:
        """Raise unless an order builds on a block of this very chain, below the one it is in.

        An order that was signed for another branch would else seat its starts on this one.

        Args:
            terms: Of the order.
            height: Of the block that holds it.
            ancestor: Hashes of earlier blocks.

        Raises:
            Unwanted: it does not.
        """
        if not terms.base < height:
            raise Unwanted("a recovery builds on a block before it")
        if terms.base < 1 or ancestor(terms.base) != terms.block:
            raise Unwanted(
                f"block {terms.base} of this chain is not the one that the recovery builds on"
            )

    def apply(self, signed: SignedCertificate, height: Height, time: UnixSeconds) -> None:
        """Seat the starts that an order names, and begin its generation.

        What serves once has been wiped.
        """
        hall, head, terms = self._hall, self._hall.head, signed.terms
        former = self._former(signed)
        hall.head = replace(
            head,
            generation=terms.digest(),
            recoveries=head.recoveries + 1,
            out=frozenset(),
            since=height,
        )
        if former is not None:
            self._turning.back(height, time, former)
            return
        for index, seat in hall.seats().items():
            hall.put_seat(index, replace(seat, boot=terms.boots.get(index), since=height))
        self._turning.abandon(height, time)

    def _former(self, signed: SignedCertificate) -> dict[int, Boot] | None:
        """Give the starts of members before, if enough are named to go back to their epoch.

        They sign the order's block, so enough of them must have old shares. A number may have
        been given anew: only whose identity had the seat then has shares of it.
        """
        kept = self._turning.before.page
        if kept is None:
            return None
        names, before = self._signed_by(signed), _identities(self._turning.before.seats())
        boots = signed.terms.boots
        former = {at: boots[at] for at in sorted(boots) if before.get(at) == names[at]}
        return former if len(former) > kept.committee.degree else None

    def _signed_by(self, signed: SignedCertificate) -> Mapping[int, Bytes32]:
        """Give the identities of the committee whose order it is.

        Raises:
            NotSeated: too few of any signed, or it seats one that did not.
        """
        refusal = NotSeated("nobody may order a recovery")
        for place, identities in enumerate(self.endorsers()):
            try:
                _check_signers(signed, identities)
            except NotSeated as error:
                refusal = refusal if place else error
            else:
                return identities
        raise refusal


def _check_signers(signed: SignedCertificate, identities: Mapping[int, Bytes32]) -> None:
    needed = Committee.among(identities).present
    signed.check(identities, needed)
    if len(signed.terms.boots) < needed:
        raise NotSeated(f"a recovery seats at least {needed} of the assembly")


def _identities(seats: Mapping[int, Seat]) -> dict[int, Bytes32]:
    return {index: seat.identity for index, seat in seats.items()}
