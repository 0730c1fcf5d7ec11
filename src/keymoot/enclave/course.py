"""The blocks that one start executes, from where it has begun, and what leaves it for each.

Before a certificate only a block's hash and our share of the certificate leave. Under the
certificate of a block, its outcome leaves and those of the blocks before it, and answers to
the requests that this very block bound.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave.answer import Answer
from keymoot.enclave.answers import Answers, Moment
from keymoot.enclave.bound import Bound, bound_in
from keymoot.enclave.founder import Founder
from keymoot.enclave.frames import Ballot, Released, Want
from keymoot.enclave.messages import MAX_OUTCOMES_BYTES
from keymoot.enclave.replica import NotKept, Replica
from keymoot.enclave.signing import Mark, Signer, order_in
from keymoot.enclave.speaker import Clock, Seen, Speaker
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate
from keymoot.moot.certified import CertifiedHeader, value_of, verify
from keymoot.moot.founding_record import FoundingRecord
from keymoot.moot.message import is_message
from keymoot.runtime.block import BadBlock, Block
from keymoot.runtime.outcome import Outcome, outcome_digest
from keymoot.store.header import Header
from keymoot.store.state import State

KEPT_BLOCKS = 16
"""Blocks that stay known, to be given again, beside all that the newest certificate covers."""

KEPT_MARKS = 8_192
"""How many certified blocks a recovery order may name as its base."""


class NotExecuted(Refused):
    """The block is not among those that this start has executed, and still knows."""

    code = "NOT_EXECUTED"

    def __init__(self, height: Height, low: Height, high: Height) -> None:
        """Name the heights."""
        super().__init__(f"block {height} was asked for, blocks {low} to {high} are known here")


class AnotherBlock(Refused):
    """This start has executed another block of that height, and never goes back."""

    code = "ANOTHER_BLOCK"

    def __init__(self, height: Height) -> None:
        """Name the height, and say what to do."""
        super().__init__(
            f"another block {height} was executed here: to have this one executed, "
            "start the enclave anew at a certified block below it"
        )


class NotFounded(Refused):
    """No state is certified while the network is being founded."""

    code = "NOT_FOUNDED"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the network is being founded, no state of it is certified yet: ask later")


class Covered(Refused):
    """A later certificate covers the block."""

    code = "COVERED"

    def __init__(self, height: Height, certified: Height) -> None:
        """Name both heights."""
        super().__init__(f"block {height} is covered by the certificate of block {certified}")


@dataclass(slots=True)
class _Step:
    """One executed block.

    Attributes:
        name: Keccak of its bytes.
        order: The terms that begin its generation, where it begins one.
        after: The assembly in the state after it.
        first: The lowest block that its certificate covered first; None before it was shown.
    """

    name: Hash32
    header: Header
    order: Certificate | None
    after: Assembly
    first: Height | None = None


class Course:
    """One start's chain of blocks."""

    def __init__(
        self,
        replica: Replica,
        begun: Mark,
        record: FoundingRecord | None,
        founder: Founder,
        signer: Signer,
        answers: Answers,
        speaker: Speaker,
        clock: Clock,
        found: Callable[[FoundingRecord], None],
    ) -> None:
        """Stand at a block whose certificate was checked, or at the genesis.

        Args:
            replica: Executes; it stands there.
            begun: That block.
            record: The founding record; None while the network is being founded.
            founder: Signs the record then.
            signer: Signs blocks.
            answers: Keeps what they bind.
            speaker: Says what follows from certified states.
            clock: The machine's.
            found: Seals that the network is founded; called once, with the whole record.
        """
        self._replica, self._founder, self._signer = replica, founder, signer
        self._answers, self._speaker, self._clock = answers, speaker, clock
        self._found = found
        self._party = signer.party
        self._network = signer.network
        self.record = record
        self.certified = begun
        self._time = replica.tip.time
        self._before = self._assembly(begun.height)
        self._marks: dict[Height, Hash32] = {begun.height: begun.hash}
        self._steps: dict[Height, _Step] = {}
        self._named = self._party.named(self._before)
        self.replaced = False
        """Whether a block that was executed has given our seat to a later start: this one ends."""
        seen = Seen(self._before, begun.height, self._time)
        self._speaker.stored(begun.height)
        self._speaker.see(seen, founding=record is None)

    # -- executing

    def execute(self, name: Hash32, block: Block) -> Ballot:
        """Execute the next block, or give again what was given for one.

        Args:
            name: Keccak of its bytes.
            block: Itself.

        Raises:
            AnotherBlock: another block of its height was executed here.
            NotExecuted: it is not the next one.
            BadBlock: it breaks a rule, and was not executed.
            CannotWrite: the disk does not take what has to be sealed first; ask again.
            Refused, Fault, Defect: anything else does not fit; this start is over.
        """
        if block.height <= self._replica.tip.height:
            step = self._step(block.height)
            if step.name != name:
                raise AnotherBlock(block.height)
            return self._ballot(step)
        if block.height != self._replica.tip.height + 1:
            raise NotExecuted(block.height, self._low(), self._replica.tip.height)
        self._check_founding(block)
        return self._ballot(self._advance(name, block))

    def _advance(self, name: Hash32, block: Block) -> _Step:
        generation = self._replica.tip.generation
        executed = self._replica.execute(block)
        header = executed.header
        after = self._assembly(header.height)
        begins = header.generation != generation
        order = order_in(block.transactions, header.generation) if begins else None
        step = self._steps[header.height] = _Step(name, header, order, after)
        # What serves once is of one generation, and goes with it.
        bound = bound_in(executed.receipts, header.height)
        if begins:
            self._answers.wipe()
            self._party.wipe()
            bound = Bound((), bound.asks, bound.allowed)
        shares = self._party.shares_in(after)
        if begins and not shares:
            # Its order may have gone back to other shares than the certified state needs: with
            # them we sign when we are asked for this block again.
            self._speaker.recover(after)
        self._answers.bind(header.height, header.generation, shares, bound)
        named = self._party.named(after)
        self.replaced = self._named and not named and self._party.taken(after)
        self._named = named or self._named
        if self.record is None:
            self._founder.note(header, after)
            self._speaker.see(Seen(after, header.height, header.time), founding=True)
        return step

    def _check_founding(self, block: Block) -> None:
        if self.record is None and not all(map(is_message, block.transactions)):
            raise BadBlock("before the network is founded, blocks hold messages of nodes only")

    def _ballot(self, step: _Step) -> Ballot:
        header = step.header
        if self.record is None:
            return Ballot(header.hash, founding=self._founder.sign(header, step.after))
        share = self._signer.again(header)
        if not share and header.height > self.certified.height:
            if step.order is not None:
                share = self._signer.by_order(header, step.order, step.after)
            else:
                share = self._signer.by_parent(header, self.certified, self._before)
        return Ballot(header.hash, share)

    # -- under certificates

    def certify(self, height: Height, proof: bytes, want: Want, *, rests: bool = False) -> Released:
        """Take the certificate of an executed block; give what may leave under it.

        Args:
            height: The block's.
            proof: 48 bytes; or the founding record, which is the certificate of its block.
            want: What is wanted of the blocks that it is the first to cover.
            rests: Whether others answer what does not need all: we do when we are asked.

        Raises:
            NotExecuted, Covered: it is of no block that may still be certified.
            NotCertified, ForeignRecord: it does not vouch for the block that was executed.
        """
        step = self._step(height)
        if step.first is None and height <= self.certified.height:
            raise Covered(height, self.certified.height)
        header = step.header
        if self.record is None or height == self.record.height:
            self._check_record(header.height, proof)
            value = b""
        else:
            certified = CertifiedHeader(header, proof)
            verify(self.record.verifying_key, self._network, certified)
            value = value_of(proof)
        if step.first is None:
            step.first = Height(self.certified.height + 1)
            self._answers.certify(height, value, self._replica.state(height))
            self._go_on(step)
        answers = self._answer(self._answers.bound_at(height), rests=rests)
        return Released(step.first, tuple(self._outcomes(step, want)), tuple(answers))

    def outcome(self, height: Height, want: Want) -> bytes:
        """Give the outcome of a block that a certificate covers; while founding, of any.

        Raises:
            NotKept: it is none that this start knows.
            Refused: no certificate covers it yet.
        """
        if self.record is not None and height > self.certified.height:
            raise Refused(f"no certificate that covers block {height} was shown")
        return self._outcome(height, want)

    def answer(self, requests: list[Hash32]) -> list[Answer]:
        """Answer requests, as of the newest certified state; again, if they were answered."""
        return self._answer(requests, rests=False)

    def _answer(self, requests: list[Hash32], *, rests: bool) -> list[Answer]:
        if self.record is None:
            return [
                Answer(one, b"", b"", "NOT_HELD", "there is nothing to answer") for one in requests
            ]
        moment = self._moment()
        return [self._answers.answer(one, moment, rests=rests) for one in requests]

    def newest(self) -> tuple[Mark, UnixSeconds, State]:
        """Give the newest certified block, its time, and the state after it for queries.

        Raises:
            Refused: the network is not founded yet.
        """
        if self.record is None:
            raise NotFounded
        return self.certified, self._time, self._replica.state_for_queries()

    def knows(self, height: Height, name: Hash32) -> bool:
        """Tell whether a certificate covers a block on the chain of this start."""
        return self.record is not None and self._marks.get(height) == name

    def _go_on(self, step: _Step) -> None:
        """Have a certified state as the newest."""
        header, low = step.header, self.certified.height + 1
        for height in range(low, header.height + 1):
            self._marks[Height(height)] = self._steps[Height(height)].header.hash
        self.certified, self._before, self._time = Mark.of(header), step.after, header.time
        self._replica.certified(header.height, header.hash)
        self._answers.forget(header.time)
        self._trim(Height(low))
        revision = self._replica.revision
        self._speaker.see(Seen(step.after, header.height, header.time, revision))

    def _check_record(self, height: Height, proof: bytes) -> None:
        record = FoundingRecord.decode(proof)
        record.check(self._founder.genesis)
        self._founder.check(record)
        if height != record.height:
            raise Refused(f"the founding record is of block {record.height}")
        if self.record is None:
            self._found(record)
            self.record = record

    def _outcome(self, height: Height, want: Want) -> bytes:
        if want is Want.NOTHING:
            return b""
        made = Outcome.of(self._replica.executed(height)).encode()
        return made if want is Want.OUTCOMES else outcome_digest(made)

    def _outcomes(self, step: _Step, want: Want) -> list[bytes]:
        """Give what is wanted of the blocks under a certificate.

        Nothing of a block long ago, nor of one that does not fit beside those below it: the host
        asks for it alone.
        """
        found, left = [], MAX_OUTCOMES_BYTES
        for height in range(step.first or step.header.height, step.header.height + 1):
            try:
                made = self._outcome(Height(height), want)
            except NotKept:
                made = b""
            left -= len(made)
            found.append(made if left >= 0 else b"")
        return found

    def _moment(self) -> Moment:
        mark, before = self.certified, self._before
        return Moment(
            mark=mark,
            time=self._time,
            state=self._replica.state(mark.height),
            now=UnixSeconds(max(self._time, self._clock())),
            shares=self._party.shares_in(before),
            seated=self._party.seated(before),
        )

    def _trim(self, first: Height) -> None:
        """Forget old blocks; those from `first` on are the newest certificate's to give."""
        for height in [one for one in self._steps if one + KEPT_BLOCKS < first]:
            del self._steps[height]
        for height in [one for one in self._marks if one + KEPT_MARKS < self.certified.height]:
            del self._marks[height]
        self._signer.forget(self._low())

    def _step(self, height: Height) -> _Step:
        step = self._steps.get(height)
        if step is None:
            raise NotExecuted(height, self._low(), self._replica.tip.height)
        return step

    def _low(self) -> Height:
        return min(self._steps, default=Height(self._replica.tip.height + 1))

    def _assembly(self, height: Height) -> Assembly:
        return Assembly(self._replica.pages_at(height), self._network)
