"""One seat's part: what it has to say now, and the secrets that saying it needs.

`due` looks at the committee and gives tasks, each with everything it needs from the pages
taken along; running one costs milliseconds of arithmetic, needs no page any more, and
gives messages. So tasks may run beside whoever follows the blocks.

Root shares come back after a restart, from the dealings on the ledger and the epoch's
sealed key. All else here is of this start only, and never written down.
"""

from dataclasses import dataclass, field, replace

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.keygen.member import DkgParticipant
from keymoot.committee.keygen.record import Phase
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.membership.joiner import Joiner
from keymoot.committee.nonces.member import NonceParticipant
from keymoot.committee.phases import BATCH_PATIENCE, EPOCH_PATIENCE, KEYGEN_PATIENCE
from keymoot.committee.presign.member import PresignParticipant
from keymoot.committee.reshare.epoch_keys import EpochKeys, KeyRotation
from keymoot.committee.reshare.member import ReshareParticipant, Shares
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.roots import ECDSA, EDDSA
from keymoot.committee.seat import SessionKeys
from keymoot.committee.signers import signer_of
from keymoot.committee.statekey.member import StateKeyParticipant
from keymoot.committee.task import SeatTask

MAX_REMEMBERED = 4_096
"""Duties that are remembered as begun; what is older is over."""

_WAITING = (EpochStage.DEALING, EpochStage.VERDICTS, EpochStage.HOLDING)
"""Stages that end after a time, whoever is silent."""


@dataclass(frozen=True, slots=True)
class SessionSecrets:
    """The secret halves of a start's keys."""

    signing: Secret
    sealing: Secret
    public: SessionKeys


