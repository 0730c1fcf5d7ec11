"""The online step of threshold ECDSA: one share from each party, any t+1 make the signature.

Groth and Shoup, 2022/506, with additive key derivation and additive rerandomisation.
For digest h, tweak ε and rerandomiser δ:

    R' = R + δ·G        r = x(R') mod q        θ = h + r·ε
    ν_i = θ·λ_i + r·(xλ)_i        μ_i = δ·λ_i + (κλ)_i        s = ν/μ

δ comes from the certificate of a block that fixed all else before, so that nobody could choose
(h, ε) knowing R'. Without it, a signature for one wallet is one for every other wallet of
the root, over another digest (tests/threshold/test_forgeries.py shows the forgery).

A presignature serves one (h, ε, δ) for ever: two uses give the root away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, islice

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.threshold.derivation import hash_to_scalar
from keymoot.threshold.errors import TooFew
from keymoot.threshold.group import SCALAR_BYTES
from keymoot.threshold.polynomial import evaluate_commitment, lagrange
from keymoot.threshold.presignature import Presignature, PublicPresignature
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, Point
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP

SHARE_BYTES = 4 * SCALAR_BYTES
_DOMAIN = b"keymoot/v1/ecdsa-rerandomise"
_MAX_SUBSETS = 2_000
"""Subsets of shares that a combiner tries before it gives up: enough for 13 parties."""


class BadDigest(Refused, code="BAD_DIGEST"):
    """A digest that no honest hash gives."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one presignature is spent on; all parties compute it alike.

    Attributes:
        nonce: R' = R + δ·G.
        r: Its x coordinate.
        theta: h + r·ε.
        public: The key under which the signature must verify, Y.
    """

    nonce: Point
    r: int
    theta: int
    delta: int
    digest: Hash32
    public: Point


@dataclass(frozen=True, slots=True)
class SignatureShare:
    """One party's answer: ν, ν', μ, μ'; the masks serve to check it."""

    value: int
    value_mask: int
    nonce: int
    nonce_mask: int

    def encode(self) -> bytes:
        """128 bytes."""
        numbers = (self.value, self.value_mask, self.nonce, self.nonce_mask)
        return b"".join(number.to_bytes(SCALAR_BYTES, "big") for number in numbers)

    @staticmethod
    def decode(data: bytes) -> "SignatureShare":
        if len(data) != SHARE_BYTES:
            raise Malformed(f"a signature share has {SHARE_BYTES} bytes, got {len(data)}")
        return SignatureShare(
            *(
                GROUP.decode_scalar(data[at : at + SCALAR_BYTES])
                for at in range(0, SHARE_BYTES, SCALAR_BYTES)
            )
        )


def rerandomiser(value: bytes, point: Point, *binding: bytes) -> int:
    """Hash the certificate's value, R, and all that the block has bound, to δ.

    `value` is of the block that bound the request (`bls.value`); `binding` is key, presignature,
    request, digest and tweak.
    """
    return hash_to_scalar(GROUP, _DOMAIN, value, GROUP.encode(point), *binding)


def task(point: Point, delta: int, digest: Hash32, epsilon: int, public: Point) -> Task:
    """Fix what a presignature is spent on.

    The digest was hashed by us, never by the requester alone; `public` is Y = X + ε·G.
    BadDigest: a digest of zero; or values that one in 2**128 has.
    """
    order = GROUP.ORDER
    h = int.from_bytes(digest, "big") % order
    nonce = GROUP.sum((point, GROUP.base_public(delta)))
    if not h or not delta or GROUP.is_identity(nonce):
        raise BadDigest("a digest of zero is never signed: any key's owner could forge it")
    r = GROUP.x(nonce)
    if not r or r >= order:
        raise BadDigest("this nonce gives no signature: ask again")
    return Task(nonce, r, (h + r * epsilon) % order, delta, digest, public)


def sign(presignature: Presignature, work: Task) -> SignatureShare:
    """Give a party's share; the caller has burned the presignature before."""
    value, value_mask, nonce, nonce_mask, key, key_mask = presignature.secrets
    theta, r, delta = GROUP.hide(work.theta), GROUP.hide(work.r), GROUP.hide(work.delta)

    def both(first: Secret, secret: Secret, second: Secret, other: Secret) -> int:
        product = GROUP.multiply_scalars(first, secret)
        return GROUP.open(GROUP.add_scalars((product, GROUP.multiply_scalars(second, other))))

    one = GROUP.hide(1)
    return SignatureShare(
        both(theta, value, r, key),
        both(theta, value_mask, r, key_mask),
        both(delta, value, one, nonce),
        both(delta, value_mask, one, nonce_mask),
    )


def check(work: Task, public: PublicPresignature, index: int, share: SignatureShare) -> bool:
    blinder = evaluate_commitment(GROUP, public.blinder, index)
    pairs = (
        (share.value, share.value_mask, work.theta, work.r, public.key_product),
        (share.nonce, share.nonce_mask, work.delta, 1, public.nonce_product),
    )
    for value, mask, first, second, polynomial in pairs:
        product = evaluate_commitment(GROUP, polynomial, index)
        left = GROUP.combine_public(value, mask, SECOND_GENERATOR)
        right = GROUP.sum(
            (GROUP.multiply_public(first, blinder), GROUP.multiply_public(second, product))
        )
        if not GROUP.equal(left, right):
            return False
    return True


def combine(
    work: Task, shares: Mapping[int, SignatureShare], degree: int
) -> tuple[Signature65, list[int]]:
    """Make the signature of any degree+1 good shares, and name the parties whose are bad.

    The result is checked by libsecp256k1 before it is given out; only when it fails are
    other subsets tried. A bad share is one that is off the polynomials of the good ones;
    that is certain for whoever made this call, and `check` proves it to others.
    """
    need = degree + 1
    ordered = sorted(shares)
    for chosen in islice(combinations(ordered, need), _MAX_SUBSETS):
        signature = _combine(work, {index: shares[index] for index in chosen})
        if signature is not None:
            good = {index: shares[index] for index in chosen}
            bad = [index for index in ordered if not _on_polynomial(good, index, shares[index])]
            return signature, bad
    raise TooFew("signature shares", min(len(shares), degree), need)


def _combine(work: Task, shares: Mapping[int, SignatureShare]) -> Signature65 | None:
    order = GROUP.ORDER
    weights = lagrange(order, shares)
    top = sum(weights[index] * share.value for index, share in shares.items()) % order
    bottom = sum(weights[index] * share.nonce for index, share in shares.items()) % order
    if not top or not bottom:
        return None
    s = top * pow(bottom, -1, order) % order
    parity = GROUP.encode(work.nonce)[0] & 1
    # Low s (EIP-2), which turns the nonce's sign.
    if s > order // 2:
        s, parity = order - s, parity ^ 1
    # s⁻¹·(h·G + r·Y) is R' or −R': recovery says the same with the key as its result.
    signature = Signature65(
        work.r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big") + bytes((parity,))
    )
    return signature if GROUP.equal(GROUP.recover(signature, work.digest), work.public) else None


def _on_polynomial(good: Mapping[int, SignatureShare], index: int, share: SignatureShare) -> bool:
    if index in good:
        return True
    order = GROUP.ORDER
    weights = lagrange(order, good, index)
    value = sum(weights[at] * answer.value for at, answer in good.items()) % order
    nonce = sum(weights[at] * answer.nonce for at, answer in good.items()) % order
    return (value, nonce) == (share.value, share.nonce)
