"""What messages of key generation do to the committee."""

from dataclasses import replace

from keymoot.base.fields import fixed_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import founder_report
from keymoot.committee.errors import Unwanted
from keymoot.committee.keygen.record import (
    Keygen,
    Openings,
    Phase,
    check_openings,
    digest_of,
    judge,
    read_hashes,
    read_openings,
    roots_of,
    weigh,
)
from keymoot.committee.messages import Kind, read_numbered
from keymoot.committee.phases import KEYGEN_PATIENCE, Move, move
from keymoot.committee.reshare.ledger import EpochTransitions
from keymoot.committee.roots import RootDealing
from keymoot.committee.state import CommitteeState
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.session import Session

KEYGEN = "keygen"

PHASE_OF = {
    Kind.EVIDENCE: Phase.EVIDENCE,
    Kind.KEYGEN_HASH: Phase.HASHES,
    Kind.KEYGEN_OPEN: Phase.OPENINGS,
    Kind.KEYGEN_VERDICT: Phase.VERDICTS,
    Kind.KEYGEN_VOTE: Phase.VOTES,
}


class DkgCoordinator:
    """The key generation of a state."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    @property
    def record(self) -> Keygen | None:
        raw = self._state.pages.get(KEYGEN)
        return None if raw is None else Keygen.decode(raw)

    def begin(self, height: Height, time: UnixSeconds) -> None:
        self._put(Keygen(Phase.EVIDENCE, 0, height, time))

    def begin_again(self, height: Height, time: UnixSeconds) -> None:
        """Throw an attempt away that did not reach its end, and begin another."""
        keygen = self.record
        if keygen is None or keygen.phase in (Phase.EVIDENCE, Phase.DONE):
            return
        for seat in self._state.committee.indices:
            self._state.pages.set(f"opening/{seat}", None)
        self._state.put_roots(None)
        self._put(keygen.again(height, time))

    def session(self) -> Session:
        keygen = self.record
        if keygen is None:
            raise Unwanted("no key generation has begun")
        state = self._state
        # a finished generation keeps its session's name, whatever generation came since
        generation = state.pages.get("keygen/session") if keygen.phase is Phase.DONE else None
        session = state.session(f"keygen/{keygen.attempt}")
        if generation is not None:
            session = replace(session, generation=type(session.generation)(generation))
        return session

    def setting(self) -> RootDealing:
        return RootDealing(self.session(), self._state.committee, self._state.epoch_keys())

    def openings(self) -> Openings:
        keygen, verdicts = self.record, {}
        for seat in self._state.committee.indices:
            raw = self._state.pages.get(f"opening/{seat}")
            if raw is not None and keygen is not None and seat not in keygen.out:
                verdicts[seat] = read_openings(raw)
        return verdicts

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height, time: UnixSeconds) -> None:
        keygen = self.record
        attempt, body = read_numbered(body)
        if keygen is None or PHASE_OF[kind] is not keygen.phase or attempt != keygen.attempt:
            raise Unwanted("the key generation is in another phase, or at another attempt")
        if not keygen.speaks(seat):
            raise Unwanted(f"seat {seat} has spoken in this phase, or is out of it")
        keygen = replace(keygen, said=keygen.said | {seat})
        if kind is Kind.EVIDENCE:
            self._attest(seat, body, time)
        elif kind is Kind.KEYGEN_HASH:
            read_hashes(body)
            keygen = replace(keygen, hashes={**keygen.hashes, seat: body})
        elif kind is Kind.KEYGEN_OPEN:
            keygen = self._open(keygen, seat, body, height)
        elif kind is Kind.KEYGEN_VERDICT:
            keygen = self._judge(keygen, seat, body, height)
        else:
            keygen = replace(keygen, votes={**keygen.votes, seat: fixed_of(body, Hash32, "vote")})
        self._put(keygen)
        self.move(height, time)

    def move(self, height: Height, time: UnixSeconds) -> None:
        keygen = self.record
        if keygen is None or keygen.phase is Phase.DONE:
            return
        committee = self._state.committee
        awaited = [seat for seat in committee.indices if keygen.speaks(seat)]
        if keygen.phase is Phase.VOTES:
            self._count(keygen, awaited, height, time)
            return
        # Whoever has a seat is dealt to: nobody deals before all have shown what they run.
        overdue = keygen.since.overdue(KEYGEN_PATIENCE, height, time)
        does = move(
            awaited=bool(awaited),
            overdue=overdue and keygen.phase is not Phase.EVIDENCE,
            enough=lambda: len(keygen.said - keygen.out) >= committee.present,
        )
        if does is Move.WAIT:
            return
        if does is Move.GIVE_UP:
            self.begin_again(height, time)
            return
        if keygen.phase is Phase.VERDICTS:
            try:
                roots = roots_of(self.setting(), self.openings())
            except TooFew:
                self.begin_again(height, time)
                return
            self._state.put_roots(roots)
            self._state.pages.set("roots/digest", digest_of(roots))
        self._put(keygen.next(height, time))

    def _attest(self, seat: int, evidence: bytes, time: UnixSeconds) -> None:
        state, member = self._state, self._state.seat(seat)
        if member.session is None:
            raise Unwanted(f"seat {seat} has not said with which keys it started")
        report = founder_report(state.network, member.identity, member.sealing, member.session)
        state.attestation.check(evidence, report, time)

    def _open(self, keygen: Keygen, seat: int, body: bytes, height: Height) -> Keygen:
        openings = read_openings(body)
        try:
            check_openings(self.setting(), seat, keygen.hashes[seat], openings)
        except Cheated as error:
            return self._put_out(keygen, error.party, height, error.what)
        self._state.pages.set(f"opening/{seat}", body)
        return keygen

    def _judge(self, keygen: Keygen, seat: int, body: bytes, height: Height) -> Keygen:
        setting, openings = self.setting(), self.openings()

        def guilty_of(place: int, complaint: Complaint) -> int:
            given = openings.get(complaint.dealer)
            made = None if given is None else given[place].dealing
            return judge(setting.recipients(place), complaint, made)

        for guilty, what in weigh(body, seat, keygen.out, guilty_of):
            keygen = self._put_out(keygen, guilty, height, what)
        return keygen

    def _put_out(self, keygen: Keygen, seat: int, height: Height, what: str) -> Keygen:
        self._state.caught(seat, height, what, out=False)
        return replace(keygen, out=keygen.out | {seat})

    def _count(self, keygen: Keygen, awaited: list[int], height: Height, time: UnixSeconds) -> None:
        state, votes = self._state, keygen.votes
        digest = state.pages.get("roots/digest")
        for_it = [seat for seat, vote in votes.items() if vote == digest]
        if len(for_it) >= state.committee.present:
            state.pages.set("keygen/session", state.record.generation)
            state.pages.set("roots/voted", digest)
            self._put(replace(keygen, phase=Phase.DONE, said=frozenset()))
            EpochTransitions(state).begin(height, time)
        elif not awaited or keygen.since.overdue(KEYGEN_PATIENCE, height, time):
            self.begin_again(height, time)

    def _put(self, keygen: Keygen) -> None:
        self._state.pages.set(KEYGEN, keygen.encode())
