"""What messages about who comes and who goes do to the committee.

Seats invite an enclave by its identity; only then is it heard itself, so no stranger's
bytes reach the pages; and it shows evidence of the code it runs. n−f votes admit a newcomer, or put
a member out; a member leaves by its own word. All of it counts for one epoch and one attempt to end
it.
"""

from dataclasses import replace

from keymoot.attest.quorum import VendorHoldsTooMuch, maker_of, seats_by_maker
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.units import UnixSeconds
from keymoot.committee.attestation import join_report
from keymoot.committee.errors import NotSeated, Unwanted
from keymoot.committee.membership.record import MAX_INVITED, JoinBody, MembershipRecord, Newcomer
from keymoot.committee.messages import AttemptBody, Kind, NodeMessage
from keymoot.committee.mix import mixed
from keymoot.committee.pages import MEMBERSHIP
from keymoot.committee.seat import Seat, SessionKeys
from keymoot.committee.state import CommitteeState
from keymoot.threshold.committee import MAX_SIZE

ADMIT_KINDS = (Kind.JOIN, Kind.ADMIT, Kind.PART)


class MembershipLedger:
    """Comers and goers of a state."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    @property
    def page(self) -> MembershipRecord:
        return MEMBERSHIP.read(self._state.pages) or MembershipRecord()

    def put(self, page: MembershipRecord | None) -> None:
        """Write the page; None when an epoch or a generation begins."""
        if page is None:
            MEMBERSHIP.remove(self._state.pages)
        else:
            MEMBERSHIP.write(self._state.pages, page)

    def next_seats(self) -> tuple[int, ...]:
        """Give who sits in the next epoch, if it begins now: a mix of makers, where one is asked.

        Who is left out of it may come, or go, with a later epoch.
        """
        state, page = self._state, self.page
        wish, demanded = page.next_seats(state.record.members), state.most_per_maker
        if not demanded:
            return wish
        joining = {seat: newcomer.vendor for seat, newcomer in page.joining.items()}
        return mixed(state.vendors(), joining, page.leaving, wish, demanded)

    def invited(self, identity: Bytes32) -> bool:
        votes = self.page.invited.get(identity, frozenset())
        return len(votes) >= self._state.committee.present

    def check_join(self, message: NodeMessage) -> None:
        newcomer = JoinBody.decode(AttemptBody.decode(message.body).content).newcomer
        if not self.invited(newcomer.identity):
            raise NotSeated("too few members have invited this enclave to join")
        if not message.signed_by(newcomer.identity):
            raise NotSeated("the message is not signed by the newcomer's identity")

    def handle(
        self, seat: int, kind: Kind, content: bytes, nonce: Bytes32, time: UnixSeconds
    ) -> None:
        """`seat` is who speaks, or the number wanted; newcomers' evidence binds `nonce`."""
        if kind is Kind.JOIN:
            said = JoinBody.decode(content)
            newcomer = said.newcomer
            self._check_vacant(seat, newcomer)
            # The last check, for it is the dearest: one signature of the vendor.
            report = join_report(
                self._state.network, nonce, newcomer.identity, newcomer.sealing, newcomer.session
            )
            vendor = self._state.vendor_of(said.evidence, report, time)
            self._check_maker(seat, vendor)
            self._take_in(seat, replace(newcomer, vendor=vendor))
        elif kind is Kind.ADMIT:
            self._admit(seat, Bytes32(content))
        else:
            if len(content) != 1:
                raise Malformed(f"a seat's number has one byte, got {len(content)}")
            self._part(seat, content[0])

    def known(self, index: int) -> Seat | Newcomer | None:
        """Give who has a number: a member, or who is about to be one; None for nobody."""
        return (
            self._state.seat(index) if self._state.has_seat(index) else self.page.joining.get(index)
        )

    def started_anew(self, seat: int, session: SessionKeys) -> None:
        page = self.page
        joining = {**page.joining, seat: replace(page.joining[seat], session=session)}
        self.put(replace(page, joining=joining))

    def _check_vacant(self, seat: int, newcomer: Newcomer) -> None:
        page, members = self.page, self._state.seats()
        # 1. The number is one, and nobody's.
        if not 1 <= seat <= MAX_SIZE:
            raise Unwanted(f"seats have numbers from 1 to {MAX_SIZE}")
        if seat in members or seat in page.joining:
            raise Unwanted(f"seat {seat} is not vacant")
        # 2. Its keys are nobody's: a key sits once.
        others: list[Seat | Newcomer] = [*members.values(), *page.joining.values()]
        if newcomer.identity in {other.identity for other in others}:
            raise Unwanted("an enclave of this identity sits already, or is joining")

    def _check_maker(self, seat: int, vendor: str) -> None:
        """Raise VendorHoldsTooMuch where a newcomer's maker would hold more than is ever allowed.

        Those who are leaving do not count. Whether all who come fit together is seen when the next
        seats are fixed (`next_seats`): here it is for telling the newcomer.
        """
        page, demanded = self.page, self._state.most_per_maker
        if not demanded:
            return
        staying = {
            at: known for at, known in self._state.vendors().items() if at not in page.leaving
        }
        coming = {at: newcomer.vendor for at, newcomer in page.joining.items()}
        seats = seats_by_maker({**staying, **coming, seat: vendor})[maker_of(vendor)]
        if len(seats) > demanded:
            raise VendorHoldsTooMuch(maker_of(vendor), seats, demanded)

    def _take_in(self, seat: int, newcomer: Newcomer) -> None:
        page = self.page
        self.put(replace(page, joining={**page.joining, seat: newcomer}))

    def _admit(self, seat: int, identity: Bytes32) -> None:
        page = self.page
        if identity in {member.identity for member in self._state.seats().values()}:
            raise Unwanted("an enclave of this identity sits already")
        votes = page.invited.get(identity, frozenset())
        if seat in votes:
            raise Unwanted(f"seat {seat} has invited this enclave already")
        if sum(seat in others for others in page.invited.values()) >= MAX_INVITED:
            raise Unwanted(f"a seat invites at most {MAX_INVITED} enclaves in one epoch")
        self.put(replace(page, invited={**page.invited, identity: votes | {seat}}))

    def _part(self, seat: int, leaver: int) -> None:
        page, committee = self.page, self._state.committee
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
