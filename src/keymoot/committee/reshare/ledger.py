"""What messages of an epoch's end do to the committee."""

from collections.abc import Mapping
from dataclasses import replace

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import join_nonce
from keymoot.committee.errors import Unwanted
from keymoot.committee.keygen.record import RootVerdict, digest_of, judge, weigh
from keymoot.committee.membership.ledger import ADMIT_KINDS, MembershipLedger
from keymoot.committee.messages import AttemptBody, Kind, NumberedBody
from keymoot.committee.pages import (
    DEALINGS,
    EPOCH,
    NEXT_DIGEST,
    ORIGIN,
    PRESENT_KEY,
    ROOT,
    VOTED_DIGEST,
)
from keymoot.committee.phases import EPOCH_PATIENCE, Move, move
from keymoot.committee.reshare.activation import Activation
from keymoot.committee.reshare.previous import PreviousEpoch
from keymoot.committee.reshare.record import Epoch, EpochStage, Origin, RootDealings
from keymoot.committee.reshare.round import Dealings, ReshareRound
from keymoot.committee.roots import CERTIFICATE, ROOTS
from keymoot.committee.seat import SessionKeys, by_place, by_seat
from keymoot.committee.state import CommitteeState
from keymoot.committee.statekey.record import StateKeyStatus
from keymoot.threshold.committee import Committee
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

STAGE_OF = {
    Kind.RESHARE: EpochStage.DEALING,
    Kind.RESHARE_VERDICT: EpochStage.VERDICTS,
    Kind.HELD: EpochStage.HOLDING,
    **dict.fromkeys(ADMIT_KINDS, EpochStage.LIVING),
}
"""In which stage what is said; each message names its attempt."""


