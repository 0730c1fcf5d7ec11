"""How fast this machine is in this hour, beside the one on which the goals were set.

Virtual machines differ, and one differs from hour to hour, by more than a good change brings.
So a basket of library calls is timed in the same run; each has a time that is known of the
machine of the goals. Their median ratio is the pace: 1 is as fast as that machine, 2 takes
twice as long.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import pyblst
from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from nacl import bindings

from bench.row import Row, median_seconds
from keymoot.threshold.secp256k1 import SECP256K1

_ORDER = SECP256K1.ORDER


def basket() -> dict[str, tuple[Callable[[], Any], float]]:
    """Give calls by name, each with its microseconds on the machine of the goals."""
    key, message = PrivateKey(b"\x01" * 32), b"\x02" * 32
    signature = key.sign_recoverable(message, hasher=None)
    scalar = SECP256K1.scalar(os.urandom(32))
    point = SECP256K1.base(SECP256K1.scalar(os.urandom(32)))
    public, secret = bindings.crypto_sign_seed_keypair(message)
    signed = bindings.crypto_sign(message, secret)
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    reply = X25519PrivateKey.generate().public_key()
    on_g1 = pyblst.BlstP1Element().hash_to_group(message, b"bench")
    packed, number = on_g1.compress(), int.from_bytes(os.urandom(31), "big")
    return {
        "secp256k1 signature": (lambda: key.sign_recoverable(message, hasher=None), 22),
        "secp256k1 recovery": (
            lambda: PublicKey.from_signature_and_message(signature, message, hasher=None),
            32,
        ),
        "secret times G": (lambda: SECP256K1.base(scalar), 18),
        "secret times a point": (lambda: SECP256K1.multiply(scalar, point), 32),
        "Ed25519 verification": (lambda: bindings.crypto_sign_open(signed, public), 44),
        "HPKE seal": (lambda: suite.encrypt(b"x" * 48, reply, info=b"bench"), 74),
        "BLS12-381 G1 product": (lambda: on_g1.scalar_mul(number), 82),
        "BLS12-381 G1 decoding": (lambda: pyblst.BlstP1Element.uncompress(packed), 57),
        "inverse in Python": (lambda: pow(number, -1, _ORDER), 14.5),
    }


def measure() -> list[Row]:
    """Give the pace, and the calls that it was taken from."""
    rows, ratios = [], []
    for name, (call, known) in basket().items():
        took = median_seconds(call, 2_000, clock=time.process_time) * 1e6
        ratios.append(took / known)
        rows.append(Row(f"pace: {name} ({known:g} there)", took, "µs"))
    return [Row(PACE, statistics.median(ratios), "ratio"), *rows]


PACE = "pace: this machine now, beside that of the goals"
