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
from keymoot.committee.errors import NotSeated, Unwanted, WrongGeneration
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.reshare.ledger import EpochTransitions
from keymoot.committee.seat import Seat, SessionKeys
from keymoot.committee.state import CommitteeState
from keymoot.threshold.committee import Committee

Ancestor: TypeAlias = Callable[[Height], Hash32 | None]
"""Gives the hash of an earlier block of this chain; None where it is not known any more."""


class RecoveryLedger:
    """Recoveries of a state."""

    def __init__(self, state: CommitteeState, epochs: EpochTransitions) -> None:
        self._state = state
        self._epochs = epochs

    def endorsers(self) -> Iterator[Mapping[int, Bytes32]]:
        """Give who may order a recovery: the members, and those before while they are needed.

        n−f of either are enough. Where many members changed at once, only those before can go
        back to their shares.
        """
        yield _identities(self._state.seats())
        before = self._epochs.previous.seats()
        if before:
            yield _identities(before)

    def check(self, body: bytes) -> None:
        """Raise unless an order may be executed now, in the generation that it ends."""
        # 1. Enough members say so.
        signed = self.check_endorsed(body)
        # 2. It ends the generation in which it is executed, so that it serves once.
        if signed.terms.previous != self._state.record.generation:
            raise WrongGeneration

    def check_endorsed(self, body: bytes) -> SignedRecoveryOrder:
        """Read an order that enough members endorsed, whatever generation it ends.

        Raises:
            NotSeated: too few signed, or it seats one that did not.
            WrongGeneration: it is of another network, or has been executed.
        """
        signed = SignedRecoveryOrder.decode(body)
        # 1. n−f members signed it, and it seats at least n−f, none but these.
        self._signed_by(signed)
        # 2. It is of this network, and no copy of the one that began this generation.
        terms = signed.terms
        if terms.network != self._state.network or terms.digest() == self._state.record.generation:
            raise WrongGeneration
        return signed

    def check_base(self, terms: RecoveryOrder, height: Height, ancestor: Ancestor) -> None:
        """Raise Unwanted unless an order builds on a block of this chain, below the one it is in.

        An order that was signed for another branch would else seat its starts on this one.
        """
        if not terms.base < height:
            raise Unwanted("a recovery builds on a block before it")
        if terms.base < 1 or ancestor(terms.base) != terms.block:
            raise Unwanted(
                f"block {terms.base} of this chain is not the one that the recovery builds on"
            )

    def apply(self, signed: SignedRecoveryOrder, height: Height, time: UnixSeconds) -> None:
        """Seat the starts that an order names, and begin its generation.

        What serves once has been wiped.
        """
        state, record, terms = self._state, self._state.record, signed.terms
        former = self._former(signed)
        state.record = replace(
            record,
            generation=terms.digest(),
            recoveries=record.recoveries + 1,
            out=frozenset(),
            since=height,
        )
        if former is not None:
            self._epochs.back(height, time, former)
            return
        for index, seat in state.seats().items():
            state.put_seat(index, replace(seat, session=terms.sessions.get(index), since=height))
        self._epochs.abandon(height, time)

    def _former(self, signed: SignedRecoveryOrder) -> dict[int, SessionKeys] | None:
        """Give the starts of members before, if enough are named to go back to their epoch.

        They sign the order's block, so enough of them must have old shares. A number may have
        been given anew: only whose identity had the seat then has shares of it.
        """
        kept = self._epochs.previous.page
        if kept is None:
            return None
        names, before = self._signed_by(signed), _identities(self._epochs.previous.seats())
        sessions = signed.terms.sessions
        former = {at: sessions[at] for at in sorted(sessions) if before.get(at) == names[at]}
        return former if len(former) > kept.committee.degree else None

    def _signed_by(self, signed: SignedRecoveryOrder) -> Mapping[int, Bytes32]:
        """Identities of the committee whose order it is; NotSeated where it is nobody's."""
        refusal = NotSeated("nobody may order a recovery")
        for place, identities in enumerate(self.endorsers()):
            try:
                _check_signers(signed, identities)
            except NotSeated as error:
                refusal = refusal if place else error
            else:
                return identities
        raise refusal


def _check_signers(signed: SignedRecoveryOrder, identities: Mapping[int, Bytes32]) -> None:
    needed = Committee.among(identities).present
    signed.check(identities, needed)
    if len(signed.terms.sessions) < needed:
        raise NotSeated(f"a recovery seats at least {needed} of the committee")


def _identities(seats: Mapping[int, Seat]) -> dict[int, Bytes32]:
    return {index: seat.identity for index, seat in seats.items()}