class EpochTransitions:
    """The epochs of a state."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state
        self.membership = MembershipLedger(state)
        self.activation = Activation(state, self.membership)

    @property
    def current(self) -> Epoch | None:
        return EPOCH.read(self._state.pages)

    @property
    def origin(self) -> Origin | None:
        """Where the living shares come from; None while it is the key generation."""
        return ORIGIN.read(self._state.pages)

    @property
    def previous(self) -> PreviousEpoch:
        """What is kept of the epoch before, until all members hold the living shares."""
        return self.activation.previous

    def begin(self, height: Height, time: UnixSeconds) -> None:
        self._put(Epoch(0, height, time))

    def next_round(self) -> ReshareRound:
        epoch, state = self._known(), self._state
        session = state.session(f"reshare/{epoch.number + 1}/{epoch.attempt}")
        keys = {at: SECP256K1.decode(key) for at, key in by_seat(epoch.keys).items()}
        return ReshareRound(session, Committee(epoch.next_seats), keys, self._roots())

    def living_round(self) -> ReshareRound:
        epoch, origin, state = self._known(), self.origin, self._state
        if origin is None:
            raise Unwanted("the key generation made the living shares")
        name = f"reshare/{epoch.number}/{origin.attempt}"
        session = Session(state.network, origin.generation, name)
        # The keys are the same; so many dealings made them as the dealers' degree asks.
        roots = tuple(
            replace(root, degree=kind.degree(origin.dealers))
            for kind, root in zip(ROOTS, self._roots(), strict=True)
        )
        return ReshareRound(session, state.committee, state.epoch_keys(), roots)

    def dealings(self, number: int) -> Dealings:
        epoch, origin, dealt = self.current, self.origin, {}
        living = epoch is not None and origin is not None and number == epoch.number
        dealers = origin.dealers if living and origin is not None else self._state.committee
        for seat in dealers.indices:
            given = DEALINGS.of(number, seat).read(self._state.pages)
            if given is not None:
                dealt[seat] = given.dealings
        return dealt

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height, time: UnixSeconds) -> None:
        epoch = self._known()
        if kind is Kind.EPOCH_KEY:
            self._post_key(epoch, seat, body)
            return
        if kind is Kind.END_EPOCH:
            # Votes name the epoch: an old one cannot be said again in another.
            if NumberedBody.decode(body) != NumberedBody(epoch.number):
                raise Unwanted(f"epoch {epoch.number} lives, the vote is over another one")
            if epoch.stage is not EpochStage.LIVING or seat in epoch.wants:
                raise Unwanted("the epoch is ending already, or the seat has voted for it")
            self._put(replace(epoch, wants=epoch.wants | {seat}))
            return
        said = AttemptBody.decode(body)
        attempt, content = (said.number, said.attempt), said.content
        # One message is enough, whenever it arrives: said again it would be the same bytes,
        # and no block takes these twice.
        if kind is Kind.HELD and epoch.stage is not EpochStage.HOLDING:
            self._hear_late(epoch, seat, attempt, content)
            return
        if attempt != (epoch.number + 1, epoch.attempt):
            raise Unwanted("the message is of another attempt")
        if epoch.stage is not STAGE_OF[kind] or seat in epoch.said:
            raise Unwanted("the epoch is in another stage, or the seat has spoken in this one")
        if kind in ADMIT_KINDS:
            self.membership.handle(seat, kind, content, self.join_nonce(epoch), time)
            return
        if seat not in self._speakers(epoch):
            raise Unwanted(f"seat {seat} has no part in this stage")
        epoch = replace(epoch, said=epoch.said | {seat})
        if kind is Kind.RESHARE:
            epoch = self._deal(epoch, seat, RootDealings.decode(content), height)
        elif kind is Kind.RESHARE_VERDICT:
            epoch = self._judge(epoch, seat, RootVerdict.decode(content), height)
        else:
            epoch = replace(epoch, votes={**epoch.votes, seat: Hash32(content)})
        self._put(epoch)

    def join_nonce(self, epoch: Epoch) -> Bytes32:
        root = ROOT[CERTIFICATE].raw(self._state.pages) or b""
        return join_nonce(self._state.record.generation, epoch.number, epoch.attempt, root)

    def move(self, height: Height, time: UnixSeconds, seconds: int) -> bool:
        """Go on to the next stage, if this one is at its end; tell whether an epoch began."""
        epoch, committee = self.current, self._state.committee
        if epoch is None:
            return False
        if epoch.stage is EpochStage.LIVING:
            if len(epoch.wants) >= committee.present or epoch.over(time, seconds):
                self._begin_dealing(epoch, height, time)
            return False
        holding = epoch.stage is EpochStage.HOLDING

        def enough() -> bool:
            if holding:
                return self._held(epoch)
            standing = len(self.dealings(epoch.number + 1))
            spoken = len(epoch.said - epoch.out)
            return spoken >= self._speakers(epoch).present and standing >= committee.present

        does = move(
            awaited=bool(self.awaited),
            overdue=epoch.since.overdue(EPOCH_PATIENCE, height, time),
            enough=enough,
            early=enough if holding else None,
        )
        if does is Move.WAIT:
            return False
        if does is Move.GIVE_UP:
            heard = self._able(epoch) if holding else epoch.said - epoch.out
            self._drop(epoch, height, time, heard=heard)
        elif epoch.stage is EpochStage.DEALING:
            self._put(epoch.at(EpochStage.VERDICTS, height, time))
        elif holding:
            self._enter(epoch, height, time)
        else:
            self._propose(epoch, height, time)
        return holding and does is Move.GO_ON

    @property
    def awaited(self) -> frozenset[int]:
        """Give whose word the end of the epoch waits for, if it is under way."""
        epoch = self.current
        if epoch is None or epoch.stage is EpochStage.LIVING:
            return frozenset()
        said = epoch.said
        if epoch.stage is EpochStage.HOLDING:
            said &= self._executing(epoch)
        return frozenset(self._speakers(epoch).indices) - said

    def abandon(self, height: Height, time: UnixSeconds) -> None:
        """Drop an attempt that is going on, and who comes and goes: a generation begins."""
        epoch = self.current
        if epoch is None:
            return
        if epoch.stage is not EpochStage.LIVING:
            self._drop(epoch, height, time, heard=None)
        self.membership.put(None)

    def back(self, height: Height, time: UnixSeconds, sessions: Mapping[int, SessionKeys]) -> None:
        """Go back to the epoch before: a generation begins, and not all hold the living shares.

        The attempt that came to nothing counts as one that failed, so the next one towards the
        same number has another name.
        """
        epoch = self._known()
        self._clear(epoch)
        self.membership.put(None)
        self._put(self.activation.back(epoch, sessions, height).dropped(height, time))

    def _hear_late(self, epoch: Epoch, seat: int, attempt: tuple[int, int], content: bytes) -> None:
        """Take it from a seat that it holds its shares, when enough others do already."""
        kept, origin = self.previous.page, self.origin
        if kept is None or origin is None or attempt != (epoch.number, origin.attempt):
            raise Unwanted("all members hold their shares, or the message is of another attempt")
        if seat in kept.holders or not self._state.has_seat(seat):
            raise Unwanted("the seat has said that it holds its shares, or has none")
        if content != VOTED_DIGEST.read(self._state.pages):
            raise Unwanted("the seat holds shares of other roots")
        self.previous.hold(seat)

    def _executing(self, epoch: Epoch) -> frozenset[int]:
        """Give those of the next members that hold the state secret, as they say."""
        standing = PRESENT_KEY.status.read(self._state.pages) or StateKeyStatus()
        following = frozenset(epoch.next_seats)
        # Before the secret exists no block needs it.
        return following & standing.holders if standing.exists else following

    def _speakers(self, epoch: Epoch) -> Committee:
        """Members deal and sign, the next ones judge and hold."""
        if epoch.stage in (EpochStage.VERDICTS, EpochStage.HOLDING):
            return Committee(epoch.next_seats)
        return self._state.committee

    def _begin_dealing(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        """Fix the next members, and the keys to which their shares are encrypted."""
        state, joining = self._state, self.membership.page.joining
        keys = {}
        for index in self.membership.next_seats():
            if state.has_seat(index):
                seat = state.seat(index)
                keys[index] = seat.next or seat.sealing
            else:
                keys[index] = joining[index].sealing
        dealing = replace(
            epoch.at(EpochStage.DEALING, height, time), generation=state.record.generation
        )
        self._put(replace(dealing, keys=by_place(keys)))

    def _post_key(self, epoch: Epoch, seat: int, body: bytes) -> None:
        said = NumberedBody.decode(body)
        key = said.content
        if said.number != epoch.number + 1:
            raise Unwanted(f"epoch {epoch.number + 1} comes next, the key is for another one")
        if epoch.stage is not EpochStage.LIVING:
            raise Unwanted("the keys of the next epoch are fixed already")
        SECP256K1.decode(key)
        known = self._state.seat(seat)
        if key in (known.next, known.sealing):
            raise Unwanted("the seat has posted that key before")
        self._state.put_seat(seat, replace(known, next=key))

    def _deal(self, epoch: Epoch, seat: int, given: RootDealings, height: Height) -> Epoch:
        try:
            self.next_round().check(seat, given.dealings)
        except Cheated as error:
            return self._put_out(epoch, error.party, height, error.what)
        DEALINGS.of(epoch.number + 1, seat).write(self._state.pages, given)
        return epoch

    def _judge(self, epoch: Epoch, seat: int, verdict: RootVerdict, height: Height) -> Epoch:
        round_, dealt = self.next_round(), self.dealings(epoch.number + 1)

        def guilty_of(place: int, complaint: Complaint) -> int:
            given = dealt.get(complaint.dealer)
            return judge(
                round_.recipients(place), complaint, None if given is None else given[place]
            )

        for guilty, what in weigh(verdict, seat, epoch.out, guilty_of):
            epoch = self._put_out(epoch, guilty, height, what)
        return epoch

    def _put_out(self, epoch: Epoch, seat: int, height: Height, what: str) -> Epoch:
        self._state.caught(seat, height, what, out=False)
        DEALINGS.of(epoch.number + 1, seat).remove(self._state.pages)
        return replace(epoch, out=epoch.out | {seat})

    def _propose(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        try:
            roots = self.next_round().next_roots(self.dealings(epoch.number + 1))
        except TooFew:
            self._drop(epoch, height, time, heard=None)
            return
        self._state.put_next_roots(roots)
        NEXT_DIGEST.write(self._state.pages, digest_of(roots))
        self._put(epoch.at(EpochStage.HOLDING, height, time))

    def _able(self, epoch: Epoch) -> frozenset[int]:
        """Give those of the next members that hold their new shares and the state secret."""
        digest = NEXT_DIGEST.read(self._state.pages)
        holders = (seat for seat, vote in epoch.votes.items() if vote == digest)
        return self._executing(epoch).intersection(holders)

    def _held(self, epoch: Epoch) -> bool:
        """Tell whether the next members can sign the blocks of their epoch, with f of them silent.

        Where n = 3f+1 that takes every honest one, and up to f of those who say that they can
        are lying. Whoever cannot execute when the epoch begins may never do so: it gets the
        state secret over blocks that others sign.
        """
        newcomers = set(epoch.next_seats).difference(self._state.committee.indices)
        # 1. n−f hold their new shares and the state secret.
        # 2. Every newcomer holds the secret. A member that stays may have lost it: that is a
        #    failure as any other, and the living epoch has it too.
        able = len(self._able(epoch)) >= self._speakers(epoch).present
        return able and newcomers <= self._executing(epoch)

    def _enter(self, epoch: Epoch, height: Height, time: UnixSeconds) -> None:
        self.activation.enter(epoch, height)
        self._put(Epoch(epoch.number + 1, height, time))

    def _drop(
        self, epoch: Epoch, height: Height, time: UnixSeconds, *, heard: frozenset[int] | None
    ) -> None:
        """Give an attempt up; the old shares serve on.

        `heard` is whom the stage has heard, where a newcomer had to speak: one that was silent
        must be voted for again, so that it does not stop the next attempt too.
        """
        self._clear(epoch)
        if heard is not None and epoch.stage is not EpochStage.DEALING:
            page = self.membership.page
            self.membership.put(page.without(frozenset(page.joining) - heard))
        self._put(epoch.dropped(height, time))

    def _clear(self, epoch: Epoch) -> None:
        for seat in self._state.committee.indices:
            DEALINGS.of(epoch.number + 1, seat).remove(self._state.pages)
        self._state.put_next_roots(None)
        NEXT_DIGEST.remove(self._state.pages)

    def _roots(self) -> tuple[Root, ...]:
        return tuple(self._state.root(kind.name) for kind in ROOTS)

    def _known(self) -> Epoch:
        epoch = self.current
        if epoch is None:
            raise Unwanted("there are no roots yet, so no epoch")
        return epoch

    def _put(self, epoch: Epoch) -> None:
        EPOCH.write(self._state.pages, epoch)
