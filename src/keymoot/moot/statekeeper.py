"""One seat's part in the state key: it asks where it has none, and answers who asks.

It may be the seat of a member, or of a newcomer that is admitted.

The secret itself passes through here once, from the duty that combines the answers to the
enclave that seals it; only then does the seat say that it has it.
"""

from dataclasses import dataclass, field
from functools import partial

from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.moot.assembly import Assembly
from keymoot.moot.duty import Duty, Message
from keymoot.moot.message import Kind
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import (
    Ask,
    ask_digest,
    state_secret,
    write_answer,
    write_ask,
    write_held,
)
from keymoot.threshold import derived
from keymoot.threshold.derived import AskerKey
from keymoot.threshold.dice import Dice
from keymoot.threshold.root import Root, Share


@dataclass(slots=True)
class Statekeeper:
    """One seat's mind for the state key.

    Attributes:
        index: The seat.
        identity: Ed25519 seed of the enclave's identity; signs asks.
        held: Whether the enclave has the secret sealed.
        found: The secret that answers gave, until the enclave has sealed it.
    """

    index: int
    identity: Secret
    held: bool = False
    found: Secret | None = None
    _own: tuple[Secret, AskerKey] | None = field(default=None, repr=False)

    def sealed(self) -> None:
        """Go on: the enclave has sealed what was found, and its node has it."""
        self.held, self.found, self._own = True, None, None

    def forget(self) -> None:
        """Begin again: the enclave has erased the secret, for it has no seat any more."""
        self.held, self.found, self._own = False, None, None

    def due(self, assembly: Assembly, shares: Shares) -> list[Duty]:
        """Give what is to be done now."""
        if not assembly.hall.ready:
            return []
        name = f"state/{assembly.hall.head.generation.hex()}"
        return self._own_duties(assembly, name) + self._answer_duties(assembly, name, shares)

    def _own_duties(self, assembly: Assembly, name: str) -> list[Duty]:
        handout, epoch = assembly.handout, assembly.turning.epoch
        standing, seat = handout.standing, assembly.turning.admitting.known(self.index)
        if epoch is None or seat is None or seat.boot is None:
            return []
        when = epoch.number, epoch.attempt
        now = f"{name}/{epoch.number}/{epoch.attempt}"
        if self.held:
            if self.index in standing.holders:
                return []
            said = (Kind.STATE_HELD, write_held(standing.version))
            return [Duty(f"{now}/held", lambda _: [said])]
        if self.found is not None:
            return []
        ask = handout.ask(self.index)
        if ask is None:
            network, boot = assembly.network, seat.boot.signing
            generation = assembly.hall.head.generation

            def run(dice: Dice) -> list[Message]:
                secret, to = derived.asker(dice)
                digest = ask_digest(network, generation, self.index, boot, when, to)
                self._own = (secret, to)
                signature = ed25519.sign(self.identity, digest)
                return [(Kind.STATE_ASK, write_ask(when, to, signature))]

            return [] if self.index in standing.asked else [Duty(f"{now}/ask", run)]
        if len(ask.answers) < handout.need:
            return []
        combine = partial(self._combine, ask, handout.root, handout.input)
        return [Duty(f"{name}/{ask.number}/combine", combine)]

    def _combine(self, ask: Ask, root: Root, name: bytes, _: Dice) -> list[Message]:
        own = self._own
        if own is None or own[1] != ask.to:
            return []
        # The one-time secret goes with this: it opens no second ask.
        self._own = None
        point, _bad = derived.combine(root, name, *own, ask.answers)
        self.found = state_secret(point)
        return []

    def _answer_duties(self, assembly: Assembly, name: str, shares: Shares) -> list[Duty]:
        share, handout = shares.get(DERIVE), assembly.handout
        if share is None:
            return []
        need, source = handout.need, handout.input
        return [
            Duty(f"{name}/{ask.number}/answer", partial(_answer, asker, ask, share, source))
            for asker, ask in handout.asks().items()
            if ask.awaits(self.index, need)
        ]


def _answer(asker: int, ask: Ask, share: Share, source: bytes, dice: Dice) -> list[Message]:
    made = derived.answer(share, source, ask.to, dice)
    return [(Kind.STATE_ANSWER, write_answer(asker, ask.number, made))]
