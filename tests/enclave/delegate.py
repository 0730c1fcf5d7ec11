"""One enclave of a test's own process: its room, its door, and what it says."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.commit import SignedHeader
from keymoot.attest.validators import Ed25519Key
from keymoot.enclave.room import Room, read_joined

from keymoot.base import rlp
from keymoot.base.fixed import Bytes32, Hash32, Measurement
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.enclave import messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.messages import Identity
from keymoot.enclave.process import respond
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.enclave.workshop import Report, Workshop
from keymoot.moot.duty import Duty
from keymoot.moot.genesis import Genesis
from keymoot.threshold.dice import SEED_BYTES, Dice

CODE = Measurement(b"c" * 48)


class Inline(Workshop):
    """A workshop that works at once."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def do(self, duties: list[Duty]) -> None:
        for duty in duties:
            self._report(duty, duty.run(Dice(Secret(os.urandom(SEED_BYTES)))))


class Delegate:
    """One enclave, as the ledger's engine and a test see it."""

    def __init__(
        self,
        seat: int,
        folder: Path,
        said: list[bytes],
        take: Callable[[Secret], None] = lambda _: None,
    ) -> None:
        self.seat, self.folder, self.said, self.take = seat, folder, said, take
        self.platform = SimulatedPlatform(Secret(bytes([seat]) * 32), CODE)
        self.next = Height(1)
        self.beacons: dict[Height, bytes] = {}
        self.refusal = ""
        self.asleep = False
        self.start()

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.woken = False
        self.room = Room(self.folder, self.platform, self.said.append, Inline, self.take)
        self.room.wake = self.wake
        self.identity = Identity.decode(self.ask(messages.HELLO, Bytes32(os.urandom(32))))
        self.public_key = Ed25519Key(self.identity.consensus_key)

    def wake(self) -> None:
        self.woken = True

    def join(self, genesis: Genesis, seat: int = 0) -> None:
        """Join; take over the state secret, if it is sealed."""
        item = messages.join_item(genesis.encode(), seat)
        secret, _ = read_joined(self.ask(messages.JOIN, item))
        if secret is not None:
            self.take(secret)

    def ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        """Send a frame through the enclave's real door; then let it look for duties."""
        payload = messages.frame(1, word, body)[messages.LENGTH_BYTES :]
        _, code, content = messages.parse(respond(self.room, payload)[messages.LENGTH_BYTES :])
        while self.woken:
            self.woken = False
            self.room.look()
        if code != messages.OK:
            assert isinstance(content, bytes)
            raise EnclaveRefused(code, content.decode())
        return content

    async def sign(self, ballot: Ballot) -> Votes:
        if self.asleep:
            raise EnclaveRefused("ASLEEP", "it does not answer")
        return messages.read_votes(self.ask(messages.SIGN, messages.ballot_item(ballot)))

    def follow(self, signed: SignedHeader, txs: Any, receipts: Any) -> bytes:
        (share,) = self.ask(messages.FOLLOW, messages.follow_item(signed, txs, receipts))
        assert isinstance(share, bytes)
        return share

    def cosign(self, key: Hash32, beacon: bytes) -> Answer:
        item = self.ask(messages.COSIGN, messages.cosign_item([(key, beacon)]))
        return messages.read_answers(item)[0]
