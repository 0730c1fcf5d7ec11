"""An enclave that has joined an assembly: it follows, votes, answers, deals and speaks."""

import time
from collections.abc import Callable

from keymoot.attest.commit import SignedHeader
from keymoot.attest.quorum import verify_commit
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import bytes_of, fixed_of
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave import messages
from keymoot.enclave.cosigner import Cosigner
from keymoot.enclave.follower import Follower
from keymoot.enclave.keep import KeepFile
from keymoot.enclave.voter import Voter
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.assembly import write_boot
from keymoot.moot.body import write_numbered
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch import Epoch
from keymoot.moot.epoch_keys import EpochKeys, KeyTurn
from keymoot.moot.errors import NotReady, NotSeated
from keymoot.moot.genesis import Genesis
from keymoot.moot.message import BY_IDENTITY, Kind, NodeMessage
from keymoot.moot.papers import Papers
from keymoot.moot.party import BootSecrets, Party
from keymoot.moot.signers import settled
from keymoot.moot.statekeeper import Statekeeper
from keymoot.moot.turn import write_turn
from keymoot.runtime.members import follow_chain, signers_of

SYNC_BLOCKS = 64
"""How far the state at which an enclave begins may be behind its newest vote."""

Say = Callable[[bytes], None]
"""Takes a node's message that is to be posted; called from any thread."""


Hold = Callable[[Secret], None]
"""Seals the network's state secret, and then gives it to the node."""


class NoVote(Refused):
    """The enclave may not vote at this height."""

    code = "NO_VOTE"


