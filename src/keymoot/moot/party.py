"""One seat's part: what it has to say now, and the secrets that saying it needs.

`due` looks at the assembly and gives duties, each with everything it needs from the pages
taken along; running one costs milliseconds of arithmetic, needs no page any more, and
gives messages. So duties may run beside whoever follows the blocks.

Root shares come back after a restart, from the dealings on the ledger and the epoch's
sealed key. All else here is of this start only, and never written down.
"""

from dataclasses import dataclass, field, replace

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.assembly import Assembly
from keymoot.moot.candidate import Candidate
from keymoot.moot.committer import Committer
from keymoot.moot.duty import Duty
from keymoot.moot.epoch import Stage as EpochStage
from keymoot.moot.epoch_keys import EpochKeys, KeyTurn
from keymoot.moot.keygen import Phase
from keymoot.moot.keymaker import Keymaker
from keymoot.moot.papers import Papers
from keymoot.moot.presigner import Presigner
from keymoot.moot.resharer import Resharer, Shares
from keymoot.moot.roots import ECDSA, EDDSA
from keymoot.moot.seat import Boot
from keymoot.moot.signers import signer_of
from keymoot.moot.statekeeper import Statekeeper

MAX_REMEMBERED = 4_096
"""Duties that are remembered as begun; what is older is over."""

_WAITING = (EpochStage.DEALING, EpochStage.VERDICTS, EpochStage.HOLDING)
"""Stages that end after a time, whoever is silent."""


@dataclass(frozen=True, slots=True)
class BootSecrets:
    """The secret halves of a start's keys."""

    signing: Secret
    sealing: Secret
    public: Boot


