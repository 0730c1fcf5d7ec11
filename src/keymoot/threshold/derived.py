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
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.secret import Secret
from keymoot.threshold.bls12381 import G1, G2, pairings_equal
from keymoot.threshold.dice import Dice
from keymoot.threshold.errors import TooFew
from keymoot.threshold.group import BadPoint
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.root import Root, Share
from keymoot.threshold.session import framed

TAG = b"KEYMOOT-V1-DERIVE_BLS12381G1_XMD:SHA-256_SSWU_RO_"
"""Domain separation tag (RFC 9380)."""

_INFO = b"keymoot/v1/derived-key"


@dataclass(frozen=True, slots=True)
class AskerKey:
    """The public half of an asker's one-time key, in both groups."""

    first: bytes
    second: bytes

    def check(self) -> tuple[Any, Any]:
        """Check it as every party does; give both points.

        A point outside the subgroup would take the answer's mask away, the identity would
        publish it, and two halves that differ could not be checked by others.

        Raises:
            BadPoint: any of these.
        """
        first, second = G1.decode(self.first), G2.decode(self.second)
        if not pairings_equal((first, G2.generator), [(G1.generator, second)]):
            raise BadPoint("the two halves of the asker's key do not belong together")
        return first, second


@dataclass(frozen=True, slots=True)
class Answer:
    """One party's ElGamal pair (Y_i, C_i), 96 bytes."""

    nonce: bytes
    cipher: bytes

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [self.nonce, self.cipher]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Answer":
        """Read the RLP item.

        Raises:
            Malformed: not an answer.
        """
        nonce, cipher = list_of(item, 2, "answer")
        length = G1.POINT_BYTES
        return Answer(bytes_of(nonce, "nonce", length), bytes_of(cipher, "cipher", length))


def asker(dice: Dice) -> tuple[Secret, AskerKey]:
    """Make an asker's one-time key."""
    secret = dice.scalar(G1, "asker")
    return secret, AskerKey(G1.encode(G1.base(secret)), G2.encode(G2.base(secret)))


def point_of(root: Root, name: bytes, tag: bytes = TAG) -> Any:
    """Hash an input to the curve, together with the root's key."""
    return G1.hash_to_curve(G2.encode(root.public) + name, tag)


def input_of(purpose: str, *parts: bytes) -> bytes:
    """Write an input: the purpose keeps the inputs of different uses apart."""
    return framed(purpose.encode(), *parts)


def answer(share: Share, name: bytes, to: AskerKey, dice: Dice, tag: bytes = TAG) -> Answer:
    """Give a party's answer.

    Args:
        share: Of the root for derivation.
        name: The input; the party composes it from what the ledger says of the asker.
        to: The asker's key.
        dice: Fresh: a mask that serves twice opens both answers.
        tag: Domain separation tag.

    Raises:
        BadPoint: the asker's key is none.
    """
    first, _ = to.check()
    mask = dice.scalar(G1, "mask")
    cipher = G1.add(
        G1.multiply(share.secret, point_of(share.root, name, tag)), G1.multiply(mask, first)
    )
    return Answer(G1.encode(G1.base(mask)), G1.encode(cipher))


def check(
    root: Root, name: bytes, to: AskerKey, index: int, given: Answer, tag: bytes = TAG
) -> bool:
    """Tell whether a party's answer is good, as anyone can."""
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
    answers: Mapping[int, Answer],
    tag: bytes = TAG,
) -> tuple[Secret, list[int]]:
    """Put the key together; name the parties whose answers are bad.

    Args:
        root: The root for derivation.
        name: The input.
        secret: The asker's one-time secret.
        to: Its public half.
        answers: By party.
        tag: Domain separation tag.

    Returns:
        The encoding of x·H(input), 48 secret bytes (see `key_of`), and who is bad.

    Raises:
        TooFew: under degree+1 good answers.
    """
    need = root.degree + 1
    if len(answers) < need:
        raise TooFew("answers", len(answers), need)
    chosen = sorted(answers)[:need]
    point = _unmask(secret, {index: answers[index] for index in chosen})
    if point is not None and _fits(root, name, point, tag):
        return Secret(G1.encode(point)), []
    good = {index: one for index, one in answers.items() if check(root, name, to, index, one, tag)}
    bad = sorted(answers.keys() - good.keys())
    if len(good) < need:
        raise TooFew("answers", len(good), need)
    point = _unmask(secret, {index: good[index] for index in sorted(good)[:need]})
    if point is None or not _fits(root, name, point, tag):
        raise TooFew("answers", 0, need)
    return Secret(G1.encode(point)), bad


def key_of(point: Secret, purpose: str, length: int = 32) -> Secret:
    """Hash the combined point to key material (HKDF-SHA-256)."""
    info = framed(_INFO, purpose.encode())
    return Secret(HKDF(SHA256(), length, None, info).derive(point.expose()))


def _unmask(secret: Secret, answers: Mapping[int, Answer]) -> Any | None:
    try:
        nonces = {index: G1.decode(one.nonce) for index, one in answers.items()}
        ciphers = {index: G1.decode(one.cipher) for index, one in answers.items()}
    except Malformed:
        return None
    # Interpolated first, so that the secret multiplies one point.
    mask = G1.multiply(secret, interpolate_points(G1, nonces))
    return G1.add(interpolate_points(G1, ciphers), G1.negate(mask))


def _fits(root: Root, name: bytes, point: Any, tag: bytes) -> bool:
    known = point_of(root, name, tag)
    return pairings_equal((point, G2.generator), [(known, root.public)])
