"""n parties and one ledger in memory; each party follows the ledger on pages of its own.

Newcomers follow from the ledger's pages on, as they are when they begin.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from keymoot.attest.simulated import quote
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Bytes32, Hash32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import ed25519
from keymoot.moot.assembly import Assembly, write_boot
from keymoot.moot.attestation import Attestation
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.epoch_keys import EpochKeys, Role
from keymoot.moot.founding import PHASE_OF
from keymoot.moot.genesis import Founder
from keymoot.moot.message import BY_IDENTITY, Kind, NodeMessage
from keymoot.moot.pages import MemoryPages
from keymoot.moot.papers import Papers
from keymoot.moot.party import BootSecrets, Party
from keymoot.moot.seat import Boot
from keymoot.moot.statekeeper import Statekeeper
from keymoot.moot.turn import write_turn
from keymoot.threshold.dice import Dice
from keymoot.threshold.secp256k1 import SECP256K1

NETWORK = NetworkId(b"\x31" * 32)
CODE = Measurement(b"\x0c" * 48)


@dataclass
class Town:
    """`silent` seats do nothing; `spoil` may change what a seat says.

    `code` is what a seat runs, if it is other than all the rest; unless `attested` is False the
    founders have shown evidence before the first block.
    """

    size: int = 4
    seed: int = 1
    silent: set[int] = field(default_factory=set)
    height: int = 0
    time: int = 1_800_000_000
    code: dict[int, Measurement] = field(default_factory=dict)
    attested: bool = True

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.identities = {at: self.secret() for at in range(1, self.size + 1)}
        self.keeps: dict[int, Secret] = {}
        self.states: dict[int, dict[Bytes32, Secret]] = {}
        self.parties = {
            at: self.party(at, EpochKeys(self.scalar(), self.scalar())) for at in self.identities
        }
        self.pages = MemoryPages()
        self.ledger = Assembly(self.pages, NETWORK)
        self.views = {at: Assembly(MemoryPages(), NETWORK) for at in self.parties}
        for one in (self.ledger, *self.views.values()):
            one.found(
                self.founders(),
                Height(0),
                UnixSeconds(self.time),
                attestation=Attestation((CODE,), simulated=True),
            )
        self.refused: list[tuple[NodeMessage, Exception]] = []
        self.log: list[NodeMessage] = []
        self.spoil = lambda party, kind, body: body
        if self.attested:
            self.attest()

    def secret(self) -> Secret:
        return Secret(self.random.randbytes(32))

    def scalar(self) -> Secret:
        return SECP256K1.scalar(self.random.randbytes(32))

    def boot(self) -> BootSecrets:
        signing, sealing = self.secret(), self.scalar()
        point = SECP256K1.encode(SECP256K1.base(sealing))
        return BootSecrets(signing, sealing, Boot(Bytes32(ed25519.public_key(signing)), point))

    def papers(self, seat: int) -> Papers:
        identity = self.identities[seat]
        return Papers(identity, lambda report: quote(self.code.get(seat, CODE), report))

    def party(self, seat: int, keys: EpochKeys) -> Party:
        held = self.states.get(seat, {}) if seat in self.keeps else {}
        keeper = Statekeeper(seat, self.identities[seat], frozenset(held))
        return Party(seat, keys, self.boot(), self.papers(seat), keeper)

    def founders(self) -> tuple[Founder, ...]:
        return tuple(
            Founder(
                party.papers.public,
                party.keys.points[0],
                party.boot.public,
            )
            for at, party in self.parties.items()
        )

    def attest(self, seats: Iterable[int] | None = None) -> None:
        """Founders show what they run, in a block before the first."""
        for at in self.parties if seats is None else seats:
            (duty,) = self.parties[at].keymaker.due(self.ledger)
            ((kind, body),) = duty.run(Dice(Secret(bytes(32))))
            for one in (self.ledger, *self.views.values()):
                one.apply(
                    self.message(at, kind, body), Height(0), UnixSeconds(self.time), lambda _: None
                )

    # -- saying and hearing

    def ancestor(self, height: int) -> Hash32 | None:
        """Hash of a block before the one that is being executed."""
        return self.block(height) if height < self.height else None

    def message(self, seat: int, kind: Kind, body: bytes) -> NodeMessage:
        made = NodeMessage(NETWORK, self.ledger.hall.head.generation, seat, kind, body)
        by_identity = kind in BY_IDENTITY
        party = self.parties[seat]
        return made.signed(self.identities[seat] if by_identity else party.boot.signing)

    def say(self, *messages: NodeMessage) -> None:
        """Put messages into one block."""
        self.height += 1
        first, *others = self.views.values()
        for message in messages:
            outcomes = set()
            for assembly in (self.ledger, first):
                try:
                    assembly.apply(
                        message, Height(self.height), UnixSeconds(self.time), self.ancestor
                    )
                    outcomes.add("")
                except (Refused, Malformed) as error:
                    outcomes.add(type(error).__name__)
                    failure = error
            assert len(outcomes) == 1, outcomes
            # Two replicas come to the same; the other parties' would too, and take it over.
            assert first._pages._pages == self.pages._pages
            for view in others:
                view._pages._pages = dict(first._pages._pages)
            for at, party in self.parties.items():
                party.enter(self.views[at])
            self.log.append(message)
            if "" not in outcomes:
                self.refused.append((message, failure))

    def refusal(self, *messages: NodeMessage) -> str:
        """Say something in one block; tell how the last was refused, or nothing if it was not."""
        before = len(self.refused)
        self.say(*messages)
        after = self.refused[before:]
        return type(after[-1][1]).__name__ if after and after[-1][0] is messages[-1] else ""

    def duties(self) -> list[NodeMessage]:
        """Let every party do what is due; give what they say."""
        said = []
        self.busy = False
        for at, party in self.parties.items():
            if at in self.silent:
                continue
            view = self.views[at]
            for duty in party.due(view, Height(self.height), UnixSeconds(self.time)):
                self.busy = True
                for kind, body in duty.run(Dice(self.secret())):
                    spoiled = self.spoiled(at, kind, body)
                    if spoiled is not None:
                        said.append(self.message(at, kind, spoiled))
            self.turn_keys(at)
            self.seal_state(at)
            party.prune(view)
        return said

    def spoiled(self, at: int, kind: Kind, body: bytes) -> bytes | None:
        """Give what a seat says instead; of key generation without the attempt before it."""
        if kind not in PHASE_OF:
            return self.spoil(at, kind, body)
        attempt, content = read_numbered(body)
        spoiled = self.spoil(at, kind, content)
        return None if spoiled is None else write_numbered(attempt, spoiled)

    def turn_keys(self, at: int) -> None:
        """What an enclave does with its sealed keys once the ledger shows why."""
        party = self.parties[at]
        turn, keys = party.key_turn(self.views[at]), party.keys
        if turn is None:
            return
        held = {Role.LIVING: keys.living, Role.NEXT: keys.next, Role.PREVIOUS: keys.previous}
        following = keys.next if turn.living is Role.LIVING else self.scalar()
        previous = None if turn.previous is None else held[turn.previous]
        keys.take(held[turn.living], following, previous, turn.recoveries)

    def seal_state(self, at: int) -> None:
        """What an enclave does with the state secret when it has come."""
        keeper = self.parties[at].statekeeper
        for name, found in list(keeper.found.items()):
            if at not in self.keeps:
                self.states[at] = {}
            self.states[at][name] = self.keeps[at] = found
            keeper.sealed(name)

    def settle(self, rounds: int = 60) -> None:
        """Run until nobody has anything to say."""
        for _ in range(rounds):
            said = self.duties()
            if not self.busy:
                return
            self.random.shuffle(said)
            while said:
                together = self.random.randint(1, len(said))
                self.say(*said[:together])
                said = said[together:]
        raise AssertionError("the town does not come to rest")

    # -- coming and going

    def arrive(self, seat: int) -> None:
        """An enclave without a seat begins to follow; it wants that number."""
        self.identities[seat] = self.secret()
        self.parties[seat] = self.party(seat, EpochKeys(self.scalar(), self.scalar()))
        self.views[seat] = Assembly(MemoryPages(dict(self.pages)), NETWORK)

    def admit(self, seat: int, voters: Iterable[int] | None = None) -> None:
        """Members invite an enclave: n−f of them, if nobody is named."""
        self.vote(Kind.ADMIT, self.parties[seat].papers.public, voters)

    def part(self, seat: int, voters: Iterable[int] | None = None) -> None:
        """A member leaves; or others put it out."""
        self.vote(Kind.PART, bytes([seat]), [seat] if voters is None else voters)

    def vote(self, kind: Kind, content: bytes, voters: Iterable[int] | None = None) -> None:
        committee, epoch = self.ledger.hall.committee, self.ledger.turning.epoch
        assert epoch is not None
        body = write_turn(epoch.number + 1, epoch.attempt, content)
        chosen = committee.indices[: committee.present] if voters is None else voters
        self.say(*(self.message(one, kind, body) for one in chosen))

    def turn(self) -> None:
        """Members vote for the end of the epoch."""
        committee, epoch = self.ledger.hall.committee, self.ledger.turning.epoch
        assert epoch is not None
        awake = [at for at in committee.indices if at not in self.silent]
        body = write_numbered(epoch.number)
        self.say(*(self.message(at, Kind.TURN, body) for at in awake[: committee.present]))

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
            awake = next(at for at in self.ledger.hall.head.members if at not in self.silent)
            self.say(self.message(awake, Kind.TICK, b""))
            self.settle()

    # -- starting anew

    def restart(self, seat: int) -> None:
        """One party starts anew: its memory is gone."""
        hall, newcomers = self.ledger.hall, self.ledger.turning.admitting.page.joining
        before = hall.seat(seat).boot if hall.has_seat(seat) else newcomers[seat].boot
        self.parties[seat] = self.party(seat, self.parties[seat].keys)
        body = write_boot(before, self.parties[seat].boot.public)
        made = NodeMessage(NETWORK, self.ledger.hall.head.generation, seat, Kind.BOOT, body)
        self.say(made.signed(self.identities[seat]))

    def block(self, height: int) -> Hash32 | None:
        """Hash of a block of this town; it has no blocks, so its number stands for it."""
        return Hash32(height.to_bytes(32, "big")) if 0 < height <= self.height else None

    def recovery(
        self,
        seats: set[int],
        signers: set[int] | None = None,
        anew: set[int] | None = None,
        base: int | None = None,
    ) -> NodeMessage:
        """Many start anew at once (`anew`; all of `seats` if None); give the message that says so."""
        for at in seats if anew is None else anew:
            self.parties[at] = self.party(at, self.parties[at].keys)
        head = self.ledger.hall.head
        terms = Certificate(
            NETWORK,
            head.generation,
            Height(self.height if base is None else base),
            self.block(self.height if base is None else base) or Hash32(bytes(32)),
            {at: self.parties[at].boot.public for at in seats},
        )
        signatures = {
            at: ed25519.sign(self.identities[at], terms.digest())
            for at in (seats if signers is None else signers)
        }
        body = SignedCertificate(terms, signatures).encode()
        return NodeMessage(NETWORK, head.generation, 0, Kind.RECOVER, body)