class Member:
    """One seat at work, from one start of its enclave to the next."""

    def __init__(
        self,
        genesis: Genesis,
        index: int,
        keep: KeepFile,
        voter: Voter,
        boot: BootSecrets,
        say: Say,
        hold: Hold,
        workshop: Callable[[Report], Workshop],
    ) -> None:
        """Take the seat `index`; nothing is followed yet.

        Args:
            genesis: Of the network that the enclave is sealed to.
            index: Our seat.
            keep: What is sealed; the epoch's keys turn in it.
            voter: Remembers what was voted for.
            boot: The keys of this start.
            say: Posts what this enclave has to say to the ledger.
            hold: Seals the state secret, once the other seats have given it.
            workshop: Makes the place for its long arithmetic.
        """
        self._genesis = genesis
        self._keep = keep
        self._voter = voter
        self._boot = boot
        self._say = say
        self._hold = hold
        papers = Papers(keep.now.identity, voter.public_key)
        keeper = Statekeeper(index, keep.now.identity, held=keep.now.state is not None)
        keys = EpochKeys(keep.now.epoch, keep.now.next, keep.now.previous)
        self.party = Party(index, keys, boot, papers, keeper)
        self.follower = Follower(genesis)
        identity = SigningKey(keep.now.identity)
        self.cosigner = Cosigner(self.follower, self.party, identity, clock, self._post)
        self._base: Height | None = None
        self._since: Height | None = None
        self._seated_at = Height(0)
        self._over = False
        self._erased = False
        self._short: CannotWrite | None = None
        self._synced = self.party.seated(self.follower.assembly)
        self._look_at_seat()
        self._ticked = UnixSeconds(0)
        self.workshop = workshop(self.report)
        self.wake: Callable[[], None] = lambda: None
        """Called in the workshop's thread when a duty is done."""

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        """Do what one message asks.

        Raises:
            Malformed: not a message of this protocol.
            Refused: the answer is no.
            Fault: the server showed something forged or broken.
        """
        if word == messages.FOLLOW:
            return self._follow(body)
        if word == messages.COSIGN:
            asked = messages.read_cosign(body)
            return messages.answers_item([self.cosigner.answer(*one) for one in asked])
        if word == messages.SYNC:
            return self._sync(*messages.read_sync(body))
        if word == messages.ENDORSE:
            return self._endorse(bytes_of(body, "certificate"))
        if word == messages.RECOVER:
            return self._recover(*messages.read_recover(body))
        if word == messages.PULSE:
            return self._pulse()
        if word == messages.TURN:
            return self._vote(Kind.TURN, _this_epoch)
        if word == messages.ADMIT:
            return self._vote(Kind.ADMIT, _next_epoch(fixed_of(body, Bytes32, "identity")))
        if word == messages.PART:
            return self._vote(Kind.PART, _next_epoch(bytes_of(body, "seat", 1)))
        raise Refused(f'"{word}" is no message to an enclave')

    def look(self) -> None:
        """Begin what is due now; called after every block, and when a duty is done.

        While the disk does not take our keys, duties wait: they would be done with old ones.
        """
        follower, party = self.follower, self.party
        try:
            self._turn_keys()
            self._seal_state()
        except CannotWrite as error:
            self._short = error
            return
        self._short = None
        party.prune(follower.assembly)
        self.workshop.do(party.due(follower.assembly, follower.height, follower.time))

    def check_vote(self, height: Height) -> None:
        """Raise unless this start may vote at a height.

        Raises:
            NoVote: no final block below holds this start's keys, or we have not followed.
        """
        follower, party = self.follower, self.party
        if self._synced:
            # The commit of the block before is checked, and the keys of boot in it are read.
            if follower.height != height - 1:
                raise NoVote(f"block {follower.height} was followed, {height} is to be voted for")
            signers = follower.validators(height).validators
            if self._voter.public_key not in {one.public_key for one in signers}:
                raise NoVote(f"this enclave does not sign block {height}")
            assembly = follower.assembly
            if party.seated(assembly) and assembly.hall.seat(party.index).since < height:
                return
            # The block that took our seat leaves us one more vote.
            if self._left() and self._seated_at == follower.height - 1:
                return
        # A recovery seats us before a block says so: until one does, or long enough has passed.
        if self._base is not None and self._base < height <= self._base + SYNC_BLOCKS:
            return
        raise NoVote("no final block holds the keys of this start yet")

    # -- following

    def _follow(self, body: rlp.Decoded) -> rlp.Item:
        signed, transactions, receipts = messages.read_follow(body)
        followed = self.follower.follow(signed, transactions, receipts)
        self._look_at_seat()
        self.party.enter(self.follower.assembly)
        share = self.cosigner.note(self.follower.height, followed)
        self.look()
        return [share]

    def _sync(
        self, signed: SignedHeader, witness: dict[bytes, bytes], chain: list[bytes]
    ) -> rlp.Item:
        """Begin at a proven state; say that we have started anew, if nobody knows yet."""
        follower, party = self.follower, self.party
        # It may have voted for more while this was on its way; it follows those blocks next.
        if signed.header.height + SYNC_BLOCKS < self._voter.height:
            raise Refused(
                f"the header at height {signed.header.height} is old: "
                f"this enclave has voted for {self._voter.height}"
            )
        follower.sync(signed, witness, chain)
        self.cosigner.begin_anew()
        self._synced = True
        self._look_at_seat()
        known, before = party.before(follower.assembly)
        away = known and before != self._boot.public
        if away and self._base is None and not self._over:
            body = write_boot(before, self._boot.public)
            self._post(follower.generation, [(Kind.BOOT, body)])
        self.look()
        return []

    def _left(self) -> bool:
        """Tell whether nobody knows our identity any more: the members went on without us."""
        return self._synced and not self.party.before(self.follower.assembly)[0]

    def _look_at_seat(self) -> None:
        """Note when our seat is ours, and when a later start has it: then we are over for good.

        Two starts of one seat would else vote for two blocks of one height: the older one by
        its recovery, or by taking the seat back.
        """
        assembly, height = self.follower.assembly, self.follower.height
        if self.party.seated(assembly):
            self._base, self._seated_at = None, height
            self._since = height if self._since is None else min(self._since, height)
        elif self._since is not None and height >= self._since:
            known, boot = self.party.before(assembly)
            self._over |= known and boot is not None

    def _turn_keys(self) -> None:
        """Go over to the sealing keys of the ledger's epoch; erase one that nothing needs."""
        assembly = self.follower.assembly
        if not self._synced or not assembly.hall.founded:
            return
        turn = self.party.key_turn(assembly)
        if self._left() and self._seated_at and not self._erased and settled(assembly):
            # What was dealt to us stays in the archives: without our keys nobody opens it.
            turn = KeyTurn.GONE
        if turn is not None:
            self._keep.put(self._keep.now.turned(turn))
            keep = self._keep.now
            self.party.keys.take(keep.epoch, keep.next, keep.previous)
            self._erased = turn is KeyTurn.GONE

    def _seal_state(self) -> None:
        """Seal the state secret and hand it over, before the ledger hears that we have it.

        The node has read it when the message comes that could let it be used.
        """
        keeper = self.party.statekeeper
        if keeper.found is not None:
            self._hold(keeper.found)
            keeper.sealed()

    # -- recovery

    def _endorse(self, certificate: bytes) -> rlp.Item:
        """Sign the terms of a recovery in which we start with the keys that we have.

        On a network of many operators they sign with keys of their own, offline; here the
        enclaves of one machine restart together, and recover by themselves.
        """
        terms = SignedCertificate.decode(certificate).terms
        self._check_terms(terms)
        return ed25519.sign(self._keep.now.identity, terms.digest())

    def _recover(
        self, signed: SignedHeader | None, certificate: SignedCertificate, chain: list[bytes]
    ) -> rlp.Item:
        genesis, terms = self._genesis, certificate.terms
        self._check_terms(terms)
        steps = follow_chain(genesis, chain)
        # 1. It builds on a final block, and not below what we have voted for.
        shown = (Height(0), Hash32(genesis.network))
        if signed is not None:
            signers = signers_of(genesis, steps, signed.header.validators_hash)
            header = verify_commit(signed, signers, genesis.chain_text).header
            shown = (header.height, header.hash())
        if shown != (terms.base, terms.block):
            raise Refused("the certificate builds on another block than the one shown")
        if terms.base + 1 < self._voter.height:
            raise Refused(f"this enclave has voted for height {self._voter.height} already")
        # 2. Enough identities of the present members signed it, and all whom it seats.
        members = steps[-1]
        certificate.check(members.identities, members.committee.present)
        self._base = terms.base
        return []

    def _check_terms(self, terms: Certificate) -> None:
        if terms.network != self._genesis.network:
            raise Refused("the certificate is of another network")
        if terms.boots.get(self.party.index) != self._boot.public:
            raise Refused("the certificate does not seat this start")

    # -- speaking

    def _pulse(self) -> rlp.Item:
        """Say that time has passed, if somebody waits for that.

        Raises:
            CannotWrite: the disk still does not take our keys.
        """
        if self._short is not None:
            self.look()
        if self._short is not None:
            raise self._short
        assembly, now = self.follower.assembly, clock()
        if now > self._ticked and self.party.seated(assembly) and self.party.waits(assembly, now):
            self._ticked = now
            self._post(self.follower.generation, [(Kind.TICK, now.to_bytes(8, "big"))])
        return []

    def _vote(self, kind: Kind, body: Callable[[Epoch], bytes]) -> rlp.Item:
        """Vote for an epoch to end now, or who comes or goes: whoever runs this node asked.

        Raises:
            NotReady: there are no keys yet, so no epoch.
            NotSeated: the ledger does not know this start: its vote would count for nothing.
        """
        assembly = self.follower.assembly
        epoch = assembly.turning.epoch
        if epoch is None:
            raise NotReady
        if not self.party.seated(assembly):
            raise NotSeated("the ledger does not know this start of the enclave: it has no vote")
        self._post(self.follower.generation, [(kind, body(epoch))])
        return []

    def report(self, duty: Duty, said: list[Message]) -> None:
        """Post what a duty says; called in the workshop's thread."""
        self._post(duty.generation, said)
        self.wake()

    def _post(self, generation: Hash32, said: list[Message]) -> None:
        for kind, body in said:
            made = NodeMessage(self._genesis.network, generation, self.party.index, kind, body)
            key = self._keep.now.identity if kind in BY_IDENTITY else self._boot.signing
            self._say(made.signed(key).encode())


def _this_epoch(epoch: Epoch) -> bytes:
    return write_numbered(epoch.number)


def _next_epoch(content: bytes) -> Callable[[Epoch], bytes]:
    return lambda epoch: write_turn(epoch.number + 1, epoch.attempt, content)


def clock() -> UnixSeconds:
    """Read the machine's clock."""
    return UnixSeconds(int(time.time()))
