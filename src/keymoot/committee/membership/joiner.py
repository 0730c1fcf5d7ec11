"""One enclave's way to a seat: invited by the members, it says with which keys it comes."""

from dataclasses import dataclass

from keymoot.base.fixed import Bytes32
from keymoot.committee.attestation import join_report
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.membership.record import JoinBody, Newcomer
from keymoot.committee.messages import AttemptBody, Kind
from keymoot.committee.reshare.epoch_keys import EpochKeys
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.seat import SessionKeys
from keymoot.committee.task import SeatTask


@dataclass(slots=True)
class Joiner:
    """The mind of an enclave that has no seat, and wants the one of number `index`.

    Shares of the next epoch are encrypted to the second of its sealing `keys`.
    """

    index: int
    keys: EpochKeys
    identity: EnclaveIdentity
    session: SessionKeys

    def joining(self, machine: CommitteeMachine) -> bool:
        """Tell whether the committee knows that this start comes with the next epoch."""
        newcomer = machine.epochs.membership.page.joining.get(self.index)
        return newcomer is not None and newcomer.session == self.session

    def before(self, machine: CommitteeMachine) -> SessionKeys | None:
        newcomer = machine.epochs.membership.page.joining.get(self.index)
        if newcomer is None or newcomer.identity != self.identity.public:
            return None
        return newcomer.session

    def due(self, machine: CommitteeMachine) -> list[SeatTask]:
        """Ask for the seat, once enough members want us."""
        epoch, membership = machine.epochs.current, machine.epochs.membership
        if epoch is None or epoch.stage is not EpochStage.LIVING:
            return []
        taken = machine.state.has_seat(self.index) or self.index in membership.page.joining
        if taken or not membership.invited(self.identity.public):
            return []
        newcomer = Newcomer(Bytes32(self.identity.public), self.keys.points[1], self.session)
        report = join_report(
            machine.state.network,
            machine.epochs.join_nonce(epoch),
            newcomer.identity,
            newcomer.sealing,
            newcomer.session,
        )
        evidence = self.identity.quote(report)
        content = JoinBody(newcomer, evidence).encode()
        body = AttemptBody(epoch.number + 1, epoch.attempt, content).encode()
        generation = machine.state.record.generation.hex()
        # Who was refused for too many of its maker asks again when one more is leaving.
        name = f"join/{epoch.number}/{epoch.attempt}/{generation}/{len(membership.page.leaving)}"
        return [SeatTask(name, lambda _: [(Kind.JOIN, body)])]
