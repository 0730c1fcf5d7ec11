"""What messages about who comes and who goes do to the assembly.

Seats invite an enclave by its identity; only then is it heard itself, so no stranger's
bytes reach the pages; and it shows evidence of the code it runs. n−f votes admit a newcomer, or put a member out; a member leaves by
its own word. All of it counts for one epoch and one attempt to end it.
"""

from dataclasses import replace
from functools import lru_cache

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.units import UnixSeconds
from keymoot.moot.admission import MAX_INVITED, Admission, Newcomer, read_join
from keymoot.moot.attestation import join_report
from keymoot.moot.errors import NotSeated, Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.seat import Boot, Seat
from keymoot.moot.turn import read_turn
from keymoot.threshold.committee import MAX_SIZE

ADMISSION = "admission"

ADMIT_KINDS = (Kind.JOIN, Kind.ADMIT, Kind.PART)

_admission = lru_cache(maxsize=64)(Admission.decode)


class Admitting:
    """Comers and goers of a hall."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    @property
    def page(self) -> Admission:
        """Who comes and who goes."""
        raw = self._hall.pages.get(ADMISSION)
        return Admission() if raw is None else _admission(raw)

    def put(self, page: Admission | None) -> None:
        """Write the page; None when an epoch or a generation begins."""
        self._hall.pages.set(ADMISSION, None if page is None else page.encode())

    def invited(self, identity: Bytes32) -> bool:
        """Tell whether enough members want an enclave to join."""
        votes = self.page.invited.get(identity, frozenset())
        return len(votes) >= self._hall.committee.present

    def check_join(self, message: NodeMessage) -> None:
        """Raise unless an invited enclave signed this itself.

        Raises:
            NotSeated: nobody invited it, or another key signed.
            Malformed: the body is none of that kind.
        """
        newcomer, _ = read_join(read_turn(message.body)[2])
        if not self.invited(newcomer.identity):
            raise NotSeated("too few members have invited this enclave to join")
        if not message.signed_by(newcomer.identity):
            raise NotSeated("the message is not signed by the newcomer's identity")

    def hear(
        self, seat: int, kind: Kind, content: bytes, nonce: Bytes32, time: UnixSeconds
    ) -> None:
        """Take what a seat says, or a newcomer that wants one.

        Args:
            seat: Who speaks, or which number is wanted.
            kind: One of `ADMIT_KINDS`.
            content: What it says.
            nonce: What evidence of newcomers has to bind.
            time: Of the block.

        Raises:
            Unwanted: not that, or a second time.
            Malformed: the body is not what its kind says.
            EvidenceRefused: evidence does not show what this network asks for.
        """
        if kind is Kind.JOIN:
            newcomer, evidence = read_join(content)
            self._check_vacant(seat, newcomer)
            # The last check, for it is the dearest: one signature of the vendor.
            report = join_report(
                self._hall.network, nonce, newcomer.identity, newcomer.sealing, newcomer.boot
            )
            self._hall.attestation.check(evidence, report, time)
            self._take_in(seat, newcomer)
        elif kind is Kind.ADMIT:
            if len(content) != Bytes32.LENGTH:
                raise Malformed(f"an identity has {Bytes32.LENGTH} bytes, got {len(content)}")
            self._admit(seat, Bytes32(content))
        else:
            if len(content) != 1:
                raise Malformed(f"a seat's number has one byte, got {len(content)}")
            self._part(seat, content[0])

    def known(self, index: int) -> Seat | Newcomer | None:
        """Give who has a number: a member, or who is about to be one; None for nobody."""
        return (
            self._hall.seat(index) if self._hall.has_seat(index) else self.page.joining.get(index)
        )

    def started_anew(self, seat: int, boot: Boot) -> None:
        """Take over the keys of a newcomer's new start."""
        page = self.page
        joining = {**page.joining, seat: replace(page.joining[seat], boot=boot)}
        self.put(replace(page, joining=joining))

    def _check_vacant(self, seat: int, newcomer: Newcomer) -> None:
        page, members = self.page, self._hall.seats()
        # 1. The number is one, and nobody's.
        if not 1 <= seat <= MAX_SIZE:
            raise Unwanted(f"seats have numbers from 1 to {MAX_SIZE}")
        if seat in members or seat in page.joining:
            raise Unwanted(f"seat {seat} is not vacant")
        # 2. Its keys are nobody's: a key sits once.
        others: list[Seat | Newcomer] = [*members.values(), *page.joining.values()]
        if newcomer.identity in {one.identity for one in others}:
            raise Unwanted("an enclave of this identity sits already, or is joining")

    def _take_in(self, seat: int, newcomer: Newcomer) -> None:
        page = self.page
        self.put(replace(page, joining={**page.joining, seat: newcomer}))

    def _admit(self, seat: int, identity: Bytes32) -> None:
        page = self.page
        if identity in {one.identity for one in self._hall.seats().values()}:
            raise Unwanted("an enclave of this identity sits already")
        votes = page.invited.get(identity, frozenset())
        if seat in votes:
            raise Unwanted(f"seat {seat} has invited this enclave already")
        if sum(seat in others for others in page.invited.values()) >= MAX_INVITED:
            raise Unwanted(f"a seat invites at most {MAX_INVITED} enclaves in one epoch")
        self.put(replace(page, invited={**page.invited, identity: votes | {seat}}))

    def _part(self, seat: int, leaver: int) -> None:
        page, committee = self.page, self._hall.committee
        if leaver not in committee:
            raise Unwanted(f"nobody has seat {leaver}")
        votes = page.unwanted.get(leaver, frozenset())
        if leaver in page.leaving or seat in votes:
            raise Unwanted(f"seat {leaver} is leaving already, or seat {seat} has said so")
        votes |= {seat}
        page = replace(page, unwanted={**page.unwanted, leaver: votes})
        if seat == leaver or len(votes) >= committee.present:
            page = replace(page, leaving=(*page.leaving, leaver))
        self.put(page)
