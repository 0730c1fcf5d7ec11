"""What messages of key generation do to the committee."""

from dataclasses import replace

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import founder_report
from keymoot.committee.errors import Unwanted
from keymoot.committee.keygen.record import (
    Keygen,
    Openings,
    Phase,
    RootHashes,
    RootOpenings,
    RootVerdict,
    check_openings,
    digest_of,
    judge,
    roots_of,
    weigh,
)
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.mix import check_mix
from keymoot.committee.pages import (
    KEYGEN,
    KEYGEN_GENERATION,
    OPENINGS,
    PROPOSED_DIGEST,
    VOTED_DIGEST,
)
from keymoot.committee.phases import KEYGEN_PATIENCE, Move, move
from keymoot.committee.reshare.ledger import EpochTransitions
from keymoot.committee.roots import RootDealing
from keymoot.committee.state import CommitteeState
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.session import Session

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
        return KEYGEN.read(self._state.pages)

    def begin(self, height: Height, time: UnixSeconds) -> None:
        self._put(Keygen(Phase.EVIDENCE, 0, height, time))

    def begin_again(self, height: Height, time: UnixSeconds) -> None:
        """Throw an attempt away that did not reach its end, and begin another."""
        keygen = self.record
        if keygen is None or keygen.phase in (Phase.EVIDENCE, Phase.DONE):
            return
        for seat in self._state.committee.indices:
            OPENINGS.of(seat).remove(self._state.pages)
        self._state.put_roots(None)
        self._put(keygen.again(height, time))

    def session(self) -> Session:
        keygen = self.record
        if keygen is None:
            raise Unwanted("no key generation has begun")
        state = self._state
        # a finished generation keeps its session's name, whatever generation came since
        session = state.session(f"keygen/{keygen.attempt}")
        ended = KEYGEN_GENERATION.read(state.pages) if keygen.phase is Phase.DONE else None
        return session if ended is None else replace(session, generation=ended)

    def setting(self) -> RootDealing:
        return RootDealing(self.session(), self._state.committee, self._state.epoch_keys())

    def openings(self) -> Openings:
        keygen, openings = self.record, {}
        for seat in self._state.committee.indices:
            opened = OPENINGS.of(seat).read(self._state.pages)
            if opened is not None and keygen is not None and seat not in keygen.out:
                openings[seat] = opened.openings
        return openings

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height, time: UnixSeconds) -> None:
        keygen = self.record
        said = NumberedBody.decode(body)
        if keygen is None or PHASE_OF[kind] is not keygen.phase or said.number != keygen.attempt:
            raise Unwanted("the key generation is in another phase, or at another attempt")
        if not keygen.speaks(seat):
            raise Unwanted(f"seat {seat} has spoken in this phase, or is out of it")
        keygen, content = replace(keygen, said=keygen.said | {seat}), said.content
        if kind is Kind.EVIDENCE:
            self._attest(seat, content, time)
        elif kind is Kind.KEYGEN_HASH:
            keygen = replace(keygen, hashes={**keygen.hashes, seat: RootHashes(content)})
        elif kind is Kind.KEYGEN_OPEN:
            keygen = self._open(keygen, seat, RootOpenings.decode(content), height)
        elif kind is Kind.KEYGEN_VERDICT:
            keygen = self._judge(keygen, seat, RootVerdict.decode(content), height)
        else:
            keygen = replace(keygen, votes={**keygen.votes, seat: Hash32(content)})
        self._put(keygen)
        self.move(height, time)

    def move(self, height: Height, time: UnixSeconds) -> None:
        keygen = self.record
        if keygen is None or keygen.phase is Phase.DONE:
            return
        committee = self._state.committee
        awaited = [seat for seat in committee.indices if keygen.speaks(seat)]
        votes = keygen.phase is Phase.VOTES

        def enough() -> bool:
            counted = self._in_favour(keygen) if votes else keygen.said - keygen.out
            return len(counted) >= committee.present

        # Whoever has a seat is dealt to: nobody deals before all have shown what they run.
        overdue = keygen.since.overdue(KEYGEN_PATIENCE, height, time)
        does = move(
            awaited=bool(awaited),
            overdue=overdue and keygen.phase is not Phase.EVIDENCE,
            enough=enough,
            early=enough if votes else None,
        )
        if does is Move.WAIT:
            return
        if does is Move.GIVE_UP:
            self.begin_again(height, time)
        elif keygen.phase is Phase.VERDICTS:
            self._propose(keygen, height, time)
        elif votes:
            self._finish(keygen, height, time)
        else:
            self._put(keygen.next(height, time))

    def _propose(self, keygen: Keygen, height: Height, time: UnixSeconds) -> None:
        try:
            roots = roots_of(self.setting(), self.openings())
        except TooFew:
            self.begin_again(height, time)
            return
        self._state.put_roots(roots)
        PROPOSED_DIGEST.write(self._state.pages, digest_of(roots))
        self._put(keygen.next(height, time))

    def _attest(self, seat: int, evidence: bytes, time: UnixSeconds) -> None:
        state, member = self._state, self._state.seat(seat)
        if member.session is None:
            raise Unwanted(f"seat {seat} has not said with which keys it started")
        report = founder_report(state.network, member.identity, member.sealing, member.session)
        vendor = state.vendor_of(evidence, report, time)
        # All founders have shown theirs before anybody deals: so what fits at the end, fits now.
        demanded = state.most_per_maker
        if demanded:
            check_mix({**self._shown(), seat: vendor}, demanded, state.committee.size)
        state.put_seat(seat, replace(member, vendor=vendor))

    def _shown(self) -> dict[int, str]:
        """Give who vouched for the founders that have shown evidence, while they do."""
        keygen = self.record
        said = frozenset[int]() if keygen is None else keygen.said
        return {seat: vendor for seat, vendor in self._state.vendors().items() if seat in said}

    def _open(self, keygen: Keygen, seat: int, opened: RootOpenings, height: Height) -> Keygen:
        try:
            check_openings(self.setting(), seat, keygen.hashes[seat], opened.openings)
        except Cheated as error:
            return self._put_out(keygen, error.party, height, error.what)
        OPENINGS.of(seat).write(self._state.pages, opened)
        return keygen

    def _judge(self, keygen: Keygen, seat: int, verdict: RootVerdict, height: Height) -> Keygen:
        setting, openings = self.setting(), self.openings()

        def guilty_of(place: int, complaint: Complaint) -> int:
            given = openings.get(complaint.dealer)
            made = None if given is None else given[place].dealing
            return judge(setting.recipients(place), complaint, made)

        for guilty, what in weigh(verdict, seat, keygen.out, guilty_of):
            keygen = self._put_out(keygen, guilty, height, what)
        return keygen

    def _put_out(self, keygen: Keygen, seat: int, height: Height, what: str) -> Keygen:
        self._state.caught(seat, height, what, out=False)
        return replace(keygen, out=keygen.out | {seat})

    def _in_favour(self, keygen: Keygen) -> frozenset[int]:
        digest = PROPOSED_DIGEST.read(self._state.pages)
        return frozenset(seat for seat, vote in keygen.votes.items() if vote == digest)

    def _finish(self, keygen: Keygen, height: Height, time: UnixSeconds) -> None:
        state, pages = self._state, self._state.pages
        KEYGEN_GENERATION.write(pages, state.record.generation)
        VOTED_DIGEST.take(pages, PROPOSED_DIGEST)
        self._put(replace(keygen, phase=Phase.DONE, said=frozenset()))
        EpochTransitions(state).begin(height, time)

    def _put(self, keygen: Keygen) -> None:
        KEYGEN.write(self._state.pages, keygen)
