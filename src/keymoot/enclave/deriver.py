"""Answers to questions for derived keys: an ElGamal pair that only its asker can use."""

import os

from keymoot.base import rlp
from keymoot.base.secret import Secret
from keymoot.moot.outcome import KeyAsk, key_input
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.dice import SEED_BYTES, Dice
from keymoot.threshold.root import Share


def derive_answer(ask: KeyAsk, share: Share) -> bytes:
    """Give the root's public key and our part of the key, for nobody but who asked."""
    dice = Dice(Secret(os.urandom(SEED_BYTES)))
    made = derived.answer(share, key_input(ask.asker, ask.name), ask.to, dice)
    return rlp.encode([G2.encode(share.root.public), made.encode()])
