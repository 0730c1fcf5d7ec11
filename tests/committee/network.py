"""n participants and one ledger in memory; each participant follows the ledger on pages of its own.

Newcomers follow from the ledger's pages on, as they are when they begin.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from keymoot.attest.evidence import ReportData
from keymoot.attest.simulated import quote
from keymoot.attest.vendors import NOTHING_POSTED, Posted
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Bytes32, Hash32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import Attestation
from keymoot.committee.genesis import Founder
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.keygen.ledger import PHASE_OF
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import (
    BY_IDENTITY,
    AttemptBody,
    Kind,
    NodeMessage,
    NumberedBody,
)
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.participant import Participant, SessionSecrets
from keymoot.committee.presign import ledger as stock
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.reshare.epoch_keys import EpochKeys, Role
from keymoot.committee.seat import NewSession, SessionKeys
from keymoot.committee.statekey.member import StateKeyParticipant
from keymoot.crypto import ed25519
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1
from tests.committee.bodies import fields_of
from tests.copying import copy_of

NETWORK = NetworkId(b"\x31" * 32)
CODE = Measurement(b"\x0c" * 48)
SIMULATED_ONLY = Attestation((CODE,), simulated=True)


@cache
def _at_rest(size: int, seed: int, *_: int) -> "CommitteeNetwork":
    made = CommitteeNetwork(size, seed)
    made.settle()
    return made


def bound_of(founder: Founder) -> dict[str, Any]:
    """Give what a founder's evidence binds, as `founder_report` takes it."""
    return {
        "network": NETWORK,
        "identity": founder.identity,
        "sealing": founder.sealing,
        "session": founder.session,
    }


