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
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.registry import built_in_registry
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.enclave import frames, messages
from keymoot.enclave.answers import Answers
from keymoot.enclave.course import AnotherBlock, Course, NotExecuted
from keymoot.enclave.founder import ForeignRecord, Founder, SignedRecord
from keymoot.enclave.frames import Place
from keymoot.enclave.keep import KeepFile
from keymoot.enclave.queries import Answerer, Certified, Watch
from keymoot.enclave.releasing import Releaser
from keymoot.enclave.remote import Host
from keymoot.enclave.replica import Diverged, Replica, TailTooLong
from keymoot.enclave.signing import Mark, Signer
from keymoot.enclave.speaker import Clock, Say, Speaker
from keymoot.enclave.watching import Watching
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.certified import CertifiedHeader, verify
from keymoot.moot.epoch_keys import EpochKeys
from keymoot.moot.founding_record import FoundingRecord
from keymoot.moot.genesis import Genesis
from keymoot.moot.papers import Papers
from keymoot.moot.party import BootSecrets, Party
from keymoot.moot.statekeeper import Statekeeper
from keymoot.runtime.asked import Asked
from keymoot.runtime.block import BadBlock, Block, Chain, Tip
from keymoot.runtime.first_state import first_state
from keymoot.store.header import Header
from keymoot.store.keys import StateKeys

_HARMLESS = (AnotherBlock, NotExecuted, BadBlock, CannotWrite, TailTooLong)
"""What is found before a block is executed, or after; it leaves this start as it is."""


class NotBegun(Refused):
    """The enclave has to begin at a block first."""

    code = "NOT_BEGUN"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the enclave has not begun at a block since it started: show it one")


class BegunAlready(Refused):
    """A start begins once."""

    code = "BEGUN_ALREADY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the enclave has begun already: to go elsewhere, start it anew")


class NoStateSecret(Refused):
    """Without the state secret no block can be executed."""

    code = "NO_STATE_SECRET"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            "the enclave lacks the state secret that this block's state uses: "
            "let it watch until it has it"
        )


