"""The enclave's one room: what each message may make it do."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from keymoot.attest.commit import SignedHeader
from keymoot.attest.evidence import bind
from keymoot.attest.quorum import verify_commit
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto import ed25519
from keymoot.enclave import messages
from keymoot.enclave.cosigner import Cosigner
from keymoot.enclave.custody import Custodian
from keymoot.enclave.follower import Follower
from keymoot.enclave.keep import open_keep, seal_keep
from keymoot.enclave.messages import Identity
from keymoot.enclave.platform import Platform
from keymoot.enclave.voter import Voter
from keymoot.enclave.workshop import Workshop
from keymoot.moot.assembly import write_boot
from keymoot.moot.body import write_numbered
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.duty import Duty, Message
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.party import BootSecrets, Party
from keymoot.moot.resharer import EpochKeys
from keymoot.moot.seat import Boot
from keymoot.runtime.genesis import Genesis
from keymoot.store.keys import StateKeys
from keymoot.threshold.secp256k1 import SECP256K1

STATE_GENERATION = 0
"""Generation in sealing nonces: one replica's sealed state is never undone here."""

SYNC_BLOCKS = 64
"""How far the state at which an enclave begins may be behind its newest vote."""

_NO_NETWORK = NetworkId(bytes(32))

Say = Callable[[bytes], None]
"""Takes a node's message that is to be posted; called from any thread."""


class NotMember(Refused):
    """The genesis does not list this enclave's keys."""

    code = "NOT_MEMBER"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("this genesis does not list this enclave's keys")


class NotJoined(Refused):
    """The enclave has to join its network first."""

    code = "NOT_JOINED"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the enclave has not joined a network since it started")


class NoVote(Refused):
    """The enclave may not vote at this height."""

    code = "NO_VOTE"