@dataclass
class CommitteeNetwork:
    """`silent` seats do nothing; `spoil` may change what a seat says.

    `code` is what a seat runs, if it is other than all the rest; unless `attested` is False the
    founders have shown evidence before the first block. `quotes` makes evidence of seats that are
    not simulated; what vendors have published for it is `posted`.
    """

    size: int = 4
    seed: int = 1
    silent: set[int] = field(default_factory=set)
    height: int = 0
    time: int = 1_800_000_000
    code: dict[int, Measurement] = field(default_factory=dict)
    attested: bool = True
    quotes: dict[int, Callable[[bytes], bytes]] = field(default_factory=dict)
    attestation: Attestation = SIMULATED_ONLY
    posted: Posted = NOTHING_POSTED

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.identities = {at: self.secret() for at in range(1, self.size + 1)}
        self.keeps: dict[int, Secret] = {}
        self.states: dict[int, dict[Bytes32, Secret]] = {}
        self.participants = {
            at: self.participant(at, EpochKeys(self.scalar(), self.scalar()))
            for at in self.identities
        }
        self.pages = MemoryPages()
        self.ledger = CommitteeMachine(self.pages, NETWORK, self.posted)
        self.views = {
            at: CommitteeMachine(MemoryPages(), NETWORK, self.posted) for at in self.participants
        }
        for one in (self.ledger, *self.views.values()):
            one.found(
                self.founders(),
                Height(0),
                UnixSeconds(self.time),
                attestation=self.attestation,
            )
        self.refused: list[tuple[NodeMessage, Exception]] = []
        self.log: list[NodeMessage] = []
        self.spoil = lambda participant, kind, body: body
        if self.attested:
            self.attest()

    @classmethod
    def at_rest(cls, size: int = 4, seed: int = 1) -> "CommitteeNetwork":
        """Give a network that is founded and has nothing to say: made once, and copied."""
        found = _at_rest(size, seed, stock.BATCH_SIZE, stock.MIN_READY)
        made: CommitteeNetwork = copy_of(found, {})
        made.random = random.Random()
        made.random.setstate(found.random.getstate())
        return made

    def secret(self) -> Secret:
        return Secret(self.random.randbytes(32))

    def scalar(self) -> Secret:
        return SECP256K1.scalar(self.random.randbytes(32))

    def session(self) -> SessionSecrets:
        signing, sealing = self.secret(), self.scalar()
        point = SECP256K1.encode(SECP256K1.base(sealing))
        return SessionSecrets(
            signing, sealing, SessionKeys(Bytes32(ed25519.public_key(signing)), point)
        )

    def identity(self, seat: int) -> EnclaveIdentity:
        identity = self.identities[seat]

        def made(report: ReportData) -> bytes:
            hardware = self.quotes.get(seat)
            return (
                quote(self.code.get(seat, CODE), report) if hardware is None else hardware(report)
            )

        return EnclaveIdentity(identity, made)

    def participant(self, seat: int, keys: EpochKeys) -> Participant:
        held = self.states.get(seat, {}) if seat in self.keeps else {}
        keeper = StateKeyParticipant(seat, self.identities[seat], frozenset(held))
        return Participant(seat, keys, self.session(), self.identity(seat), keeper)

    def founders(self) -> tuple[Founder, ...]:
        return tuple(
            Founder(
                participant.identity.public,
                participant.keys.points[0],
                participant.session.public,
            )
            for at, participant in self.participants.items()
        )

    def attest(self, seats: Iterable[int] | None = None) -> None:
        """Founders show what they run, in a block before the first."""
        for at in self.participants if seats is None else seats:
            (task,) = self.participants[at].dkg.due(self.ledger)
            ((kind, body),) = task.run(SeededRng(Secret(bytes(32))))
            for one in (self.ledger, *self.views.values()):
                one.apply(
                    self.message(at, kind, body), Height(0), UnixSeconds(self.time), lambda _: None
                )

    # -- saying and hearing

    def ancestor(self, height: int) -> Hash32 | None:
        """Hash of a block before the one that is being executed."""
        return self.block(height) if height < self.height else None

    def message(self, seat: int, kind: Kind, body: bytes) -> NodeMessage:
        made = NodeMessage(NETWORK, self.ledger.state.record.generation, seat, kind, body)
        by_identity = kind in BY_IDENTITY
        participant = self.participants[seat]
        return made.signed(self.identities[seat] if by_identity else participant.session.signing)

    def send(self, *messages: NodeMessage) -> None:
        """Put messages into one block."""
        self.height += 1
        first, *others = self.views.values()
        for message in messages:
            outcomes = set()
            for machine in (self.ledger, first):
                try:
                    machine.apply(
                        message, Height(self.height), UnixSeconds(self.time), self.ancestor
                    )
                    outcomes.add("")
                except (Refused, Malformed) as error:
                    outcomes.add(type(error).__name__)
                    failure = error
            assert len(outcomes) == 1, outcomes
            # Two replicas come to the same; the other participants' would too, and take it over.
            assert first._pages._pages == self.pages._pages
            for view in others:
                view._pages._pages = dict(first._pages._pages)
            for at, participant in self.participants.items():
                participant.enter(self.views[at])
            self.log.append(message)
            if "" not in outcomes:
                self.refused.append((message, failure))

    def refusal(self, *messages: NodeMessage) -> str:
        """Say something in one block; tell how the last was refused, or nothing if it was not."""
        before = len(self.refused)
        self.send(*messages)
        after = self.refused[before:]
        return type(after[-1][1]).__name__ if after and after[-1][0] is messages[-1] else ""

    def tasks(self) -> list[NodeMessage]:
        """Let every participant do what is due; give what they say."""
        said = []
        self.busy = False
        for at, participant in self.participants.items():
            if at in self.silent:
                continue
            view = self.views[at]
            for task in participant.due(view, Height(self.height), UnixSeconds(self.time)):
                self.busy = True
                for kind, body in task.run(SeededRng(self.secret())):
                    spoiled = self.spoiled(at, kind, body)
                    if spoiled is not None:
                        said.append(self.message(at, kind, spoiled))
            self.turn_keys(at)
            self.seal_state(at)
            participant.prune(view)
        return said

    def spoiled(self, at: int, kind: Kind, body: bytes) -> bytes | None:
        """Give what a seat says instead; of key generation without the attempt before it."""
        if kind not in PHASE_OF:
            return self.spoil(at, kind, body)
        attempt, content = fields_of(NumberedBody.decode(body))
        spoiled = self.spoil(at, kind, content)
        return None if spoiled is None else NumberedBody(attempt, spoiled).encode()

    def turn_keys(self, at: int) -> None:
        """What an enclave does with its sealed keys once the ledger shows why."""
        participant = self.participants[at]
        turn, keys = participant.key_rotation(self.views[at]), participant.keys
        if turn is None:
            return
        held = {Role.LIVING: keys.living, Role.NEXT: keys.next, Role.PREVIOUS: keys.previous}
        following = keys.next if turn.living is Role.LIVING else self.scalar()
        previous = None if turn.previous is None else held[turn.previous]
        keys.take(held[turn.living], following, previous, turn.recoveries)

    def seal_state(self, at: int) -> None:
        """What an enclave does with the state secret when it has come."""
        keeper = self.participants[at].state_key
        for name, found in list(keeper.opened.items()):
            if at not in self.keeps:
                self.states[at] = {}
            self.states[at][name] = self.keeps[at] = found
            keeper.sealed(name)

    def settle(self, rounds: int = 60) -> None:
        """Run until nobody has anything to say."""
        for _ in range(rounds):
            said = self.tasks()
            if not self.busy:
                return
            self.random.shuffle(said)
            while said:
                together = self.random.randint(1, len(said))
                self.send(*said[:together])
                said = said[together:]
        raise AssertionError("the network does not come to rest")

    # -- coming and going

    def arrive(self, seat: int) -> None:
        """An enclave without a seat begins to follow; it wants that number."""
        self.identities[seat] = self.secret()
        self.participants[seat] = self.participant(seat, EpochKeys(self.scalar(), self.scalar()))
        self.views[seat] = CommitteeMachine(MemoryPages(dict(self.pages)), NETWORK, self.posted)

    def admit(self, seat: int, voters: Iterable[int] | None = None) -> None:
        """Members invite an enclave: n−f of them, if nobody is named."""
        self.vote(Kind.ADMIT, self.participants[seat].identity.public, voters)

    def part(self, seat: int, voters: Iterable[int] | None = None) -> None:
        """A member leaves; or others put it out."""
        self.vote(Kind.PART, bytes([seat]), [seat] if voters is None else voters)

    def vote(self, kind: Kind, content: bytes, voters: Iterable[int] | None = None) -> None:
        committee, epoch = self.ledger.state.committee, self.ledger.epochs.current
        assert epoch is not None
        body = AttemptBody(epoch.number + 1, epoch.attempt, content).encode()
        chosen = committee.indices[: committee.present] if voters is None else voters
        self.send(*(self.message(one, kind, body) for one in chosen))

    def turn(self) -> None:
        """Members vote for the end of the epoch."""
        committee, epoch = self.ledger.state.committee, self.ledger.epochs.current
        assert epoch is not None
        awake = [at for at in committee.indices if at not in self.silent]
        body = NumberedBody(epoch.number).encode()
        self.send(*(self.message(at, Kind.END_EPOCH, body) for at in awake[: committee.present]))

    def change(self, joining: Iterable[int] = (), leaving: Iterable[int] = ()) -> None:
        """Let these come and those go, with the end of the epoch."""
        for seat in joining:
            self.arrive(seat)
            self.admit(seat)
        for seat in leaving:
            self.part(seat)
        self.settle()
        self.turn()
        self.settle()

    def pass_time(self, seconds: int, blocks: int = 8) -> None:
        """Let time pass with ticks, and everyone act on it."""
        for _ in range(blocks):
            self.time += max(1, seconds // blocks)
            awake = next(at for at in self.ledger.state.record.members if at not in self.silent)
            self.send(self.message(awake, Kind.TICK, b""))
            self.settle()

    # -- starting anew

    def restart(self, seat: int) -> None:
        """One participant starts anew: its memory is gone."""
        state, newcomers = self.ledger.state, self.ledger.epochs.membership.page.joining
        before = state.seat(seat).session if state.has_seat(seat) else newcomers[seat].session
        self.participants[seat] = self.participant(seat, self.participants[seat].keys)
        body = NewSession(
            before and before.signing, self.participants[seat].session.public
        ).encode()
        made = NodeMessage(NETWORK, self.ledger.state.record.generation, seat, Kind.SESSION, body)
        self.send(made.signed(self.identities[seat]))

    def block(self, height: int) -> Hash32 | None:
        """Hash of a block of this net; it has no blocks, so its number stands for it."""
        return Hash32(height.to_bytes(32, "big")) if 0 < height <= self.height else None

    def recovery(
        self,
        seats: set[int],
        signers: set[int] | None = None,
        anew: set[int] | None = None,
        base: int | None = None,
    ) -> NodeMessage:
        """Many start anew at once; give the message that says so.

        `anew` are those who do, all of `seats` if None.
        """
        for at in seats if anew is None else anew:
            self.participants[at] = self.participant(at, self.participants[at].keys)
        head = self.ledger.state.record
        terms = RecoveryOrder(
            NETWORK,
            head.generation,
            Height(self.height if base is None else base),
            self.block(self.height if base is None else base) or Hash32(bytes(32)),
            {at: self.participants[at].session.public for at in seats},
        )
        signatures = {
            at: ed25519.sign(self.identities[at], terms.digest())
            for at in (seats if signers is None else signers)
        }
        body = SignedRecoveryOrder(terms, signatures).encode()
        return NodeMessage(NETWORK, head.generation, 0, Kind.RECOVER, body)
