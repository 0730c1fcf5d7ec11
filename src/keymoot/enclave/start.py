"""One start of an enclave at its seat, from the block at which it begins to its end.

It begins once, and then only executes. What does not fit ends it: a read that does not lead
to the root, a block that breaks a rule, the block that gives its seat to a later start. Then
it answers nothing more, and has to be started anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.attest.evidence import ReportData
from keymoot.base import rlp
from keymoot.base.errors import BrokenStorage, Defect, KeymootError, Refused
from keymoot.base.fields import bytes_of, fixed_of
from keymoot.base.fixed import Bytes32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import seconds_of
from keymoot.committee.certified import CertifiedHeader, verify
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.participant import Participant, SessionSecrets
from keymoot.committee.recovery.order import SignedRecoveryOrder
from keymoot.committee.reshare.epoch_keys import EpochKeys
from keymoot.committee.statekey.member import StateKeyParticipant
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.enclave import frames, messages
from keymoot.enclave.answers import Answers
from keymoot.enclave.executed_chain import AnotherBlock, ExecutedChain, NotExecuted
from keymoot.enclave.founder import ForeignRecord, FoundingSigner, SignedRecord
from keymoot.enclave.frames import (
    BeginFrame,
    CertifiedPlace,
    CertifyFrame,
    OutcomeFrame,
    RequestsFrame,
    WatchFrame,
)
from keymoot.enclave.messages import AnswersFrame, ToldFrame
from keymoot.enclave.publisher import Clock, Publisher, Send
from keymoot.enclave.queries import Answerer, Certified, Watch
from keymoot.enclave.refusals import CertificateMissing, NotListed, OrderRefused, UnknownMessage
from keymoot.enclave.releasing import Releaser
from keymoot.enclave.remote import Host
from keymoot.enclave.replica import Diverged, Replica, TailTooLong
from keymoot.enclave.sealed_state import SealedStateFile
from keymoot.enclave.signing import BlockMark, Signer
from keymoot.enclave.watching import Watching
from keymoot.enclave.worker import Report, Worker
from keymoot.runtime.asked import ExecutedQuery
from keymoot.runtime.block import BadBlock, Block, NetworkConstants, Tip
from keymoot.runtime.first_state import first_state
from keymoot.store.header import Header
from keymoot.store.keys import StateKeys

_HARMLESS = (AnotherBlock, NotExecuted, BadBlock, CannotWrite, TailTooLong)
"""What is found before a block is executed, or after; it leaves this start as it is."""


class NotBegun(Refused, code="NOT_BEGUN"):
    message = "the enclave has not begun at a block since it started: show it one"


class BegunAlready(Refused, code="BEGUN_ALREADY"):
    message = "the enclave has begun already: to go elsewhere, start it anew"


class NoStateSecret(Refused, code="NO_STATE_SECRET"):
    message = (
        "the enclave lacks the state secret that this block's state uses: "
        "let it watch until it has it"
    )


class StartEnded(Refused, code="START_OVER"):
    def __init__(self, why: str) -> None:
        super().__init__(f"this start of the enclave is over: {why}. Start it anew")


@dataclass(frozen=True, slots=True)
class SeatContext:
    """Where a start sits, and what it has for it.

    Attributes:
        founds: Whether the genesis lists all four keys of this very start.
        listed: Whether the genesis lists its identity.
        signed: The founding record that it has signed, sealed.
        quote: Gives evidence that binds 64 bytes of report data.
    """

    genesis: Genesis
    index: int
    founds: bool
    listed: bool
    sealed: SealedStateFile
    signed: SignedRecord
    session: SessionSecrets
    quote: Callable[[ReportData], bytes]


class Start:
    """What one start may do, and the one place where it ends."""

    def __init__(
        self,
        seat: SeatContext,
        host: Host,
        send: Send,
        worker: Callable[[Report], Worker],
        clock: Clock,
    ) -> None:
        self._seat, self._host, self._clock = seat, host, clock
        sealed, network = seat.sealed.now, seat.genesis.network
        self.keys = StateKeys(None, network)
        for name, state in sealed.states:
            self.keys.take(state, name)
        identity = EnclaveIdentity(sealed.identity, seat.quote)
        keeper = StateKeyParticipant(seat.index, sealed.identity, frozenset(self.keys.names()))
        epochs = EpochKeys(sealed.epoch, sealed.next, sealed.previous, sealed.recoveries)
        self.participant = Participant(seat.index, epochs, seat.session, identity, keeper)
        self.speaker = Publisher(self.participant, seat.sealed, self.keys, send, worker, clock)
        self._watching = Watching(network, self.speaker, self.keys)
        self._course: ExecutedChain | None = None
        self._over: StartEnded | None = None

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        if self._over is not None:
            raise self._over
        try:
            return self._handle(word, body)
        except (BrokenStorage, Defect, Diverged) as error:
            raise self._end(str(error)) from error

    def _handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        if word == frames.BEGIN:
            return self._begin(BeginFrame.of_item(body).place)
        if word == frames.WATCH:
            return self._watch(WatchFrame.of_item(body))
        if word == frames.EXECUTE:
            return self._execute(bytes_of(body, "block"))
        if word == frames.CERTIFY:
            shown = CertifyFrame.of_item(body)
            certify = self._known().certify
            return certify(shown.height, shown.proof, shown.want, rests=shown.rests).item()
        if word == frames.OUTCOME:
            asked = OutcomeFrame.of_item(body)
            return self._known().outcome(asked.height, asked.want)
        if word == frames.ANSWER:
            requests = RequestsFrame.of_item(body).requests
            return AnswersFrame(tuple(self._known().answer(requests))).item()
        if word == messages.ENDORSE:
            return self._endorse(bytes_of(body, "order"))
        return self._speak(word, body)

    def query(self, body: rlp.Decoded) -> Callable[[Watch | None], rlp.Item]:
        """Take a query on the newest certified state; give what answers it, in any thread."""
        asked = ExecutedQuery.of_item(body)
        if self._over is not None:
            raise self._over
        mark, time, state = self._known().newest()
        genesis = self._seat.genesis
        block = BlockEnvironment(
            genesis.network, genesis.chain_id, mark.height, time, mark.hash, genesis.base_fee
        )
        newest = Certified(block, mark.hash, state)
        identity = self._seat.sealed.now.identity
        answerer = Answerer(
            built_in_registry(),
            self.keys,
            SigningKey(identity),
            Bytes32(ed25519.public_key(identity)),
        )
        return lambda watch: answerer.answer(asked, newest, watch).item()

    def poll(self) -> None:
        if self._over is not None:
            return
        try:
            self.speaker.poll()
        except (BrokenStorage, Defect, Diverged) as error:
            self._end(str(error))

    # -- where it stands

    def _begin(self, place: CertifiedPlace | None) -> rlp.Item:
        """Begin at a certified block, or at the genesis, once."""
        if self._course is not None:
            raise BegunAlready
        genesis = self._seat.genesis
        if place is None:
            if not self._seat.founds or self._seat.sealed.now.network is not None:
                raise NotListed
            tip, record = _first_tip(genesis), None
        else:
            record, header = self._check(place)
            self._watching.check(header)
            tip = Tip.of(header)
        replica = Replica(tip, _chain_of(genesis), self.keys, self._host)
        if record is not None and not replica.can_execute():
            raise NoStateSecret
        self._course = self._course_from(replica, record)
        return []

    def _course_from(self, replica: Replica, record: FoundingRecord | None) -> ExecutedChain:
        seat, sealed = self._seat, self._seat.sealed
        genesis, tip = seat.genesis, replica.tip
        answers = Answers(
            self.participant,
            SigningKey(sealed.now.identity),
            genesis.network,
            Releaser(genesis, self.keys),
            self.speaker.post,
        )
        return ExecutedChain(
            replica=replica,
            begun=BlockMark(tip.height, tip.hash, tip.generation),
            record=record,
            founder=FoundingSigner(genesis, self.participant, seat.signed),
            signer=Signer(genesis.network, self.participant),
            answers=answers,
            speaker=self.speaker,
            clock=self._clock,
            when_founded=self._found,
        )

    def _watch(self, shown: WatchFrame) -> rlp.Item:
        """See the committee at a certified block; tell whether it can begin now."""
        if self._course is not None:
            raise BegunAlready
        _, header = self._check(shown.place)
        return ToldFrame(self._watching.see(header, dict(shown.witness))).item()

    def _check(self, place: CertifiedPlace) -> tuple[FoundingRecord, Header]:
        """Check that a block is certified on our network, which this start joins with that."""
        seat = self._seat
        record, header = FoundingRecord.decode(place.record), Header.decode(place.header)
        # 1. All founders signed the record; a founder believes the one that it signed itself.
        record.check(seat.genesis)
        joined = seat.sealed.now.network is not None
        if not joined and seat.listed and seat.signed.digest != record.digest():
            raise ForeignRecord
        # 2. The record's own block needs no certificate; every other block has one.
        if place.signature:
            certified = CertifiedHeader(header, place.signature)
            verify(record.verifying_key, seat.genesis.network, certified)
        elif (header.height, header.hash) != (record.height, record.block):
            raise CertificateMissing
        # 3. The enclave belongs to this network, for good.
        self._found(record)
        return record, header

    def _found(self, record: FoundingRecord) -> None:
        sealed = self._seat.sealed
        joined = sealed.now.joined(record.network)
        if joined.network != sealed.now.network:
            sealed.put(joined)

    # -- what it does

    def _execute(self, raw: bytes) -> rlp.Item:
        course, block = self._known(), Block.decode(raw)
        try:
            ballot = course.execute(keccak256(raw), block)
        except _HARMLESS:
            raise
        except KeymootError as error:
            raise self._end(str(error)) from error
        except Exception:
            # Whatever it was, nobody knows how far it came.
            self._end("a block met a fault in its code")
            raise
        if course.replaced:
            raise self._end("a later start of this enclave has its seat")
        return ballot.item()

    def _endorse(self, raw: bytes) -> rlp.Item:
        """Sign the terms of a recovery order that names this start, on a block of our chain."""
        terms = SignedRecoveryOrder.decode(raw).terms
        if terms.network != self._seat.genesis.network:
            raise OrderRefused("is of another network")
        if terms.sessions.get(self._seat.index) != self._seat.session.public:
            raise OrderRefused("does not name this start")
        stands = self._watching if self._course is None else self._course
        if not stands.knows(terms.base, terms.block):
            raise OrderRefused("builds on no certified block of our own chain")
        return ed25519.sign(self._seat.sealed.now.identity, terms.digest())

    def _speak(self, word: str, body: rlp.Decoded) -> rlp.Item:
        if word == messages.PULSE:
            self.speaker.pulse()
        elif word == messages.TURN:
            self.speaker.turn()
        elif word == messages.ADMIT:
            self.speaker.admit(fixed_of(body, Bytes32, "identity"))
        elif word == messages.PART:
            self.speaker.part(bytes_of(body, "seat", 1))
        elif word == messages.STORED:
            self.speaker.stored(messages.read_stored(body))
            return ToldFrame(self.speaker.left).item()
        else:
            raise UnknownMessage(word)
        return []

    def _known(self) -> ExecutedChain:
        if self._course is None:
            raise NotBegun
        return self._course

    def _end(self, why: str) -> StartEnded:
        """Burn all that serves once, and answer nothing more."""
        self._over = StartEnded(why)
        self.speaker.silence()
        self.participant.wipe()
        self._course = None
        return self._over


def _chain_of(genesis: Genesis) -> NetworkConstants:
    return NetworkConstants(genesis.network, genesis.chain_id, genesis.base_fee)


def _first_tip(genesis: Genesis) -> Tip:
    root, _ = first_state(genesis)
    return Tip.of_genesis(genesis.network, seconds_of(genesis.time), root)
