"""Answers to questions for derived keys: an ElGamal pair that only its asker can use."""

import os
from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto.ed25519 import SigningKey
from keymoot.enclave.answer import Answer, signed_answer
from keymoot.enclave.follower import Followed
from keymoot.moot.outcome import KeyAsk, key_input
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.dice import SEED_BYTES, Dice
from keymoot.threshold.root import Share


@dataclass(slots=True)
class _Open:
    """A question until it is over."""

    ask: KeyAsk
    answer: Answer | None = None


@dataclass
class Deriver:
    """Answers what its follower has seen asked."""

    identity: SigningKey
    _open: dict[Hash32, _Open] = field(default_factory=dict)

    def note(self, followed: Followed) -> None:
        """Take over what a block asked."""
        for ask in followed.asks:
            self._open[ask.question] = _Open(ask)

    def find(self, question: Hash32) -> KeyAsk | None:
        """Give an open question."""
        found = self._open.get(question)
        return None if found is None else found.ask

    def answer(self, question: Hash32, share: Share, network: bytes) -> Answer:
        """Answer an open question; asked again, the same bytes come back.

        The caller has checked time, and the beacon of the question's height.
        """
        found = self._open[question]
        if found.answer is None:
            content = derive_answer(found.ask, share)
            found.answer = signed_answer(network, question, content, self.identity)
        return found.answer

    def forget(self, oldest: UnixSeconds) -> None:
        """Forget what expired before."""
        for name in [one for one, open_ in self._open.items() if open_.ask.expires_at < oldest]:
            del self._open[name]

    def heights(self) -> set[Height]:
        """Give the heights whose beacon may still be shown."""
        return {open_.ask.height for open_ in self._open.values()}


def derive_answer(ask: KeyAsk, share: Share) -> bytes:
    """Give the root's public key and our part of the key, for nobody but who asked."""
    dice = Dice(Secret(os.urandom(SEED_BYTES)))
    made = derived.answer(share, key_input(ask.asker, ask.name), ask.to, dice)
    return rlp.encode([G2.encode(share.root.public), made.encode()])
