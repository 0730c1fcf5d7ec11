"""The enclave's one room: who it is, what it joins, and what each message may make it do."""

import os
from collections.abc import Callable
from pathlib import Path

from keymoot.attest.evidence import bind
from keymoot.attest.validators import ValidatorSet
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of, optional_fixed_of
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave import messages
from keymoot.enclave.custody import Custodian
from keymoot.enclave.keep import KeepFile
from keymoot.enclave.member import Hold, Member, Say, clock
from keymoot.enclave.messages import Identity
from keymoot.enclave.platform import Platform
from keymoot.enclave.voter import Voter
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.genesis import Genesis
from keymoot.moot.party import BootSecrets
from keymoot.moot.seat import Boot
from keymoot.store.keys import StateKeys
from keymoot.threshold.secp256k1 import SECP256K1

STATE_GENERATION = 0
"""Generation in sealing nonces: one replica's sealed state is never undone here."""

_NO_NETWORK = NetworkId(bytes(32))


class NotMember(Refused):
    """The genesis does not list this enclave's keys."""

    code = "NOT_MEMBER"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("this genesis does not list this enclave's keys")


class JoinedAlready(Refused):
    """This start of the enclave has its seat."""

    code = "JOINED_ALREADY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the enclave has joined since it started: start it anew")


class NotJoined(Refused):
    """The enclave has to join its network first."""

    code = "NOT_JOINED"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the enclave has not joined a network since it started")


class Room:
    """Holds the secrets of one enclave and answers the server's messages."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        say: Say | None = None,
        workshop: Callable[[Report], Workshop] = Workshop,
        give: Hold | None = None,
    ) -> None:
        """Open the sealed secrets in `folder`, or make new ones; make the keys of this start.

        Args:
            folder: Where sealed files live.
            platform: Seals them, and attests.
            say: Posts what this enclave has to say to the ledger.
            workshop: Makes the place for its long arithmetic.
            give: Gives the state secret to the node that we are part of.

        Raises:
            CannotUnseal: they were sealed elsewhere or by other code.
        """
        self._platform = platform
        self._say = say or (lambda _: None)
        self._make_workshop = workshop
        self._give = give or (lambda _: None)
        self.keep = KeepFile(folder, platform)
        fresh = self.keep.now.network is None
        self._voter = Voter(folder, platform, self.keep.now.consensus, fresh=fresh)
        self._boot = _new_boot()
        self._genesis: Genesis | None = None
        self._custodian: Custodian | None = None
        self._keys: StateKeys | None = None
        self.member: Member | None = None
        """The seat that it has; None before it joins, and in a network without an assembly."""
        self.wake: Callable[[], None] = lambda: None
        """Called in another thread when `look` would find something; the process sets it."""

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
            genesis, seat = messages.read_join(body)
            return self._join(Genesis.decode(genesis), seat)
        if self._custodian is None:
            raise NotJoined
        if word == messages.SIGN:
            ballot = messages.read_ballot(body)
            if self.member is not None:
                self.member.check_vote(ballot.height)
            return messages.votes_item(self._voter.sign(ballot))
        if word == messages.RELEASE:
            return messages.answers_item(self._custodian.answer(*messages.read_release(body)))
        if self.member is None:
            raise Refused("this network has no assembly")
        return self.member.handle(word, body)

    def look(self) -> None:
        """Begin what is due now."""
        if self.member is not None:
            self.member.look()

    def _woken(self) -> None:
        self.wake()

    def _hello(self, nonce: Bytes32) -> rlp.Item:
        keep = self.keep.now
        identity = ed25519.public_key(keep.identity)
        consensus = self._voter.public_key
        report = bind([identity, consensus], keep.network or _NO_NETWORK, nonce)
        return Identity(
            identity_key=identity,
            consensus_key=consensus,
            measurement=self._platform.measurement,
            simulated=self._platform.simulated,
            network=keep.network or b"",
            quote=self._platform.quote(report),
            sealing=SECP256K1.encode(SECP256K1.base(keep.epoch)),
            boot=self._boot.public,
        ).encode()

    def _validators(self, height: Height) -> ValidatorSet:
        """Give who signs the block at a recent height, as far as we have followed."""
        if self.member is not None:
            return self.member.follower.validators(height)
        if self._genesis is None:
            raise NotJoined
        return self._genesis.validators()

    def _join(self, genesis: Genesis, seat: int) -> rlp.Item:
        """Join a network for good; give its state secret, if sealed, to our own node.

        Which seat is ours we are told by the node: without the ledger's word it is worth nothing.
        """
        # 1. The genesis lists our keys, or somebody wants us to have a seat.
        mine = (self._voter.public_key, ed25519.public_key(self.keep.now.identity))
        listed = [(m.consensus_key, m.identity_key) for m in genesis.members]
        if mine not in listed and not (seat and genesis.founders()):
            raise NotMember
        # 2. It is the one that we are sealed to, or the first.
        keep = self.keep.now.joined(genesis.network)
        # 3. A start has one mind: another with the same keys of boot would not know what the
        #    first one used, and deal, sign and answer once more.
        if self.member is not None:
            raise JoinedAlready
        if keep.network != self.keep.now.network:
            self.keep.put(keep)
        keys = self._keys = StateKeys(keep.state, genesis.network)
        self._genesis = genesis
        self._custodian = Custodian(
            genesis,
            keys,
            SigningKey(keep.identity),
            clock,
            lambda: self._voter.height,
            self._validators,
        )
        # 4. With a seat, we follow the ledger and have a part in the assembly.
        if genesis.founders():
            index = seat or listed.index(mine) + 1
            member = Member(
                genesis,
                index,
                self.keep,
                self._voter,
                self._boot,
                self._say,
                self._hold,
                self._make_workshop,
            )
            member.wake = self._woken
            self.member = member
            member.look()
        state = b"" if keep.state is None else keep.state.expose()
        return [state, STATE_GENERATION.to_bytes(2, "big")]

    def _hold(self, state: Secret) -> None:
        """Seal the state secret; then use it, and give it to the node."""
        self.keep.put(self.keep.now.holding(state))
        if self._keys is not None:
            self._keys.take(state)
        self._give(state)


def read_joined(item: rlp.Decoded) -> tuple[Secret | None, int]:
    """Read what joining gives: the state secret, if it is sealed, and the generation.

    Raises:
        Malformed: not that.
    """
    secret, generation = list_of(item, 2, "joined")
    state = optional_fixed_of(secret, Bytes32, "state")
    number = int.from_bytes(bytes_of(generation, "generation", 2))
    return None if state is None else Secret(state), number


def _new_boot() -> BootSecrets:
    signing, sealing = Secret(os.urandom(32)), SECP256K1.scalar(os.urandom(32))
    point = SECP256K1.encode(SECP256K1.base(sealing))
    return BootSecrets(signing, sealing, Boot(ed25519.public_key(signing), point))