class Over(Refused):
    """This start has ended."""

    code = "START_OVER"

    def __init__(self, why: str) -> None:
        """Say why, and what to do."""
        super().__init__(f"this start of the enclave is over: {why}. Start it anew")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a start sits, and what it has for it.

    Attributes:
        genesis: Of its network.
        index: Its seat's number.
        founds: Whether the genesis lists all four keys of this very start.
        listed: Whether the genesis lists its identity.
        keep: What is sealed.
        signed: The founding record that it has signed, sealed.
        boot: The keys of this start.
        quote: Gives evidence that binds 64 bytes of report data.
    """

    genesis: Genesis
    index: int
    founds: bool
    listed: bool
    keep: KeepFile
    signed: SignedRecord
    boot: BootSecrets
    quote: Callable[[ReportData], bytes]


class Start:
    """What one start may do, and the one place where it ends."""

    def __init__(
        self,
        seat: Seat,
        host: Host,
        say: Say,
        workshop: Callable[[Report], Workshop],
        clock: Clock,
    ) -> None:
        """Sit down; nothing is begun yet.

        Args:
            seat: Where, and with what.
            host: Keeps the state of the ledger.
            say: Posts what this enclave has to say to the ledger.
            workshop: Makes the place for its long arithmetic.
            clock: The machine's.
        """
        self._seat, self._host, self._clock = seat, host, clock
        keep, network = seat.keep.now, seat.genesis.network
        self.keys = StateKeys(None, network)
        for name, state in keep.states:
            self.keys.take(state, name)
        papers = Papers(keep.identity, seat.quote)
        keeper = Statekeeper(seat.index, keep.identity, frozenset(self.keys.names()))
        epochs = EpochKeys(keep.epoch, keep.next, keep.previous, keep.recoveries)
        self.party = Party(seat.index, epochs, seat.boot, papers, keeper)
        self.speaker = Speaker(self.party, seat.keep, self.keys, say, workshop, clock)
        self._watching = Watching(network, self.speaker, self.keys)
        self._course: Course | None = None
        self._over: Over | None = None

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        """Do what one message asks.

        Raises:
            Malformed: not a message of this protocol.
            Refused: the answer is no.
            Over: this start has ended.
        """
        if self._over is not None:
            raise self._over
        try:
            return self._handle(word, body)
        except (BrokenStorage, Defect, Diverged) as error:
            raise self._end(str(error)) from error

    def _handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        if word == frames.BEGIN:
            return self._begin(frames.read_begin(body))
        if word == frames.WATCH:
            return self._watch(*frames.read_watch(body))
        if word == frames.EXECUTE:
            return self._execute(bytes_of(body, "block"))
        if word == frames.CERTIFY:
            height, proof, want, rests = frames.read_certify(body)
            return self._known().certify(height, proof, want, rests=rests).encode()
        if word == frames.OUTCOME:
            return self._known().outcome(*frames.read_outcome(body))
        if word == frames.ANSWER:
            requests = frames.read_requests(body)
            return messages.answers_item(self._known().answer(requests))
        if word == messages.ENDORSE:
            return self._endorse(bytes_of(body, "order"))
        return self._speak(word, body)

    def query(self, body: rlp.Decoded) -> Callable[[Watch | None], rlp.Item]:
        """Take a query on the newest certified state; give what answers it, in any thread.

        Raises:
            Malformed: not a query.
            Refused: there is no certified state here that this start has executed or begun at.
        """
        asked = Asked.decode(body)
        if self._over is not None:
            raise self._over
        mark, time, state = self._known().newest()
        genesis = self._seat.genesis
        block = BlockEnvironment(
            genesis.network, genesis.chain_id, mark.height, time, mark.hash, genesis.base_fee
        )
        newest = Certified(block, mark.hash, state)
        identity = self._seat.keep.now.identity
        answerer = Answerer(
            built_in_registry(),
            self.keys,
            SigningKey(identity),
            Bytes32(ed25519.public_key(identity)),
        )
        return lambda watch: answerer.answer(asked, newest, watch).encode()

    def look(self) -> None:
        """Begin what is due now."""
        if self._over is not None:
            return
        try:
            self.speaker.look()
        except (BrokenStorage, Defect, Diverged) as error:
            self._end(str(error))

    # -- where it stands

    def _begin(self, place: Place | None) -> rlp.Item:
        """Begin at a certified block, or at the genesis, once."""
        if self._course is not None:
            raise BegunAlready
        genesis = self._seat.genesis
        if place is None:
            if not self._seat.founds or self._seat.keep.now.network is not None:
                raise Refused("only a start that the genesis lists founds its network")
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

    def _course_from(self, replica: Replica, record: FoundingRecord | None) -> Course:
        seat, keep = self._seat, self._seat.keep
        genesis, tip = seat.genesis, replica.tip
        answers = Answers(
            self.party,
            SigningKey(keep.now.identity),
            genesis.network,
            Releaser(genesis, self.keys),
            self.speaker.post,
        )
        return Course(
            replica=replica,
            begun=Mark(tip.height, tip.hash, tip.generation),
            record=record,
            founder=Founder(genesis, self.party, seat.signed),
            signer=Signer(genesis.network, self.party),
            answers=answers,
            speaker=self.speaker,
            clock=self._clock,
            found=self._found,
        )

    def _watch(self, place: Place, witness: dict[bytes, bytes]) -> rlp.Item:
        """See the assembly at a certified block; tell whether it can begin now."""
        if self._course is not None:
            raise BegunAlready
        _, header = self._check(place)
        return [b"\x01" if self._watching.see(header, witness) else b""]

    def _check(self, place: Place) -> tuple[FoundingRecord, Header]:
        """Check that a block is certified on our network, which this start joins with that.

        Raises:
            BadRecord, ForeignRecord, NotCertified: it is not.
        """
        seat = self._seat
        record, header = FoundingRecord.decode(place.record), Header.decode(place.header)
        # 1. All founders signed the record; a founder believes the one that it signed itself.
        record.check(seat.genesis)
        joined = seat.keep.now.network is not None
        if not joined and seat.listed and seat.signed.digest != record.digest():
            raise ForeignRecord
        # 2. The record's own block needs no certificate; every other block has one.
        if place.signature:
            certified = CertifiedHeader(header, place.signature)
            verify(record.verifying_key, seat.genesis.network, certified)
        elif (header.height, header.hash) != (record.height, record.block):
            raise Refused("a block other than the record's own needs its certificate")
        # 3. The enclave belongs to this network, for good.
        self._found(record)
        return record, header

    def _found(self, record: FoundingRecord) -> None:
        keep = self._seat.keep
        joined = keep.now.joined(record.network)
        if joined.network != keep.now.network:
            keep.put(joined)

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
        return ballot.encode()

    def _endorse(self, raw: bytes) -> rlp.Item:
        """Sign the terms of a recovery order that names this start, on a block of our chain."""
        terms = SignedCertificate.decode(raw).terms
        if terms.network != self._seat.genesis.network:
            raise Refused("the recovery order is of another network")
        if terms.boots.get(self._seat.index) != self._seat.boot.public:
            raise Refused("the recovery order does not name this start")
        stands = self._watching if self._course is None else self._course
        if not stands.knows(terms.base, terms.block):
            raise Refused("the recovery order builds on no certified block of our own chain")
        return ed25519.sign(self._seat.keep.now.identity, terms.digest())

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
            return [b"\x01" if self.speaker.left else b""]
        else:
            raise Refused(f'"{word}" is no message to an enclave')
        return []

    def _known(self) -> Course:
        if self._course is None:
            raise NotBegun
        return self._course

    def _end(self, why: str) -> Over:
        """Burn all that serves once, and answer nothing more."""
        self._over = Over(why)
        self.speaker.silence()
        self.party.wipe()
        self._course = None
        return self._over


def _chain_of(genesis: Genesis) -> Chain:
    return Chain(genesis.network, genesis.chain_id, genesis.base_fee)


def _first_tip(genesis: Genesis) -> Tip:
    root, _ = first_state(genesis)
    return Tip.of_genesis(genesis.network, seconds_of(genesis.time), root)
