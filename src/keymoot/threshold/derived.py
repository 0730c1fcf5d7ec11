"""Confidential key derivation: a key that only the one who asked can put together.

The scheme of near/mpc in its publicly verifiable form (specs section 5). The key for an
input is the hash of the unique BLS signature x·H(input). Party i answers with an ElGamal
pair under the asker's key (A, A2) = (a·G1, a·G2):

    Y_i = y_i·G1        C_i = x_i·H(input) + y_i·A

and anyone checks it: e(C_i, G2) = e(H, X_i)·e(Y_i, A2). The asker takes a·Y off the
interpolated sum. The parties learn nothing, for the pairs hide the point (DDH in G1).

The root of this scheme signs nothing else: a signature over an input is its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.threshold.bls12381 import G1, G2, pairings_equal
from keymoot.threshold.errors import TooFew
from keymoot.threshold.group import BadPoint
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, Share
from keymoot.threshold.session import framed

TAG = b"KEYMOOT-V1-DERIVE_BLS12381G1_XMD:SHA-256_SSWU_RO_"

_INFO = b"keymoot/v1/derived-key"


@dataclass(frozen=True, slots=True)
class AskerKey:
    """The public half of an asker's one-time key, in both groups."""

    first: bytes
    second: bytes

    def check(self) -> tuple[Any, Any]:
        """Check it as every party does; give both points.

        BadPoint: a point outside the subgroup would take the answer's mask away, the identity would
        publish it, and two halves that differ could not be checked by others.
        """
        return _checked(self.first, self.second)


@lru_cache(maxsize=256)
def _checked(in_g1: bytes, in_g2: bytes) -> tuple[Any, Any]:
    """Check once what an enclave meets twice, in the block and when it answers."""
    first, second = G1.decode(in_g1), G2.decode(in_g2)
    if not pairings_equal((first, G2.generator), [(G1.generator, second)]):
        raise BadPoint("the two halves of the asker's key do not belong together")
    return first, second


@dataclass(frozen=True, slots=True)
class DerivationShare(Record):
    """One party's ElGamal pair (Y_i, C_i), 96 bytes."""

    nonce: Annotated[bytes, AtMost(G1.POINT_BYTES)]
    cipher: Annotated[bytes, AtMost(G1.POINT_BYTES)]


def asker(rng: SeededRng) -> tuple[Secret, AskerKey]:
    secret = rng.scalar(G1, "asker")
    return secret, AskerKey(G1.encode(G1.base(secret)), G2.encode(G2.base(secret)))


def point_of(root: Root, name: bytes, tag: bytes = TAG) -> Any:
    """Hash an input to the curve, together with the root's key."""
    return G1.hash_to_curve(G2.encode(root.public) + name, tag)


def input_of(purpose: str, *parts: bytes) -> bytes:
    """The purpose keeps the inputs of different uses apart."""
    return framed(purpose.encode(), *parts)


def answer(
    share: Share, name: bytes, to: AskerKey, rng: SeededRng, tag: bytes = TAG
) -> DerivationShare:
    """Give a party's answer.

    The party composes the input `name` from what the ledger says of the asker; a mask that serves
    twice opens both answers, so `rng` is fresh.
    """
    first, _ = to.check()
    mask = rng.scalar(G1, "mask")
    cipher = G1.add(
        G1.multiply(share.secret, point_of(share.root, name, tag)), G1.multiply(mask, first)
    )
    return DerivationShare(G1.encode(G1.base(mask)), G1.encode(cipher))


def check(
    root: Root, name: bytes, to: AskerKey, index: int, given: DerivationShare, tag: bytes = TAG
) -> bool:
    try:
        nonce, cipher = G1.decode(given.nonce), G1.decode(given.cipher)
        _, second = to.check()
    except Malformed:
        return False
    point = point_of(root, name, tag)
    pairs = [(point, root.share_of(index)), (nonce, second)]
    return pairings_equal((cipher, G2.generator), pairs)


def combine(
    root: Root,
    name: bytes,
    secret: Secret,
    to: AskerKey,
    answers: Mapping[int, DerivationShare],
    tag: bytes = TAG,
) -> tuple[Secret, list[int]]:
    """Put the key together: x·H(input), 48 secret bytes (see `key_of`); name whose answers are bad.

    `secret` is the asker's one-time secret. TooFew: under degree+1 good answers.
    """
    need = root.degree + 1
    if len(answers) < need:
        raise TooFew("answers", len(answers), need)
    chosen = sorted(answers)[:need]
    point = _unmask(secret, {index: answers[index] for index in chosen})
    if point is not None and _fits(root, name, point, tag):
        return Secret(G1.encode(point)), []
    good = {
        index: answer
        for index, answer in answers.items()
        if check(root, name, to, index, answer, tag)
    }
    bad = sorted(answers.keys() - good.keys())
    if len(good) < need:
        raise TooFew("answers", len(good), need)
    point = _unmask(secret, {index: good[index] for index in sorted(good)[:need]})
    if point is None or not _fits(root, name, point, tag):
        raise TooFew("answers", 0, need)
    return Secret(G1.encode(point)), bad


def key_of(point: Secret, purpose: str, length: int = 32) -> Secret:
    """HKDF-SHA-256."""
    info = framed(_INFO, purpose.encode())
    return Secret(HKDF(SHA256(), length, None, info).derive(point.expose()))


def _unmask(secret: Secret, answers: Mapping[int, DerivationShare]) -> Any | None:
    try:
        nonces = {index: G1.decode(answer.nonce) for index, answer in answers.items()}
        ciphers = {index: G1.decode(answer.cipher) for index, answer in answers.items()}
    except Malformed:
        return None
    # Interpolated first, so that the secret multiplies one point.
    mask = G1.multiply(secret, interpolate_points(G1, nonces))
    return G1.add(interpolate_points(G1, ciphers), G1.negate(mask))


def _fits(root: Root, name: bytes, point: Any, tag: bytes) -> bool:
    known = point_of(root, name, tag)
    return pairings_equal((point, G2.generator), [(known, root.public)])
