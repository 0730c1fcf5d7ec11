"""The committee: what each node's message does to it, for ledger and enclaves alike.

Deterministic: messages come in the order of final blocks, with the block's height and
time. A message that is refused changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from keymoot.attest.vendors import NOTHING_POSTED, Posted
from keymoot.base.contained import contained
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import Attestation
from keymoot.committee.errors import NotSeated, Unwanted, WrongGeneration
from keymoot.committee.genesis import EPOCH_SECONDS, Founder
from keymoot.committee.keygen.ledger import PHASE_OF, DkgCoordinator
from keymoot.committee.membership.record import Newcomer
from keymoot.committee.messages import BY_IDENTITY, Kind, NodeMessage
from keymoot.committee.nonces.ledger import NonceLedger
from keymoot.committee.page_store import DraftPages, Pages
from keymoot.committee.pages import (
    ATTESTATION,
    DEALINGS,
    EPOCH,
    HEAD,
    KEYGEN,
    KEYGEN_GENERATION,
    MEMBERSHIP,
    NEXT_DIGEST,
    NEXT_ROOT,
    OPENINGS,
    ORIGIN,
    PROPOSED_DIGEST,
    ROOT,
    SEAT,
    VOTED_DIGEST,
    PageName,
)
from keymoot.committee.presign.ledger import Stock
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.recovery.ledger import Ancestor, RecoveryLedger
from keymoot.committee.recovery.order import SignedRecoveryOrder
from keymoot.committee.reshare.ledger import STAGE_OF, EpochTransitions
from keymoot.committee.seat import NewSession, Seat
from keymoot.committee.state import CommitteeState
from keymoot.committee.statekey.ledger import STATE_KINDS, StateKeyLedger
from keymoot.threshold.committee import Committee

NO_GENERATION = Hash32(bytes(32))
"""The generation before the first recovery."""


EPOCH_KINDS = (*STAGE_OF, Kind.EPOCH_KEY, Kind.END_EPOCH)
NONCE_KINDS = (Kind.NONCES, Kind.BAD_NONCE)

NEWCOMER_KINDS = (
    *(Kind.SESSION, Kind.RESHARE_VERDICT, Kind.HELD),
    *(Kind.STATE_ASK, Kind.STATE_HELD),
)
"""What an enclave may say that joins with the next epoch."""


_NOBODY = Attestation()
"""Admits no enclave, until a genesis says which."""


class CommitteeMachine:
    """The committee on its pages."""

    def __init__(self, pages: Pages, network: NetworkId, posted: Posted = NOTHING_POSTED) -> None:
        """`posted` is what vendors publish, where messages with evidence are to be executed."""
        self._pages = pages
        self.network = network
        self.state = CommitteeState(pages, network, posted)
        self.keygen = DkgCoordinator(self.state)
        self.epochs = EpochTransitions(self.state)
        self.stock = Stock(self.state)
        self.nonces = NonceLedger(self.state)
        self.state_key = StateKeyLedger(self.state)
        self.recovery = RecoveryLedger(self.state, self.epochs)

    def found(
        self,
        founders: tuple[Founder, ...],
        height: Height,
        time: UnixSeconds,
        epoch_seconds: int = EPOCH_SECONDS,
        attestation: Attestation = _NOBODY,
    ) -> None:
        """Seat the members of the genesis, and begin the key generation with their evidence."""
        self.state.attestation = attestation
        members = Committee.of(len(founders)).indices
        self.state.record = CommitteeRecord(
            members, NO_GENERATION, 0, frozenset(), (), epoch_seconds
        )
        for index, founder in zip(members, founders, strict=True):
            seat = Seat(founder.identity, founder.sealing, founder.session, Height(0))
            self.state.put_seat(index, seat)
        self.keygen.begin(height, time)

    def names(self) -> Iterator[str]:
        """Name every page there is, so that a start can take all of them over."""
        return (page.name for page in self._names())

    def _names(self) -> Iterator[PageName[Any]]:
        yield from (HEAD, KEYGEN, KEYGEN_GENERATION, PROPOSED_DIGEST, VOTED_DIGEST)
        yield from (EPOCH, ORIGIN, NEXT_DIGEST, MEMBERSHIP, ATTESTATION)
        yield from (*ROOT.values(), *NEXT_ROOT.values())
        yield from self.state_key.names()
        yield from self.stock.names()
        if not self.state.founded:
            return
        epoch, origin = self.epochs.current, self.epochs.origin
        for index in self.state.committee.indices:
            yield from (SEAT.of(index), OPENINGS.of(index))
            if epoch is not None:
                yield DEALINGS.of(epoch.number + 1, index)
        if epoch is not None and origin is not None:
            yield from (DEALINGS.of(epoch.number, index) for index in origin.dealers.indices)
        yield from self.epochs.previous.names()
        yield from self.nonces.names()

    def check(self, message: NodeMessage) -> None:
        """Raise WrongGeneration or NotSeated unless it is of this generation and of who it says."""
        record = self.state.record
        # 1. It belongs to this generation.
        if message.network != self.network or message.generation != record.generation:
            raise WrongGeneration
        # 2. A recovery brings its own signatures.
        if message.kind is Kind.RECOVER:
            self.recovery.check(message.body)
            return
        # 3. A newcomer was invited by its identity, and signs with it.
        if message.kind is Kind.JOIN:
            self.epochs.membership.check_join(message)
            return
        # 4. New session keys are signed by the seat's identity, the rest by its session keys.
        seat = self._speaker(message)
        if message.kind in BY_IDENTITY:
            key = seat.identity
        elif seat.session is None:
            raise NotSeated(f"seat {message.seat} has not said with which keys it started")
        else:
            key = seat.session.signing
        if not message.signed_by(key):
            raise NotSeated(f"the message is not signed by the present key of seat {message.seat}")

    def check_waiting(self, message: NodeMessage) -> None:
        """Raise unless the message may wait for a block, as `check` does in the block itself.

        A recovery may end a generation that begins in a block which is not certified yet; whether
        it does is seen when it is executed.
        """
        if message.kind is Kind.RECOVER and message.network == self.network:
            self.recovery.check_endorsed(message.body)
        else:
            self.check(message)

    def apply(
        self, message: NodeMessage, height: Height, time: UnixSeconds, ancestor: Ancestor
    ) -> None:
        """Take a message of a block; where this raises nothing has changed.

        Raises:
            Refused: it does not fit.
            Malformed: its body is not what its kind says.
            Unexecutable: our code did not expect it.
        """
        draft = DraftPages(self._pages)
        with contained():
            drafted = CommitteeMachine(draft, self.network, self.state.posted)
            drafted._apply(message, height, time, ancestor)
        draft.keep()

    def gone_back(self) -> "CommitteeMachine | None":
        """Give the committee as a recovery would leave it now that goes back to the epoch before.

        None where all members hold their shares. It is for computing shares: nobody has a start.
        """
        if self.epochs.previous.page is None:
            return None
        back = CommitteeMachine(DraftPages(self._pages), self.network)
        back.epochs.back(Height(0), UnixSeconds(0), {})
        return back

    def take(self, height: Height, time: UnixSeconds) -> PresignatureId | None:
        """Bind the next presignature of the stock; None when there is none."""
        return self.stock.take(height, time)

    def _apply(
        self, message: NodeMessage, height: Height, time: UnixSeconds, ancestor: Ancestor
    ) -> None:
        self.check(message)
        seat, kind, body = message.seat, message.kind, message.body
        knew = self.state_key.knowing()
        if kind is Kind.RECOVER:
            self._recover(body, height, time, ancestor)
        elif kind is Kind.SESSION:
            self._post_session(seat, body, height, time)
        elif kind in PHASE_OF:
            self.keygen.handle(seat, kind, body, height, time)
        elif kind in EPOCH_KINDS:
            self.epochs.handle(seat, kind, body, height, time)
        elif kind in NONCE_KINDS:
            self.nonces.handle(seat, kind, body, height)
        elif kind in STATE_KINDS:
            self.state_key.handle(seat, kind, body, height)
        elif kind is not Kind.TICK:
            self.stock.handle(seat, kind, body, height, time)
        self.keygen.move(height, time)
        # Who signs the block that begins a generation is known: no epoch begins in it too.
        record = self.state.record
        if record.since < height and self.epochs.move(height, time, record.epoch_seconds):
            self.stock.burn()
            self.nonces.burn()
            self.state_key.epoch_began()
        self.state_key.leave(knew)
        self.state_key.move()
        self.stock.replenish(height, time)

    def _speaker(self, message: NodeMessage) -> Seat | Newcomer:
        known = self.epochs.membership.known(message.seat)
        if isinstance(known, Seat) or (known is not None and message.kind in NEWCOMER_KINDS):
            return known
        members = ", ".join(str(seat) for seat in self.state.record.members)
        raise NotSeated(f"this committee has the seats {members}")

    def _post_session(self, index: int, body: bytes, height: Height, time: UnixSeconds) -> None:
        newcomer = self.epochs.membership.page.joining.get(index)
        known = newcomer or self.state.seat(index)
        said = NewSession.decode(body)
        session = said.session
        # Each start names the one that it follows, so that no old one comes again.
        if said.before != (None if known.session is None else known.session.signing):
            raise Unwanted("the seat has started anew since")
        if isinstance(known, Newcomer):
            self.epochs.membership.started_anew(index, session)
            self.state_key.started_anew(index)
            return
        self.state.put_seat(index, replace(known, session=session, since=height))
        self.stock.started_anew(index, height, time)
        self.nonces.started_anew(index)
        self.state_key.started_anew(index)

    def _recover(self, body: bytes, height: Height, time: UnixSeconds, ancestor: Ancestor) -> None:
        # Who signed it, and which generation it ends, `check` has seen.
        signed = SignedRecoveryOrder.decode(body)
        self.recovery.check_base(signed.terms, height, ancestor)
        self.stock.wipe()
        self.nonces.wipe()
        self.recovery.apply(signed, height, time)
        self.state_key.wipe()
        self.keygen.begin_again(height, time)
