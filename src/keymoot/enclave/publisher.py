"""What a start says to the ledger, and what it does before: tasks, new keys, votes, ticks.

Everything here follows from the newest certified state that was shown, and from nothing else;
but before the network is founded, when no state is certified, from the newest executed one,
and then only making keys does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.errors import NotReady, NotSeated
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import BY_IDENTITY, AttemptBody, Kind, NodeMessage, NumberedBody
from keymoot.committee.participant import Participant
from keymoot.committee.reshare.epoch_keys import GONE, KeyRotation
from keymoot.committee.reshare.record import Epoch
from keymoot.committee.seat import NewSession
from keymoot.committee.signers import settled
from keymoot.committee.task import Message, SeatTask
from keymoot.enclave.sealed_state import SealedState, SealedStateFile
from keymoot.enclave.worker import Report, Worker
from keymoot.store.keys import StateKeys

Send = Callable[[bytes], None]
"""Takes a node's message that is to be posted; called from any thread."""

Clock = Callable[[], UnixSeconds]


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The state that tasks follow from.

    Attributes:
        revision: Rises where pages change, but for the stock's list; None: not counted.
    """

    machine: CommitteeMachine
    height: Height
    time: UnixSeconds
    revision: int | None = None


class Publisher:
    def __init__(
        self,
        participant: Participant,
        sealed: SealedStateFile,
        keys: StateKeys,
        send: Send,
        worker: Callable[[Report], Worker],
        clock: Clock,
    ) -> None:
        self._participant, self._sealed, self._keys = participant, sealed, keys
        self._send, self._clock = send, clock
        self._seen: PublishedState | None = None
        self._founding = self._watching = self._silent = False
        self._stored = Height(0)
        self._owed: tuple[KeyRotation | None, Height] | None = None
        self._booted: tuple[Hash32, Bytes32 | None] | None = None
        self._ticked = UnixSeconds(0)
        self._news: tuple[object, ...] = ()
        self._short: CannotWrite | None = None
        self._worker = worker(self._report)
        self.wake: Callable[[], None] = lambda: None
        """Called in the worker's thread when a task is done."""

    def see(self, seen: PublishedState, *, founding: bool = False, watching: bool = False) -> None:
        """Take the newest certified state over; say with which keys we started, if it knows not.

        With `founding` it is only executed, for the network is being founded. With `watching` we
        cannot execute, so nothing that serves once is worth making.
        """
        self._seen, self._founding, self._watching = seen, founding, watching
        if not self._is_news(seen):
            return
        if not founding:
            self._post_session(seen.machine)
        self.poll()

    def _is_news(self, seen: PublishedState) -> bool:
        """Tell whether anything can be due that was not at the last look.

        What is due follows from the pages and from the second. A block that only binds
        presignatures moves the cursor in the stock's list, and nothing is due for that.
        """
        stock = seen.machine.stock.page
        news = (seen.revision, seen.time, stock.open, stock.ready)
        if seen.revision is not None and news == self._news:
            return False
        self._news = news
        return True

    def poll(self) -> None:
        """Begin what is due; called with every newer state, and when a task is done.

        While the disk does not take our keys, tasks wait: they would be done with old ones.
        """
        seen, participant = self._seen, self._participant
        if seen is None:
            return
        try:
            self._turn_keys(seen)
            self._seal_state(seen.machine)
        except CannotWrite as error:
            self._short = error
            return
        self._short = None
        if self._founding:
            self._worker.do(participant.founding(seen.machine))
            return
        participant.prune(seen.machine)
        tasks = participant.watching if self._watching else participant.due
        self._worker.do(tasks(seen.machine, seen.height, seen.time))

    @property
    def left(self) -> bool:
        """Whether a certified state shows us without a seat, and nothing we had for it is kept."""
        seen = self._seen
        if seen is None or self._founding or self._sealed.now.seated:
            return False
        known, _ = self._participant.before(seen.machine)
        return not known

    def recover(self, machine: CommitteeMachine) -> None:
        """Compute our shares of the epoch in which an executed state lives; nothing is said."""
        self._worker.do(self._participant.recomputing(machine))

    def stored(self, height: Height) -> None:
        """Take it from the host that a certified block is on its disk.

        What a block lets go of is erased only now. The host gets a block's writes under its
        certificate, which we see first; were all to die in between, a recovery would build on the
        block before, and need what that one needs. A host that lies spoils its own enclave.
        """
        self._stored = max(self._stored, height)
        if self._owed is not None:
            self.poll()

    def silence(self) -> None:
        """Send nothing more: another start has the seat, or this one went astray."""
        self._silent = True

    def pulse(self) -> None:
        """Send that time has passed, if somebody waits for that."""
        if self._short is not None:
            self.poll()
        if self._short is not None:
            raise self._short
        seen, now = self._seen, self._clock()
        if seen is None or now <= self._ticked or not self._participant.seated(seen.machine):
            return
        if self._participant.waits(seen.machine, now):
            self._ticked = now
            self.post([(Kind.TICK, now.to_bytes(8, "big"))])

    def turn(self) -> None:
        """Vote for the epoch to end now: whoever runs this node asked."""
        epoch = self._voting()
        self.post([(Kind.END_EPOCH, NumberedBody(epoch.number).encode())])

    def admit(self, identity: Bytes32) -> None:
        self._invite(Kind.ADMIT, identity)

    def part(self, seat: bytes) -> None:
        """Vote for a seat to go, our own or another's."""
        self._invite(Kind.PART, seat)

    def post(self, said: list[Message]) -> None:
        """Post messages of the generation that the newest certified state has."""
        if self._seen is not None and self._seen.machine.state.founded:
            self._post(self._seen.machine.state.record.generation, said)

    def _invite(self, kind: Kind, content: bytes) -> None:
        epoch = self._voting()
        body = AttemptBody(epoch.number + 1, epoch.attempt, content)
        self.post([(kind, body.encode())])

    def _voting(self) -> Epoch:
        """Give the living epoch, if our vote counts."""
        if self._seen is None or self._founding:
            raise NotReady
        machine = self._seen.machine
        epoch = machine.epochs.current
        if epoch is None:
            raise NotReady
        if not self._participant.seated(machine):
            raise NotSeated("the ledger does not know this start of the enclave: it has no vote")
        return epoch

    def _post_session(self, machine: CommitteeMachine) -> None:
        known, before = self._participant.before(machine)
        session = self._participant.session.public
        if not known or before == session:
            return
        # Once for each that it could follow, and anew in each generation.
        said = NewSession(None if before is None else before.signing, session)
        place = machine.state.record.generation, said.before
        if place != self._booted:
            self._booted = place
            self._post(place[0], [(Kind.SESSION, said.encode())])

    def _turn_keys(self, seen: PublishedState) -> None:
        """Go over to the sealing keys of the ledger's epoch; erase those that nothing needs."""
        if self._founding:
            return
        participant, sealed = self._participant, self._sealed.now
        known, _ = participant.before(seen.machine)
        if known and not sealed.seated:
            sealed = sealed.sitting(seen.height)
            self._sealed.put(sealed)
        # A state from before we came shows us without a seat, too.
        gone = not known and 0 < sealed.seated < seen.height and settled(seen.machine)
        turn = self._spared(seen, GONE if gone else participant.key_rotation(seen.machine))
        if turn is GONE:
            # What was dealt to us stays in the archives: without our keys nobody opens it. The
            # state secret goes too; this start has it in memory, and executes on.
            self._turned(sealed.gone(self._sealed.entropy))
            participant.state_key.forget()
        elif turn is not None:
            self._turned(sealed.turned(turn, self._sealed.entropy))

    def _spared(self, seen: PublishedState, turn: KeyRotation | None) -> KeyRotation | None:
        """Give what of a turn may be done now: until its block is on disk, what erases nothing."""
        spared = None if turn is None else self._participant.keys.sparing(turn)
        if turn == spared:
            self._owed = None
            return turn
        # The oldest block since which it is due; newer ones may come faster than the disk.
        if self._owed is None or self._owed[0] != turn:
            self._owed = turn, seen.height
        return turn if self._owed[1] <= self._stored else spared

    def _turned(self, sealed: SealedState) -> None:
        self._sealed.put(sealed)
        self._participant.keys.take(sealed.epoch, sealed.next, sealed.previous, sealed.recoveries)

    def _seal_state(self, machine: CommitteeMachine) -> None:
        """Seal a state secret before the ledger hears that we have it; it never leaves."""
        keeper = self._participant.state_key
        for name, task in list(keeper.opened.items()):
            present = machine.state_key.status.name
            self._sealed.put(self._sealed.now.holding(name, task, present))
            self._keys.take(task, name)
            keeper.sealed(name)

    def _report(self, task: SeatTask, said: list[Message]) -> None:
        """Post what a task says; called in the worker's thread."""
        self._post(task.generation, said)
        self.wake()

    def _post(self, generation: Hash32, said: list[Message]) -> None:
        if self._silent:
            return
        network = self._keys.network
        for kind, body in said:
            made = NodeMessage(network, generation, self._participant.index, kind, body)
            key = (
                self._sealed.now.identity
                if kind in BY_IDENTITY
                else self._participant.session.signing
            )
            self._send(made.signed(key).encode())


def wall_clock() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