@dataclass(slots=True)
class Party:
    """One seat's mind.

    Attributes:
        index: Its seat.
        keys: Secret halves of the sealing keys that root dealings are encrypted to.
        boot: The keys of this start.
        papers: Its keys that stay.
        statekeeper: Its mind for the state key, with what the enclave has sealed of it.
        shares: Shares of the roots in the epoch that was entered last, by name; empty until they
            are known.
    """

    index: int
    keys: EpochKeys
    boot: BootSecrets
    papers: Papers
    statekeeper: Statekeeper
    shares: Shares = field(default_factory=dict)
    keymaker: Keymaker = field(init=False)
    resharer: Resharer = field(init=False)
    presigner: Presigner = field(init=False)
    committer: Committer = field(init=False)
    candidate: Candidate = field(init=False)
    _done: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin without shares."""
        self.keymaker = Keymaker(self.index, self.keys, self.papers, self.boot.public)
        self.resharer = Resharer(self.index, self.keys)
        self.candidate = Candidate(self.index, self.keys, self.papers, self.boot.public)
        self.presigner = Presigner(self.index, self.boot.sealing)
        self.committer = Committer(self.index)

    def enter(self, assembly: Assembly) -> None:
        """Go over to the shares of the living epoch; call it after every block.

        All seats do so at the same block, so what they sign at one height fits together.
        """
        self.shares = self.shares_in(assembly)

    def shares_in(self, assembly: Assembly) -> Shares:
        """Give our shares of the epoch in which a state lives, by root; none if not known.

        It may be any state: a recovery goes back to the epoch before, and the start that signs
        its block has the shares of that one.
        """
        return self.keymaker.shares_in(assembly) or self.resharer.shares_in(assembly)

    def key_turn(self, assembly: Assembly) -> KeyTurn | None:
        """Give how our sealing keys turn, for a certified state shows it; the enclave seals them."""
        return self.keys.due(assembly, self.index) if self.member(assembly) else None

    def due(self, assembly: Assembly, height: Height, time: UnixSeconds) -> list[Duty]:
        """Give what is to be done now and was not begun before."""
        if not assembly.hall.founded:
            return []
        duties = self._standing(assembly)
        if ECDSA in self.shares and self.seated(assembly):
            duties += self.presigner.due(assembly, self.shares[ECDSA], height, time)
            duties += self.committer.due(assembly, self.shares[EDDSA], time)
        return self._fresh(duties, assembly)

    def watching(self, assembly: Assembly, height: Height, time: UnixSeconds) -> list[Duty]:
        """Give what is to be done without the state secret: nothing that serves once is made."""
        del height, time
        if not assembly.hall.founded:
            return []
        return self._fresh(self._standing(assembly), assembly)

    def founding(self, assembly: Assembly) -> list[Duty]:
        """Give what is to be done before the network is founded: keys, and the state key."""
        self.enter(assembly)
        duties = self.recovery(assembly)
        if self.seated(assembly):
            duties += self.keymaker.due(assembly)
            duties += self.statekeeper.due(assembly, self.shares)
        return self._fresh(duties, assembly)

    def _standing(self, assembly: Assembly) -> list[Duty]:
        """Give what keeps the roots and the state key: of a member, or of who comes."""
        self.enter(assembly)
        # What is ours comes back whether the assembly knows this start or not.
        duties = self.recovery(assembly)
        if self.seated(assembly):
            duties += self.keymaker.due(assembly)
            duties += self.resharer.due(assembly, self.shares)
            duties += self.statekeeper.due(assembly, self.shares)
        elif self.candidate.joining(assembly):
            duties += self.resharer.due(assembly, {})
            duties += self.statekeeper.due(assembly, {})
        else:
            duties += self.candidate.due(assembly)
        return duties

    def recovery(self, assembly: Assembly) -> list[Duty]:
        """Give the duties that compute our shares anew, as pages and sealed keys give them; mute.

        Those of the living epoch, and of the one before while a recovery may go back to it: who
        signs its block has no other moment.
        """
        duties = []
        for one in (assembly, assembly.gone_back()):
            if one is not None and self.member(one):
                duties += self.keymaker.recovery(one) + self.resharer.recovery(one)
        return duties

    def recomputing(self, assembly: Assembly) -> list[Duty]:
        """Give the same duties for a state that a recovery order left, those not begun before."""
        return self._fresh(self.recovery(assembly), assembly)

    def member(self, assembly: Assembly) -> bool:
        """Tell whether our identity has the seat, with whatever start."""
        hall = assembly.hall
        if not hall.has_seat(self.index):
            return False
        return hall.seat(self.index).identity == self.papers.public

    def _fresh(self, duties: list[Duty], assembly: Assembly) -> list[Duty]:
        """Leave out what was begun before, and say to which generation the rest belongs."""
        fresh = [duty for duty in duties if duty.name not in self._done]
        self._done |= dict.fromkeys(duty.name for duty in fresh)
        while len(self._done) > MAX_REMEMBERED:
            del self._done[next(iter(self._done))]
        generation = assembly.hall.head.generation
        return [replace(duty, generation=generation) for duty in fresh]

    def seated(self, assembly: Assembly) -> bool:
        """Tell whether the assembly knows this start; without it the seat is silent."""
        return signer_of(assembly, self.index) == self.boot.public

    def named(self, assembly: Assembly) -> bool:
        """Tell whether the assembly knows this start, as a member's or a newcomer's."""
        return self.seated(assembly) or self.candidate.joining(assembly)

    def taken(self, assembly: Assembly) -> bool:
        """Tell whether the assembly knows another start of this identity."""
        known, boot = self.before(assembly)
        return known and boot not in (None, self.boot.public)

    def wipe(self) -> None:
        """Burn all that serves once: a generation has begun."""
        self.presigner.wipe()
        self.committer.wipe()

    def before(self, assembly: Assembly) -> tuple[bool, Boot | None]:
        """Tell whether the assembly knows our identity, as a member or as a newcomer.

        Gives also the keys of the start that it knows.
        """
        hall = assembly.hall
        if not hall.has_seat(self.index):
            joining = self.candidate.before(assembly)
            return joining is not None, joining
        seat = hall.seat(self.index)
        return seat.identity == self.papers.public, seat.boot

    def waits(self, assembly: Assembly, now: UnixSeconds) -> bool:
        """Tell whether something has waited too long, so that ticks should move it on."""
        if not assembly.hall.founded:
            return False
        keygen = assembly.founding.keygen
        if keygen is not None and keygen.phase is not Phase.DONE:
            return keygen.stale(now)
        epoch = assembly.turning.epoch
        if epoch is not None:
            if epoch.stage in _WAITING and epoch.stale(now):
                return True
            if epoch.over(now, assembly.hall.head.epoch_seconds):
                return True
        pages = (assembly.stock.batch(number) for number in assembly.stock.page.open)
        return any(page is not None and page.stale(now) for page in pages)

    def prune(self, assembly: Assembly) -> None:
        """Forget one-time secrets that can serve no more; what was bound was taken before."""
        if assembly.hall.founded:
            self.presigner.prune(assembly)
            self.committer.prune(assembly)
            self.keymaker.prune(assembly)
            self.resharer.prune(assembly)
