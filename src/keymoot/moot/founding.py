"""What messages of key generation do to the assembly."""

from dataclasses import replace
from functools import lru_cache

from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.attestation import founder_report
from keymoot.moot.body import read_numbered
from keymoot.moot.errors import Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.keygen import (
    Keygen,
    Openings,
    Phase,
    Setting,
    check_openings,
    digest_of,
    judge,
    read_hashes,
    read_openings,
    roots_of,
    weigh,
)
from keymoot.moot.message import Kind
from keymoot.moot.turning import Turning
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


_keygen = lru_cache(maxsize=64)(Keygen.decode)
"""Decoding is pure, and the page is read far more often than it changes."""


class Founding:
    """The key generation of a hall."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    @property
    def keygen(self) -> Keygen | None:
        """Where the key generation stands; None before it began."""
        raw = self._hall.pages.get(KEYGEN)
        return None if raw is None else _keygen(raw)

    def begin(self, height: Height, time: UnixSeconds) -> None:
        """Begin the first attempt."""
        self._put(Keygen(Phase.EVIDENCE, 0, height, time))

    def begin_again(self, height: Height, time: UnixSeconds) -> None:
        """Throw an attempt away that did not reach its end, and begin another."""
        keygen = self.keygen
        if keygen is None or keygen.phase in (Phase.EVIDENCE, Phase.DONE):
            return
        for seat in self._hall.committee.indices:
            self._hall.pages.set(f"opening/{seat}", None)
        self._hall.put_roots(None)
        self._put(keygen.again(height, time))

    def session(self) -> Session:
        """Name this attempt.

        Raises:
            Unwanted: none has begun.
        """
        keygen = self.keygen
        if keygen is None:
            raise Unwanted("no key generation has begun")
        hall = self._hall
        # a finished generation keeps its session's name, whatever generation came since
        generation = hall.pages.get("keygen/session") if keygen.phase is Phase.DONE else None
        session = hall.session(f"keygen/{keygen.attempt}")
        if generation is not None:
            session = replace(session, generation=type(session.generation)(generation))
        return session

    def setting(self) -> Setting:
        """Give what the steps of this attempt share."""
        return Setting(self.session(), self._hall.committee, self._hall.epoch_keys())

    def openings(self) -> Openings:
        """Give the openings that stand."""
        keygen, found = self.keygen, {}
        for seat in self._hall.committee.indices:
            raw = self._hall.pages.get(f"opening/{seat}")
            if raw is not None and keygen is not None and seat not in keygen.out:
                found[seat] = read_openings(raw)
        return found

    def hear(self, seat: int, kind: Kind, body: bytes, height: Height, time: UnixSeconds) -> None:
        """Take what a seat says.

        Raises:
            Unwanted: not now, not from this seat, or a second time.
            Malformed: the body is not what its kind says.
            EvidenceRefused: its evidence does not show what the genesis asks for.
        """
        keygen = self.keygen
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
            keygen = replace(keygen, hashes={**(keygen.hashes or {}), seat: body})
        elif kind is Kind.KEYGEN_OPEN:
            keygen = self._open(keygen, seat, body, height)
        elif kind is Kind.KEYGEN_VERDICT:
            keygen = self._judge(keygen, seat, body, height)
        else:
            keygen = replace(keygen, votes={**(keygen.votes or {}), seat: body[:32]})
        self._put(keygen)
        self.move(height, time)

    def move(self, height: Height, time: UnixSeconds) -> None:
        """Go on to the next phase, if this one is at its end."""
        keygen = self.keygen
        if keygen is None or keygen.phase is Phase.DONE:
            return
        committee = self._hall.committee
        awaited = [seat for seat in committee.indices if keygen.speaks(seat)]
        if keygen.phase is Phase.VOTES:
            self._count(keygen, awaited, height, time)
            return
        # Whoever has a seat is dealt to: nobody deals before all have shown what they run.
        if awaited and (keygen.phase is Phase.EVIDENCE or not keygen.overdue(height, time)):
            return
        if len(keygen.said - keygen.out) < committee.present:
            if not awaited or keygen.overdue(height, time):
                self.begin_again(height, time)
            return
        if keygen.phase is Phase.VERDICTS:
            try:
                roots = roots_of(self.setting(), self.openings())
            except TooFew:
                self.begin_again(height, time)
                return
            self._hall.put_roots(roots)
            self._hall.pages.set("roots/digest", digest_of(roots))
        self._put(keygen.next(height, time))

    def _attest(self, seat: int, evidence: bytes, time: UnixSeconds) -> None:
        hall, one = self._hall, self._hall.seat(seat)
        if one.boot is None:
            raise Unwanted(f"seat {seat} has not said with which keys it started")
        report = founder_report(hall.network, one.identity, one.sealing, one.boot)
        hall.attestation.check(evidence, report, time)

    def _open(self, keygen: Keygen, seat: int, body: bytes, height: Height) -> Keygen:
        openings = read_openings(body)
        try:
            check_openings(self.setting(), seat, (keygen.hashes or {})[seat], openings)
        except Cheated as error:
            return self._put_out(keygen, error.party, height, error.what)
        self._hall.pages.set(f"opening/{seat}", body)
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
        self._hall.caught(seat, height, what, out=False)
        return replace(keygen, out=keygen.out | {seat})

    def _count(self, keygen: Keygen, awaited: list[int], height: Height, time: UnixSeconds) -> None:
        hall, votes = self._hall, keygen.votes or {}
        digest = hall.pages.get("roots/digest")
        for_it = [seat for seat, vote in votes.items() if vote == digest]
        if len(for_it) >= hall.committee.present:
            hall.pages.set("keygen/session", hall.head.generation)
            hall.pages.set("roots/voted", digest)
            self._put(replace(keygen, phase=Phase.DONE, said=frozenset()))
            Turning(hall).begin(height, time)
        elif not awaited or keygen.overdue(height, time):
            self.begin_again(height, time)

    def _put(self, keygen: Keygen) -> None:
        self._hall.pages.set(KEYGEN, keygen.encode())
