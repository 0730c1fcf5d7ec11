"""The enclave's one room: what each message may make it do."""

import time
from pathlib import Path

from keymoot.attest.evidence import bind
from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.units import UnixSeconds
from keymoot.crypto import ed25519
from keymoot.enclave import messages
from keymoot.enclave.custody import Custodian
from keymoot.enclave.keep import open_keep, seal_keep
from keymoot.enclave.messages import Identity
from keymoot.enclave.platform import Platform
from keymoot.enclave.voter import Voter
from keymoot.runtime.genesis import Genesis
from keymoot.store.keys import StateKeys

GENERATION = 0
"""Recoveries so far; the embedded network of this release has none."""

_NO_NETWORK = NetworkId(bytes(32))


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


class Room:
    """Holds the secrets of one enclave and answers the server's messages."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        """Open the sealed secrets in `folder`, or make new ones.

        Raises:
            CannotUnseal: they were sealed elsewhere or by other code.
        """
        self._folder = folder
        self._platform = platform
        self._keep = open_keep(folder, platform)
        fresh = self._keep.network is None
        self._voter = Voter(folder, platform, self._keep.consensus, fresh=fresh)
        self._custodian: Custodian | None = None

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
        if self._custodian is None:
            raise NotJoined
        if word == messages.SIGN:
            return messages.votes_item(self._voter.sign(messages.read_ballot(body)))
        if word == messages.RELEASE:
            return messages.answers_item(self._custodian.answer(*messages.read_release(body)))
        raise Refused(f'"{word}" is no message to an enclave')

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
        ).encode()

    def _join(self, genesis: Genesis) -> rlp.Item:
        """Join a network for good; give its state secret to the node that we are part of."""
        # 1. The genesis lists our keys.
        mine = (self._voter.public_key, ed25519.public_key(self._keep.identity))
        if mine not in {(m.consensus_key, m.identity_key) for m in genesis.members}:
            raise NotMember
        # 2. It is the one that we are sealed to, or the first.
        keep = self._keep.joined(genesis.network)
        if keep.network != self._keep.network:
            seal_keep(self._folder, self._platform, keep)
            self._keep = keep
        keys = StateKeys(keep.state, genesis.network, GENERATION)
        self._custodian = Custodian(
            genesis,
            keys,
            keep.identity,
            lambda: UnixSeconds(int(time.time())),
            lambda: self._voter.height,
        )
        return [keep.state.expose(), GENERATION.to_bytes(2, "big")]


def read_joined(item: rlp.Decoded) -> tuple[Bytes32, int]:
    """Read what joining gives: the state secret and the generation.

    Raises:
        Malformed: not that.
    """
    secret, generation = list_of(item, 2, "joined")
    return fixed_of(secret, Bytes32, "state"), int.from_bytes(bytes_of(generation, "generation"))
