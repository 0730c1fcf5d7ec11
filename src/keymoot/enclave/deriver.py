"""Answers to questions for derived keys: an ElGamal pair that only its asker can use."""

import os

from keymoot.base import rlp
from keymoot.base.secret import Secret
from keymoot.committee.outcome import KeyAsk
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.rng import SEED_BYTES, SeededRng
from keymoot.threshold.root import Share


def derive_answer(ask: KeyAsk, share: Share) -> bytes:
    """Give the root's public key and our part of the key, for nobody but who asked."""
    rng = SeededRng(Secret(os.urandom(SEED_BYTES)))
    made = derived.answer(share, ask.inputs, ask.to, rng)
    return rlp.encode([G2.encode(share.root.public), made.item()])
