"""The blocks that one start executes, from where it has begun, and what leaves it for each.

Before a certificate only a block's hash and our share of the certificate leave. Under the
certificate of a block, its outcome leaves and those of the blocks before it, and answers to
the requests that this very block bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.certified import CertifiedHeader, value_of, verify
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import is_message
from keymoot.committee.recovery.order import RecoveryOrder
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.answers import Answers, Moment
from keymoot.enclave.bound import Bound, bound_in
from keymoot.enclave.founder import FoundingSigner
from keymoot.enclave.frames import ReleasedFrame
from keymoot.enclave.messages import MAX_OUTCOMES_BYTES
from keymoot.enclave.publisher import Clock, PublishedState, Publisher
from keymoot.enclave.refusals import MisplacedRecord, NotCovered
from keymoot.enclave.replica import NotKept, Replica
from keymoot.enclave.signing import BlockMark, Signer, order_in
from keymoot.runtime.block import BadBlock, Block
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.outcome import Outcome, outcome_digest
from keymoot.runtime.vote import Vote
from keymoot.store.header import Header
from keymoot.store.state import State

KEPT_BLOCKS = 16
"""Blocks that stay known, to be given again, beside all that the newest certificate covers."""

KEPT_MARKS = 8_192
"""How many certified blocks a recovery order may name as its base."""


class NotExecuted(Refused, code="NOT_EXECUTED"):
    def __init__(self, height: Height, low: Height, high: Height) -> None:
        super().__init__(f"block {height} was asked for, blocks {low} to {high} are known here")


class AnotherBlock(Refused, code="ANOTHER_BLOCK"):
    def __init__(self, height: Height) -> None:
        super().__init__(
            f"another block {height} was executed here: to have this one executed, "
            "start the enclave anew at a certified block below it"
        )


class NotFoundedYet(Refused, code="NOT_FOUNDED"):
    message = "the network is being founded, no state of it is certified yet: ask later"


class CoveredLater(Refused, code="COVERED"):
    def __init__(self, height: Height, certified: Height) -> None:
        super().__init__(f"block {height} is covered by the certificate of block {certified}")


@dataclass(slots=True)
class _Step:
    """One executed block.

    Attributes:
        name: Keccak of its bytes.
        order: The terms that begin its generation, where it begins one.
        after: The committee in the state after it.
        first: The lowest block that its certificate covered first; None before it was shown.
    """

    name: Hash32
    header: Header
    order: RecoveryOrder | None
    after: CommitteeMachine
    first: Height | None = None


class ExecutedChain:
    def __init__(
        self,
        replica: Replica,
        begun: BlockMark,
        record: FoundingRecord | None,
        founder: FoundingSigner,
        signer: Signer,
        answers: Answers,
        speaker: Publisher,
        clock: Clock,
        when_founded: Callable[[FoundingRecord], None],
    ) -> None:
        """Stand at `begun`, whose certificate was checked, or at the genesis.

        There is no `record` while the network is being founded; `when_founded` seals that it is,
        and is called once, with the whole record.
        """
        self._replica, self._founder, self._signer = replica, founder, signer
        self._answers, self._speaker, self._clock = answers, speaker, clock
        self._when_founded = when_founded
        self._participant = signer.participant
        self._network = signer.network
        self.record = record
        self.certified = begun
        self._time = replica.tip.time
        self._before = self._machine(begun.height)
        self._marks: dict[Height, Hash32] = {begun.height: begun.hash}
        self._steps: dict[Height, _Step] = {}
        self._named = self._participant.named(self._before)
        self.replaced = False
        """Whether a block that was executed has given our seat to a later start: this one ends."""
        seen = PublishedState(self._before, begun.height, self._time)
        self._speaker.stored(begun.height)
        self._speaker.see(seen, founding=record is None)

    # -- executing

    def execute(self, name: Hash32, block: Block) -> Vote:
        """Execute the next block, or give again what was given for one.

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
        after = self._machine(header.height)
        begins = header.generation != generation
        order = order_in(block.transactions, header.generation) if begins else None
        step = self._steps[header.height] = _Step(name, header, order, after)
        # What serves once is of one generation, and goes with it.
        bound = bound_in(executed.receipts, header.height)
        if begins:
            self._answers.wipe()
            self._participant.wipe()
            bound = Bound((), bound.asks, bound.allowed)
        shares = self._participant.shares_in(after)
        if begins and not shares:
            # Its order may have gone back to other shares than the certified state needs: with
            # them we sign when we are asked for this block again.
            self._speaker.recover(after)
        self._answers.bind(header.height, header.generation, shares, bound)
        named = self._participant.named(after)
        self.replaced = self._named and not named and self._participant.taken(after)
        self._named = named or self._named
        if self.record is None:
            self._founder.note(header, after)
            self._speaker.see(PublishedState(after, header.height, header.time), founding=True)
        return step

    def _check_founding(self, block: Block) -> None:
        if self.record is None and not all(map(is_message, block.transactions)):
            raise BadBlock("before the network is founded, blocks hold messages of nodes only")

    def _ballot(self, step: _Step) -> Vote:
        header = step.header
        if self.record is None:
            return Vote(header.hash, founding=self._founder.sign(header, step.after))
        share = self._signer.again(header)
        if not share and header.height > self.certified.height:
            if step.order is not None:
                share = self._signer.by_order(header, step.order, step.after)
            else:
                share = self._signer.by_parent(header, self.certified, self._before)
        return Vote(header.hash, share)

    # -- under certificates

    def certify(
        self, height: Height, proof: bytes, want: Disclosure, *, rests: bool = False
    ) -> ReleasedFrame:
        """Take the certificate of an executed block; give what may leave under it.

        The proof has 48 bytes, or is the founding record, which certifies its block. With `rests`
        others answer what does not need all: we do when we are asked.
        """
        step = self._step(height)
        if step.first is None and height <= self.certified.height:
            raise CoveredLater(height, self.certified.height)
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
        return ReleasedFrame(step.first, tuple(self._outcomes(step, want)), tuple(answers))

    def outcome(self, height: Height, want: Disclosure) -> bytes:
        """Give the outcome of a block that a certificate covers; while founding, of any."""
        if self.record is not None and height > self.certified.height:
            raise NotCovered(height)
        return self._outcome(height, want)

    def answer(self, requests: Sequence[Hash32]) -> list[RequestAnswer]:
        """Answer requests, as of the newest certified state; again, if they were answered."""
        return self._answer(requests, rests=False)

    def _answer(self, requests: Sequence[Hash32], *, rests: bool) -> list[RequestAnswer]:
        if self.record is None:
            return [
                RequestAnswer(request, b"", b"", "NOT_HELD", "there is nothing to answer")
                for request in requests
            ]
        moment = self._moment()
        return [self._answers.answer(request, moment, rests=rests) for request in requests]

    def newest(self) -> tuple[BlockMark, UnixSeconds, State]:
        """Give the newest certified block, its time, and the state after it for queries."""
        if self.record is None:
            raise NotFoundedYet
        return self.certified, self._time, self._replica.state_for_queries()

    def knows(self, height: Height, name: Hash32) -> bool:
        """Tell whether a certificate covers a block on the chain of this start."""
        return self.record is not None and self._marks.get(height) == name

    def _go_on(self, step: _Step) -> None:
        header, low = step.header, self.certified.height + 1
        for height in range(low, header.height + 1):
            self._marks[Height(height)] = self._steps[Height(height)].header.hash
        self.certified, self._before, self._time = BlockMark.of(header), step.after, header.time
        self._replica.certified(header.height, header.hash)
        self._answers.forget(header.time)
        self._trim(Height(low))
        revision = self._replica.revision
        self._speaker.see(PublishedState(step.after, header.height, header.time, revision))

    def _check_record(self, height: Height, proof: bytes) -> None:
        record = FoundingRecord.decode(proof)
        record.check(self._founder.genesis)
        self._founder.check(record)
        if height != record.height:
            raise MisplacedRecord(record.height)
        if self.record is None:
            self._when_founded(record)
            self.record = record

    def _outcome(self, height: Height, want: Disclosure) -> bytes:
        if want is Disclosure.NOTHING:
            return b""
        made = Outcome.of(self._replica.executed(height)).encode()
        return made if want is Disclosure.OUTCOMES else outcome_digest(made)

    def _outcomes(self, step: _Step, want: Disclosure) -> list[bytes]:
        """Give what is wanted of the blocks under a certificate.

        Nothing of a block long ago, nor of one that does not fit beside those below it: the host
        asks for it alone.
        """
        outcomes, left = [], MAX_OUTCOMES_BYTES
        for height in range(step.first or step.header.height, step.header.height + 1):
            try:
                made = self._outcome(Height(height), want)
            except NotKept:
                made = b""
            left -= len(made)
            outcomes.append(made if left >= 0 else b"")
        return outcomes

    def _moment(self) -> Moment:
        mark, before = self.certified, self._before
        return Moment(
            mark=mark,
            time=self._time,
            state=self._replica.state(mark.height),
            now=UnixSeconds(max(self._time, self._clock())),
            shares=self._participant.shares_in(before),
            seated=self._participant.seated(before),
        )

    def _trim(self, first: Height) -> None:
        """Forget old blocks; those from `first` on are the newest certificate's to give."""
        for height in [step for step in self._steps if step + KEPT_BLOCKS < first]:
            del self._steps[height]
        for height in [mark for mark in self._marks if mark + KEPT_MARKS < self.certified.height]:
            del self._marks[height]
        self._signer.forget(self._low())

    def _step(self, height: Height) -> _Step:
        step = self._steps.get(height)
        if step is None:
            raise NotExecuted(height, self._low(), self._replica.tip.height)
        return step

    def _low(self) -> Height:
        return min(self._steps, default=Height(self._replica.tip.height + 1))

    def _machine(self, height: Height) -> CommitteeMachine:
        return CommitteeMachine(self._replica.pages_at(height), self._network)
