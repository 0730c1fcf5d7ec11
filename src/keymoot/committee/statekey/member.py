"""One seat's part in the state key: it asks for versions that it has not, and answers who asks.

It may be the seat of a member, or of a newcomer that is admitted.

A secret itself passes through here once, from the task that combines the answers to the
enclave that seals it; only then does the seat say that it has it.
"""

from dataclasses import dataclass, field
from functools import partial

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind
from keymoot.committee.reshare.member import Shares
from keymoot.committee.roots import DERIVE
from keymoot.committee.statekey.record import (
    AnswerBody,
    Ask,
    AskBody,
    HeldBody,
    ask_digest,
    state_secret,
)
from keymoot.committee.statekey.round import StateKeyDistribution
from keymoot.committee.task import Message, SeatTask
from keymoot.crypto import ed25519
from keymoot.threshold import derived
from keymoot.threshold.derived import AskerKey
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, Share


@dataclass(slots=True)
class StateKeyParticipant:
    """One seat's mind for the state key.

    Attributes:
        index: The seat.
        identity: Ed25519 seed of the enclave's identity; signs asks.
        held: Names of the versions that the enclave has sealed.
        opened: Secrets that answers gave, by name, until the enclave has sealed them.
    """

    index: int
    identity: Secret
    held: frozenset[Bytes32] = frozenset()
    opened: dict[Bytes32, Secret] = field(default_factory=dict)
    _own: dict[Bytes32, tuple[Secret, AskerKey]] = field(default_factory=dict, repr=False)

    def holds(self, name: Bytes32) -> bool:
        return name in self.held

    def sealed(self, name: Bytes32) -> None:
        """Go on: the enclave has sealed what was opened."""
        self.held |= {name}
        self.opened.pop(name, None)
        self._own.pop(name, None)

    def forget(self) -> None:
        """Begin again: the enclave has erased all secrets, for it has no seat any more."""
        self.held = frozenset()
        self.opened.clear()
        self._own.clear()

    def due(self, machine: CommitteeMachine, shares: Shares) -> list[SeatTask]:
        if not machine.state.ready:
            return []
        tasks = []
        for version in machine.state_key.versions:
            name = f"state/{machine.state.record.generation.hex()}/{version.name.hex()}"
            tasks += self._own_tasks(machine, version, name)
            tasks += self._answer_tasks(version, name, shares)
        return tasks

    def _own_tasks(
        self, machine: CommitteeMachine, version: StateKeyDistribution, name: str
    ) -> list[SeatTask]:
        epoch, status = machine.epochs.current, version.status
        seat, key = machine.epochs.membership.known(self.index), status.name
        if epoch is None or seat is None or seat.session is None:
            return []
        when = epoch.number, epoch.attempt
        now = f"{name}/{epoch.number}/{epoch.attempt}"
        if self.holds(key):
            if self.index in status.holders:
                return []
            said = (Kind.STATE_HELD, HeldBody(key).encode())
            return [SeatTask(f"{now}/held", lambda _: [said])]
        if key in self.opened:
            return []
        ask = version.ask(self.index)
        if ask is None:
            network, place = machine.network, (self.index, seat.session.signing)
            generation = machine.state.record.generation

            def run(rng: SeededRng) -> list[Message]:
                secret, to = derived.asker(rng)
                digest = ask_digest(network, generation, place, when, key, to)
                self._own[key] = (secret, to)
                signature = ed25519.sign(self.identity, digest)
                body = AskBody(*when, key, to.first, to.second, signature).encode()
                return [(Kind.STATE_ASK, body)]

            return [] if self.index in status.asked else [SeatTask(f"{now}/ask", run)]
        if len(ask.answers) < version.need:
            return []
        combine = partial(self._combine, ask, version.root, version.input, key)
        return [SeatTask(f"{name}/{ask.number}/combine", combine)]

    def _combine(
        self, ask: Ask, root: Root, source: bytes, key: Bytes32, _: SeededRng
    ) -> list[Message]:
        own = self._own.get(key)
        if own is None or own[1] != ask.to:
            return []
        # The one-time secret goes with this: it opens no second ask.
        self._own.pop(key, None)
        point, _bad = derived.combine(root, source, *own, ask.answers)
        self.opened[key] = state_secret(point)
        return []

    def _answer_tasks(
        self, version: StateKeyDistribution, name: str, shares: Shares
    ) -> list[SeatTask]:
        share = shares.get(DERIVE)
        if share is None:
            return []
        need, source, key = version.need, version.input, version.name
        return [
            SeatTask(
                f"{name}/{ask.number}/answer", partial(_answer, key, asker, ask, share, source)
            )
            for asker, ask in version.asks().items()
            if ask.awaits(self.index, need)
        ]


def _answer(
    key: Bytes32, asker: int, ask: Ask, share: Share, source: bytes, rng: SeededRng
) -> list[Message]:
    made = derived.answer(share, source, ask.to, rng)
    return [(Kind.STATE_ANSWER, AnswerBody(key, asker, ask.number, made).encode())]