@dataclass(slots=True)
class Participant:
    """One seat's mind.

    Attributes:
        index: Its seat.
        keys: Secret halves of the sealing keys that root dealings are encrypted to.
        session: The keys of this start.
        identity: Its keys that stay.
        state_key: Its mind for the state key, with what the enclave has sealed of it.
        shares: Shares of the roots in the epoch that was entered last, by name; empty until they
            are known.
    """

    index: int
    keys: EpochKeys
    session: SessionSecrets
    identity: EnclaveIdentity
    state_key: StateKeyParticipant
    shares: Shares = field(default_factory=dict)
    dkg: DkgParticipant = field(init=False)
    reshare: ReshareParticipant = field(init=False)
    presign: PresignParticipant = field(init=False)
    nonces: NonceParticipant = field(init=False)
    joiner: Joiner = field(init=False)
    _done: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dkg = DkgParticipant(self.index, self.keys, self.identity, self.session.public)
        self.reshare = ReshareParticipant(self.index, self.keys)
        self.joiner = Joiner(self.index, self.keys, self.identity, self.session.public)
        self.presign = PresignParticipant(self.index, self.session.sealing)
        self.nonces = NonceParticipant(self.index)

    def enter(self, machine: CommitteeMachine) -> None:
        """Go over to the shares of the living epoch; call it after every block.

        All seats do so at the same block, so what they sign at one height fits together.
        """
        self.shares = self.shares_in(machine)

    def shares_in(self, machine: CommitteeMachine) -> Shares:
        """Give our shares of the epoch in which a state lives, by root; none if not known.

        It may be any state: a recovery goes back to the epoch before, and the start that signs
        its block has the shares of that one.
        """
        return self.dkg.shares_in(machine) or self.reshare.shares_in(machine)

    def key_rotation(self, machine: CommitteeMachine) -> KeyRotation | None:
        return self.keys.due(machine, self.index) if self.member(machine) else None

    def due(self, machine: CommitteeMachine, height: Height, time: UnixSeconds) -> list[SeatTask]:
        if not machine.state.founded:
            return []
        tasks = self._standing(machine)
        if ECDSA in self.shares and self.seated(machine):
            tasks += self.presign.due(machine, self.shares[ECDSA], height, time)
            tasks += self.nonces.due(machine, self.shares[EDDSA], time)
        return self._fresh(tasks, machine)

    def watching(
        self, machine: CommitteeMachine, height: Height, time: UnixSeconds
    ) -> list[SeatTask]:
        """Give what is to be done without the state secret: nothing that serves once is made."""
        del height, time
        if not machine.state.founded:
            return []
        return self._fresh(self._standing(machine), machine)

    def founding(self, machine: CommitteeMachine) -> list[SeatTask]:
        self.enter(machine)
        tasks = self.recovery(machine)
        if self.seated(machine):
            tasks += self.dkg.due(machine)
            tasks += self.state_key.due(machine, self.shares)
        return self._fresh(tasks, machine)

    def _standing(self, machine: CommitteeMachine) -> list[SeatTask]:
        self.enter(machine)
        # What is ours comes back whether the committee knows this start or not.
        tasks = self.recovery(machine)
        if self.seated(machine):
            tasks += self.dkg.due(machine)
            tasks += self.reshare.due(machine, self.shares)
            tasks += self.state_key.due(machine, self.shares)
        elif self.joiner.joining(machine):
            tasks += self.reshare.due(machine, {})
            tasks += self.state_key.due(machine, {})
        else:
            tasks += self.joiner.due(machine)
        return tasks

    def recovery(self, machine: CommitteeMachine) -> list[SeatTask]:
        """Give the tasks that compute our shares anew, as pages and sealed keys give them; mute.

        Those of the living epoch, and of the one before while a recovery may go back to it: who
        signs its block has no other moment.
        """
        tasks = []
        for state in (machine, machine.gone_back()):
            if state is not None and self.member(state):
                tasks += self.dkg.recovery(state) + self.reshare.recovery(state)
        return tasks

    def recomputing(self, machine: CommitteeMachine) -> list[SeatTask]:
        return self._fresh(self.recovery(machine), machine)

    def member(self, machine: CommitteeMachine) -> bool:
        """Tell whether our identity has the seat, with whatever start."""
        state = machine.state
        if not state.has_seat(self.index):
            return False
        return state.seat(self.index).identity == self.identity.public

    def _fresh(self, tasks: list[SeatTask], machine: CommitteeMachine) -> list[SeatTask]:
        """Leave out what was begun before, and say to which generation the rest belongs."""
        fresh = [task for task in tasks if task.name not in self._done]
        self._done |= dict.fromkeys(task.name for task in fresh)
        while len(self._done) > MAX_REMEMBERED:
            del self._done[next(iter(self._done))]
        generation = machine.state.record.generation
        return [replace(task, generation=generation) for task in fresh]

    def seated(self, machine: CommitteeMachine) -> bool:
        """Tell whether the committee knows this start; without it the seat is silent."""
        return signer_of(machine, self.index) == self.session.public

    def named(self, machine: CommitteeMachine) -> bool:
        """Tell whether the committee knows this start, as a member's or a newcomer's."""
        return self.seated(machine) or self.joiner.joining(machine)

    def taken(self, machine: CommitteeMachine) -> bool:
        """Tell whether the committee knows another start of this identity."""
        known, session = self.before(machine)
        return known and session not in (None, self.session.public)

    def wipe(self) -> None:
        """Burn all that serves once: a generation has begun."""
        self.presign.wipe()
        self.nonces.wipe()

    def before(self, machine: CommitteeMachine) -> tuple[bool, SessionKeys | None]:
        """Tell whether the committee knows our identity, as a member or as a newcomer.

        Gives also the keys of the start that it knows.
        """
        state = machine.state
        if not state.has_seat(self.index):
            joining = self.joiner.before(machine)
            return joining is not None, joining
        seat = state.seat(self.index)
        return seat.identity == self.identity.public, seat.session

    def waits(self, machine: CommitteeMachine, now: UnixSeconds) -> bool:
        if not machine.state.founded:
            return False
        keygen = machine.keygen.record
        if keygen is not None and keygen.phase is not Phase.DONE:
            return keygen.since.stale(KEYGEN_PATIENCE, now)
        epoch = machine.epochs.current
        if epoch is not None:
            if epoch.stage in _WAITING and epoch.since.stale(EPOCH_PATIENCE, now):
                return True
            if epoch.over(now, machine.state.record.epoch_seconds):
                return True
        pages = (machine.stock.batch(number) for number in machine.stock.page.open)
        return any(page is not None and page.since.stale(BATCH_PATIENCE, now) for page in pages)

    def prune(self, machine: CommitteeMachine) -> None:
        """Forget one-time secrets that can serve no more; what was bound was taken before."""
        if machine.state.founded:
            self.presign.prune(machine)
            self.nonces.prune(machine)
            self.dkg.prune(machine)
            self.reshare.prune(machine)
