"""What a start says to the ledger, and what it does before: duties, new keys, votes, ticks.

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
from keymoot.enclave.keep import Keep, KeepFile
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.assembly import Assembly, write_boot
from keymoot.moot.body import write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch import Epoch
from keymoot.moot.epoch_keys import GONE, KeyTurn
from keymoot.moot.errors import NotReady, NotSeated
from keymoot.moot.message import BY_IDENTITY, Kind, NodeMessage
from keymoot.moot.party import Party
from keymoot.moot.signers import settled
from keymoot.moot.turn import write_turn
from keymoot.store.keys import StateKeys

Say = Callable[[bytes], None]
"""Takes a node's message that is to be posted; called from any thread."""

Clock = Callable[[], UnixSeconds]


@dataclass(frozen=True, slots=True)
class Seen:
    """The state that duties follow from.

    Attributes:
        assembly: As it stands there.
        height: Of its block.
        time: Of its block.
        revision: Rises where pages change, but for the stock's list; None: not counted.
    """

    assembly: Assembly
    height: Height
    time: UnixSeconds
    revision: int | None = None


class Speaker:
    """One start's mouth."""

    def __init__(
        self,
        party: Party,
        keep: KeepFile,
        keys: StateKeys,
        say: Say,
        workshop: Callable[[Report], Workshop],
        clock: Clock,
    ) -> None:
        """Say nothing yet.

        Args:
            party: The seat's mind.
            keep: What is sealed; the epoch's keys turn in it.
            keys: The state keys; they take secrets over when they come.
            say: Posts a message to the ledger.
            workshop: Makes the place for long arithmetic.
            clock: The machine's.
        """
        self._party, self._keep, self._keys = party, keep, keys
        self._say, self._clock = say, clock
        self._seen: Seen | None = None
        self._founding = self._watching = self._silent = False
        self._stored = Height(0)
        self._owed: tuple[KeyTurn | None, Height] | None = None
        self._booted: tuple[Hash32, bytes] | None = None
        self._ticked = UnixSeconds(0)
        self._news: tuple[object, ...] = ()
        self._short: CannotWrite | None = None
        self._workshop = workshop(self._report)
        self.wake: Callable[[], None] = lambda: None
        """Called in the workshop's thread when a duty is done."""

    def see(self, seen: Seen, *, founding: bool = False, watching: bool = False) -> None:
        """Take a newer state over; say with which keys we started, if it does not know.

        Args:
            seen: The newest certified state.
            founding: It is only executed, for the network is being founded.
            watching: We cannot execute, so nothing that serves once is worth making.
        """
        self._seen, self._founding, self._watching = seen, founding, watching
        if not self._is_news(seen):
            return
        if not founding:
            self._post_boot(seen.assembly)
        self.look()

    def _is_news(self, seen: Seen) -> bool:
        """Tell whether anything can be due that was not at the last look.

        What is due follows from the pages and from the second. A block that only binds
        presignatures moves the cursor in the stock's list, and nothing is due for that.
        """
        stock = seen.assembly.stock.page
        news = (seen.revision, seen.time, stock.open, stock.ready)
        if seen.revision is not None and news == self._news:
            return False
        self._news = news
        return True

    def look(self) -> None:
        """Begin what is due; called with every newer state, and when a duty is done.

        While the disk does not take our keys, duties wait: they would be done with old ones.
        """
        seen, party = self._seen, self._party
        if seen is None:
            return
        try:
            self._turn_keys(seen)
            self._seal_state(seen.assembly)
        except CannotWrite as error:
            self._short = error
            return
        self._short = None
        if self._founding:
            self._workshop.do(party.founding(seen.assembly))
            return
        party.prune(seen.assembly)
        duties = party.watching if self._watching else party.due
        self._workshop.do(duties(seen.assembly, seen.height, seen.time))

    @property
    def left(self) -> bool:
        """Whether a certified state shows us without a seat, and nothing we had for it is kept."""
        seen = self._seen
        if seen is None or self._founding or self._keep.now.seated:
            return False
        known, _ = self._party.before(seen.assembly)
        return not known

    def recover(self, assembly: Assembly) -> None:
        """Compute our shares of the epoch in which an executed state lives; nothing is said."""
        self._workshop.do(self._party.recomputing(assembly))

    def stored(self, height: Height) -> None:
        """Take it from the host that a certified block is on its disk.

        What a block lets go of is erased only now. The host gets a block's writes under its
        certificate, which we see first; were all to die in between, a recovery would build on the
        block before, and need what that one needs. A host that lies spoils its own enclave.
        """
        self._stored = max(self._stored, height)
        if self._owed is not None:
            self.look()

    def silence(self) -> None:
        """Say nothing more: another start has the seat, or this one went astray."""
        self._silent = True

    def pulse(self) -> None:
        """Say that time has passed, if somebody waits for that.

        Raises:
            CannotWrite: the disk still does not take our keys.
        """
        if self._short is not None:
            self.look()
        if self._short is not None:
            raise self._short
        seen, now = self._seen, self._clock()
        if seen is None or now <= self._ticked or not self._party.seated(seen.assembly):
            return
        if self._party.waits(seen.assembly, now):
            self._ticked = now
            self.post([(Kind.TICK, now.to_bytes(8, "big"))])

    def turn(self) -> None:
        """Vote for the epoch to end now: whoever runs this node asked."""
        epoch = self._voting()
        self.post([(Kind.TURN, write_numbered(epoch.number))])

    def admit(self, identity: Bytes32) -> None:
        """Vote for an enclave to come."""
        self._invite(Kind.ADMIT, identity)

    def part(self, seat: bytes) -> None:
        """Vote for a seat to go, our own or another's."""
        self._invite(Kind.PART, seat)

    def post(self, said: list[Message]) -> None:
        """Post messages of the generation that the newest certified state has."""
        if self._seen is not None and self._seen.assembly.hall.founded:
            self._post(self._seen.assembly.hall.head.generation, said)

    def _invite(self, kind: Kind, content: bytes) -> None:
        epoch = self._voting()
        self.post([(kind, write_turn(epoch.number + 1, epoch.attempt, content))])

    def _voting(self) -> Epoch:
        """Give the living epoch, if our vote counts.

        Raises:
            NotReady: there are no keys yet, so no epoch.
            NotSeated: the ledger does not know this start: its vote would count for nothing.
        """
        if self._seen is None or self._founding:
            raise NotReady
        assembly = self._seen.assembly
        epoch = assembly.turning.epoch
        if epoch is None:
            raise NotReady
        if not self._party.seated(assembly):
            raise NotSeated("the ledger does not know this start of the enclave: it has no vote")
        return epoch

    def _post_boot(self, assembly: Assembly) -> None:
        known, before = self._party.before(assembly)
        boot = self._party.boot.public
        if not known or before == boot:
            return
        # Once for each that it could follow, and anew in each generation.
        place = assembly.hall.head.generation, b"" if before is None else bytes(before.signing)
        if place != self._booted:
            self._booted = place
            self._post(place[0], [(Kind.BOOT, write_boot(before, boot))])

    def _turn_keys(self, seen: Seen) -> None:
        """Go over to the sealing keys of the ledger's epoch; erase those that nothing needs."""
        if self._founding:
            return
        party, keep = self._party, self._keep.now
        known, _ = party.before(seen.assembly)
        if known and not keep.seated:
            keep = keep.sitting(seen.height)
            self._keep.put(keep)
        # A state from before we came shows us without a seat, too.
        gone = not known and 0 < keep.seated < seen.height and settled(seen.assembly)
        turn = self._spared(seen, GONE if gone else party.key_turn(seen.assembly))
        if turn is GONE:
            # What was dealt to us stays in the archives: without our keys nobody opens it. The
            # state secret goes too; this start has it in memory, and executes on.
            self._turned(keep.gone(self._keep.entropy))
            party.statekeeper.forget()
        elif turn is not None:
            self._turned(keep.turned(turn, self._keep.entropy))

    def _spared(self, seen: Seen, turn: KeyTurn | None) -> KeyTurn | None:
        """Give what of a turn may be done now: until its block is on disk, what erases nothing."""
        spared = None if turn is None else self._party.keys.sparing(turn)
        if turn == spared:
            self._owed = None
            return turn
        # The oldest block since which it is due; newer ones may come faster than the disk.
        if self._owed is None or self._owed[0] != turn:
            self._owed = turn, seen.height
        return turn if self._owed[1] <= self._stored else spared

    def _turned(self, keep: Keep) -> None:
        self._keep.put(keep)
        self._party.keys.take(keep.epoch, keep.next, keep.previous, keep.recoveries)

    def _seal_state(self, assembly: Assembly) -> None:
        """Seal a state secret before the ledger hears that we have it; it never leaves."""
        keeper = self._party.statekeeper
        for name, found in list(keeper.found.items()):
            present = assembly.handout.standing.name
            self._keep.put(self._keep.now.holding(name, found, present))
            self._keys.take(found, name)
            keeper.sealed(name)

    def _report(self, duty: Duty, said: list[Message]) -> None:
        """Post what a duty says; called in the workshop's thread."""
        self._post(duty.generation, said)
        self.wake()

    def _post(self, generation: Hash32, said: list[Message]) -> None:
        if self._silent:
            return
        network = self._keys.network
        for kind, body in said:
            made = NodeMessage(network, generation, self._party.index, kind, body)
            key = self._keep.now.identity if kind in BY_IDENTITY else self._party.boot.signing
            self._say(made.signed(key).encode())


def wall_clock() -> UnixSeconds:
    """Read the machine's clock."""
    return UnixSeconds(int(time.time()))