class Room:
    """Holds the secrets of one enclave and answers the server's messages."""

    def __init__(self, folder: Path, platform: Platform, say: Say | None = None) -> None:
        """Open the sealed secrets in `folder`, or make new ones; make the keys of this start.

        Args:
            folder: Where sealed files live.
            platform: Seals them, and attests.
            say: Posts what this enclave has to say to the ledger.

        Raises:
            CannotUnseal: they were sealed elsewhere or by other code.
        """
        self._folder = folder
        self._platform = platform
        self._say = say or (lambda _: None)
        self._keep = open_keep(folder, platform)
        fresh = self._keep.network is None
        self._voter = Voter(folder, platform, self._keep.consensus, fresh=fresh)
        self._boot = _new_boot()
        self._custodian: Custodian | None = None
        self._genesis: Genesis | None = None
        self._follower: Follower | None = None
        self._party: Party | None = None
        self._cosigner: Cosigner | None = None
        self._base: Height | None = None
        self._synced = False
        self._ticked = UnixSeconds(0)
        self._workshop = Workshop(self._report)
        self.wake: Callable[[], None] = lambda: None
        """Called in the workshop's thread when a duty is done; the process sets it."""

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        """Do what one message asks.

        Raises:
            Malformed: not a message of this protocol.
            Refused: the answer is no.
            Fault: the server showed something forged or broken.
        """
        if word == messages.HELLO:
            return self._hello(fixed_of(body, Bytes32, "nonce"))
        if word == messages.JOIN:
            return self._join(Genesis.decode(bytes_of(body, "genesis")))
        if self._custodian is None or self._genesis is None:
            raise NotJoined
        if word == messages.SIGN:
            ballot = messages.read_ballot(body)
            self._check_vote(ballot.height)
            return messages.votes_item(self._voter.sign(ballot))
        if word == messages.RELEASE:
            return messages.answers_item(self._custodian.answer(*messages.read_release(body)))
        if self._follower is None or self._cosigner is None:
            raise Refused("this network has no assembly")
        if word == messages.FOLLOW:
            return self._follow(body)
        if word == messages.COSIGN:
            asked = messages.read_cosign(body)
            return messages.answers_item([self._cosigner.answer(*one) for one in asked])
        if word == messages.SYNC:
            return self._sync(*messages.read_sync(body))
        if word == messages.ENDORSE:
            return self._endorse(bytes_of(body, "certificate"))
        if word == messages.RECOVER:
            return self._recover(*messages.read_recover(body))
        if word == messages.PULSE:
            return self._pulse()
        if word == messages.TURN:
            return self._turn()
        raise Refused(f'"{word}" is no message to an enclave')

    def look(self) -> None:
        """Begin what is due now; called after every block, and when a duty is done."""
        follower, party = self._follower, self._party
        if follower is not None and party is not None:
            self._turn_keys(follower, party)
            party.prune(follower.assembly)
            self._workshop.do(party.due(follower.assembly, follower.height, follower.time))

    def _turn_keys(self, follower: Follower, party: Party) -> None:
        """Erase the sealing key of an epoch that is over, once the new one is the ledger's."""
        if not self._synced or not follower.assembly.hall.founded:
            return
        sealing = follower.assembly.hall.seat(party.index).sealing
        if sealing == party.keys.points[1]:
            keep = self._keep.turned()
            seal_keep(self._folder, self._platform, keep)
            self._keep = keep
            party.keys.turn(keep.next)

    # -- who we are

    def _hello(self, nonce: Bytes32) -> rlp.Item:
        identity = ed25519.public_key(self._keep.identity)
        consensus = self._voter.public_key
        network = self._keep.network
        report = bind([identity, consensus], network or _NO_NETWORK, nonce)
        return Identity(
            identity_key=identity,
            consensus_key=consensus,
            measurement=self._platform.measurement,
            simulated=self._platform.simulated,
            network=network or b"",
            quote=self._platform.quote(report),
            sealing=SECP256K1.encode(SECP256K1.base(self._keep.epoch)),
            boot=self._boot.public,
        ).encode()

    def _join(self, genesis: Genesis) -> rlp.Item:
        """Join a network for good; give its state secret to the node that we are part of."""
        # 1. The genesis lists our keys.
        mine = (self._voter.public_key, ed25519.public_key(self._keep.identity))
        listed = [(m.consensus_key, m.identity_key) for m in genesis.members]
        if mine not in listed:
            raise NotMember
        # 2. It is the one that we are sealed to, or the first.
        keep = self._keep.joined(genesis.network)
        if keep.network != self._keep.network:
            seal_keep(self._folder, self._platform, keep)
            self._keep = keep
        keys = StateKeys(keep.state, genesis.network, STATE_GENERATION)
        self._genesis = genesis
        self._custodian = Custodian(
            genesis, keys, keep.identity, _clock, lambda: self._voter.height
        )
        # 3. With a seat, we follow the ledger and have a part in the assembly.
        if genesis.founders():
            sealing = EpochKeys(keep.epoch, keep.next)
            self._party = Party(listed.index(mine) + 1, sealing, self._boot)
            self._follower = Follower(genesis)
            self._cosigner = Cosigner(self._follower, self._party, keep.identity, _clock)
            self._synced = self._party.seated(self._follower.assembly)
            self.look()
        return [keep.state.expose(), STATE_GENERATION.to_bytes(2, "big")]

    # -- following

    def _check_vote(self, height: Height) -> None:
        """Raise unless this start may vote at a height.

        Raises:
            NoVote: no final block below holds this start's keys, or we have not followed.
        """
        follower, party = self._follower, self._party
        if follower is None or party is None:
            return
        if self._synced:
            # The commit of the block before is checked, and the keys of boot in it are read.
            if follower.height != height - 1:
                raise NoVote(f"block {follower.height} was followed, {height} is to be voted for")
            seat = follower.assembly.hall.seat(party.index)
            if party.seated(follower.assembly) and seat.since < height:
                return
        if self._base is not None and height > self._base:
            return
        raise NoVote("no final block holds the keys of this start yet")

    def _follow(self, body: rlp.Decoded) -> rlp.Item:
        follower, party, cosigner = self._follower, self._party, self._cosigner
        if follower is None or party is None or cosigner is None:
            raise NotJoined
        signed, transactions, receipts = messages.read_follow(body)
        followed = follower.follow(signed, transactions, receipts)
        party.enter(follower.assembly)
        share = cosigner.note(follower.height, followed)
        self.look()
        return [share]

    def _sync(self, signed: SignedHeader, witness: dict[bytes, bytes]) -> rlp.Item:
        """Begin at a proven state; say that we have started anew, if nobody knows yet."""
        follower, party, genesis = self._follower, self._party, self._genesis
        if follower is None or party is None or genesis is None:
            raise NotJoined
        # It may have voted for more while this was on its way; it follows those blocks next.
        if signed.header.height + SYNC_BLOCKS < self._voter.height:
            raise Refused(
                f"the header at height {signed.header.height} is old: "
                f"this enclave has voted for {self._voter.height}"
            )
        follower.sync(signed, witness)
        self._synced = True
        if not party.seated(follower.assembly) and self._base is None:
            before = follower.assembly.hall.seat(party.index).boot
            made = NodeMessage(
                genesis.network,
                follower.generation,
                party.index,
                Kind.BOOT,
                write_boot(before, self._boot.public),
            )
            self._say(made.signed(self._keep.identity).encode())
        self.look()
        return []

    # -- recovery

    def _endorse(self, certificate: bytes) -> rlp.Item:
        """Sign the terms of a recovery in which we start with the keys that we have.

        On a network of many operators they sign with keys of their own, offline; here the
        enclaves of one machine restart together, and recover by themselves.
        """
        terms = SignedCertificate.decode(certificate).terms
        self._check_terms(terms)
        return ed25519.sign(self._keep.identity, terms.digest())

    def _recover(self, signed: SignedHeader | None, certificate: SignedCertificate) -> rlp.Item:
        genesis, terms = self._genesis, certificate.terms
        if genesis is None:
            raise NotJoined
        self._check_terms(terms)
        # 1. It builds on a final block, and not below what we have voted for.
        shown = (Height(0), Hash32(genesis.network))
        if signed is not None:
            header = verify_commit(signed, genesis.validators(), genesis.chain_text).header
            shown = (header.height, header.hash())
        if shown != (terms.base, terms.block):
            raise Refused("the certificate builds on another block than the one shown")
        if terms.base + 1 < self._voter.height:
            raise Refused(f"this enclave has voted for height {self._voter.height} already")
        # 2. Enough identities of the genesis signed it.
        founders = dict(enumerate(genesis.founders(), 1))
        signers = certificate.signers({at: one.identity for at, one in founders.items()})
        committee = len(founders) - (len(founders) - 1) // 3
        if len(signers) < committee:
            raise Refused(f"{len(signers)} seats signed the recovery, {committee} are needed")
        self._base = terms.base
        return []

    def _check_terms(self, terms: Certificate) -> None:
        genesis, party = self._genesis, self._party
        if genesis is None or party is None:
            raise NotJoined
        if terms.network != genesis.network:
            raise Refused("the certificate is of another network")
        if terms.boots.get(party.index) != self._boot.public:
            raise Refused("the certificate does not seat this start")

    # -- speaking

    def _pulse(self) -> rlp.Item:
        """Say that time has passed, if somebody waits for that."""
        follower, party = self._follower, self._party
        now = _clock()
        if follower is None or party is None or now <= self._ticked:
            return []
        if party.seated(follower.assembly) and party.waits(follower.assembly, now):
            self._ticked = now
            self._post(follower.generation, [(Kind.TICK, now.to_bytes(8, "big"))])
        return []

    def _turn(self) -> rlp.Item:
        """Vote for an epoch to end now: whoever runs this node asked for it."""
        follower, party = self._follower, self._party
        if follower is None or party is None or not party.seated(follower.assembly):
            return []
        epoch = follower.assembly.turning.epoch
        if epoch is not None:
            self._post(follower.generation, [(Kind.TURN, write_numbered(epoch.number))])
        return []

    def _report(self, duty: Duty, said: list[Message]) -> None:
        self._post(duty.generation, said)
        self.wake()

    def _post(self, generation: Hash32, said: list[Message]) -> None:
        party, genesis = self._party, self._genesis
        if party is None or genesis is None:
            return
        for kind, body in said:
            made = NodeMessage(genesis.network, generation, party.index, kind, body)
            self._say(made.signed(self._boot.signing).encode())


def read_joined(item: rlp.Decoded) -> tuple[Bytes32, int]:
    """Read what joining gives: the state secret and the generation.

    Raises:
        Malformed: not that.
    """
    secret, generation = list_of(item, 2, "joined")
    return fixed_of(secret, Bytes32, "state"), int.from_bytes(bytes_of(generation, "generation"))


def _new_boot() -> BootSecrets:
    signing, sealing = Secret(os.urandom(32)), SECP256K1.scalar(os.urandom(32))
    point = SECP256K1.encode(SECP256K1.base(sealing))
    return BootSecrets(signing, sealing, Boot(ed25519.public_key(signing), point))


def _clock() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
