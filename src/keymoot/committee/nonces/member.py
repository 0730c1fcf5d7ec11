"""One seat's part in FROST: it posts commitments ahead, and holds their nonces until used.

All secrets here are of this start only, and never written down.
"""

from dataclasses import dataclass, field
from functools import partial

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.nonces.ledger import MIN_LEFT
from keymoot.committee.nonces.record import NONCE_BATCH_SIZE, NonceBatch
from keymoot.committee.task import Message, SeatTask
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.frost import Nonces
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Share

REPEAT_SECONDS = 30
"""After so long a batch that is in no block is said again."""

_Name = tuple[Hash32, int]
"""A pair's name: its generation and number. Numbers begin anew in each generation."""


@dataclass(slots=True)
class NonceParticipant:
    """One seat's mind for nonces."""

    index: int
    _held: dict[_Name, Nonces] = field(default_factory=dict)
    _said: dict[_Name, NonceBatch] = field(default_factory=dict)

    def due(self, machine: CommitteeMachine, share: Share, time: UnixSeconds) -> list[SeatTask]:
        """`share` is of the Ed25519 root, in the living epoch; `time` of the newest block."""
        pool = machine.nonces.pool(self.index)
        record = machine.state.record
        if pool.left >= MIN_LEFT or self.index in record.out:
            return []
        batch = pool.end // NONCE_BATCH_SIZE
        # What no block took up is said again: the same batch, never another of its number.
        name = f"nonces/{record.generation.hex()}/{batch}/{time // REPEAT_SECONDS}"
        return [SeatTask(name, partial(self._post, record.generation, batch, share))]

    def take(self, generation: Hash32, number: int) -> Nonces | None:
        """Give a pair of nonces and forget it: it serves once, in its own generation."""
        return self._held.pop((generation, number), None)

    def wipe(self) -> None:
        self._held.clear()
        self._said.clear()

    def prune(self, machine: CommitteeMachine) -> None:
        """Forget the nonces of other generations, and those that were bound or burned."""
        generation = machine.state.record.generation
        cursor = machine.nonces.pool(self.index).cursor
        for name in list(self._held):
            if name[0] != generation or name[1] < cursor:
                self._held.pop(name, None)

    def _post(self, generation: Hash32, batch: int, share: Share, rng: SeededRng) -> list[Message]:
        known = self._said.get((generation, batch))
        if known is not None:
            return [(Kind.NONCES, NumberedBody(batch, known).encode())]
        commitments = []
        for place in range(NONCE_BATCH_SIZE):
            random = rng.secret(f"hiding/{place}"), rng.secret(f"binding/{place}")
            made = frost.commit(ED25519, share, random)
            self._held[generation, batch * NONCE_BATCH_SIZE + place] = made
            commitments.append(made.commitment)
        content = NonceBatch.of(commitments)
        self._said = {(generation, batch): content}
        return [(Kind.NONCES, NumberedBody(batch, content).encode())]
