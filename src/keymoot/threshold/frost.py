"""FROST: threshold Schnorr signatures in two rounds, the first of them ahead of time.

RFC 9591. A signer publishes commitments to a pair of nonces; later, for one message and
one list of signers, he answers once. The binding factor ties each nonce to the message and
to the whole list, without which many open sessions would forge (2020/945).

A nonce pair serves once: `Nonces` says `Spent` to whoever takes it again. A signer takes
message and tweak from the ledger, never from who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.threshold.ciphersuite import Ciphersuite
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.derivation import tweaked
from keymoot.threshold.errors import Cheated, Spent, TooFew
from keymoot.threshold.polynomial import lagrange
from keymoot.threshold.root import Root, Share


@dataclass(frozen=True, slots=True)
class Commitment(Record):
    """A signer's commitments to his hiding and binding nonce, encoded."""

    hiding: Annotated[bytes, AtMost(33)]
    binding: Annotated[bytes, AtMost(33)]


class Nonces:
    """A pair of secret nonces that can be taken out once."""

    __slots__ = ("_pair", "commitment")

    def __init__(self, suite: Ciphersuite, hiding: Secret, binding: Secret) -> None:
        group = suite.group
        self._pair: tuple[Secret, Secret] | None = (hiding, binding)
        self.commitment = Commitment(
            group.encode(group.base(hiding)), group.encode(group.base(binding))
        )

    def take(self) -> tuple[Secret, Secret]:
        """Give the pair and forget it; Spent where it was taken before."""
        if self._pair is None:
            raise Spent("this pair of nonces")
        pair, self._pair = self._pair, None
        return pair


@dataclass(frozen=True, slots=True)
class Signing:
    """One message and one list of signers, with all that follows from them.

    Attributes:
        root: The root whose shares sign.
        epsilon: The wallet's tweak; 0 for the root itself.
        factors: Binding factor of each signer.
        nonce: The group commitment R.
        public: The key under which it verifies.
        challenge: c.
    """

    suite: Ciphersuite
    root: Root
    epsilon: int
    message: bytes
    commitments: Mapping[int, Commitment]
    factors: Mapping[int, int]
    points: Mapping[int, tuple[Any, Any]]
    nonce: Any
    public: Any
    challenge: int


def commit(suite: Ciphersuite, share: Share, random: tuple[Secret, Secret]) -> Nonces:
    """Make a pair of nonces of two times 32 fresh random bytes (RFC 9591, section 4.1).

    The signer's share is hashed in, so that bad randomness alone gives nothing away.
    """
    hiding, binding = (suite.h3(secret.expose() + share.secret.expose()) for secret in random)
    return Nonces(suite, hiding, binding)


def prepare(
    suite: Ciphersuite,
    root: Root,
    epsilon: int,
    message: bytes,
    commitments: Mapping[int, Commitment],
) -> Signing:
    """Compute what every signer and the combiner compute alike (RFC 9591, section 4)."""
    group = suite.group
    # 1. Enough signers, all of them known.
    if not root.degree < len(commitments) <= MAX_SIZE:
        raise TooFew("signers", len(commitments), root.degree + 1)
    if not all(1 <= index <= len(root.shares) for index in commitments):
        raise Malformed("a signer is not of the committee")
    # 2. Their commitments are points.
    ordered = {index: commitments[index] for index in sorted(commitments)}
    points = {}
    for index, commitment in ordered.items():
        try:
            points[index] = group.decode(commitment.hiding), group.decode(commitment.binding)
        except Malformed as error:
            raise Cheated(index, f"committed to a nonce with no point: {error}") from error
    # 3. Binding factors, group commitment, challenge (sections 4.4 to 4.6).
    public = tweaked(group, root.public, epsilon)
    factors = _factors(suite, public, message, ordered)
    nonce = group.sum(
        [
            group.add(hiding, group.multiply_public(factors[index], binding))
            for index, (hiding, binding) in points.items()
        ]
    )
    if group.is_identity(nonce):
        raise TooFew("signers", 0, root.degree + 1)
    challenge = suite.h2(nonce, public, message)
    return Signing(
        suite, root, epsilon, message, ordered, factors, points, nonce, public, challenge
    )


def sign(work: Signing, share: Share, nonces: Nonces) -> int:
    """Give a signer's share of the signature (RFC 9591, section 5.2); burns the nonces.

    Spent: they were used before. Malformed: the list has another commitment for this signer.
    """
    group = work.suite.group
    if work.commitments.get(share.index) != nonces.commitment:
        raise Malformed("the list of commitments does not have this signer's as he made it")
    hiding, binding = nonces.take()
    weight = lagrange(group.ORDER, work.commitments)[share.index]
    own = group.add_scalars((share.secret, group.hide(work.epsilon)))
    key = group.scale(weight * work.challenge, own)
    nonce = group.add_scalars((hiding, group.scale(work.factors[share.index], binding)))
    if work.suite.turned(work.nonce):
        nonce = group.negate_scalar(nonce)
    if work.suite.turned(work.public):
        key = group.negate_scalar(key)
    return group.open(group.add_scalars((nonce, key)))


def check(work: Signing, index: int, answer: int) -> bool:
    """RFC 9591, section 5.4."""
    group = work.suite.group
    hiding, binding = work.points[index]
    nonce = group.add(hiding, group.multiply_public(work.factors[index], binding))
    if work.suite.turned(work.nonce):
        nonce = group.negate(nonce)
    weight = lagrange(group.ORDER, work.commitments)[index]
    factor = weight * work.challenge % group.ORDER
    if work.suite.turned(work.public):
        factor = group.ORDER - factor
    own = tweaked(group, work.root.share_of(index), work.epsilon)
    expected = group.add(nonce, group.multiply_public(factor, own))
    return group.equal(group.base_public(answer), expected)


def combine(work: Signing, answers: Mapping[int, int]) -> bytes:
    """Add all signers' shares, and verify (RFC 9591, section 5.3); Cheated names the signer."""
    missing = work.commitments.keys() - answers.keys()
    if missing:
        raise TooFew("signature shares", len(answers), len(work.commitments))
    total = sum(answers[index] for index in work.commitments) % work.suite.group.ORDER
    signature = work.suite.signature(work.nonce, total)
    if work.suite.verify(work.public, work.message, signature):
        return signature
    for index in work.commitments:
        if not check(work, index, answers[index]):
            raise Cheated(index, "sent a bad share of a signature")
    raise Malformed("all shares are good and the signature is not: message and key do not fit")


def _factors(
    suite: Ciphersuite, public: Any, message: bytes, commitments: Mapping[int, Commitment]
) -> dict[int, int]:
    listed = b"".join(
        suite.identifier(index) + commitment.hiding + commitment.binding
        for index, commitment in commitments.items()
    )
    prefix = suite.group.encode(public) + suite.h4(message) + suite.h5(listed)
    return {index: suite.h1(prefix + suite.identifier(index)) for index in commitments}
