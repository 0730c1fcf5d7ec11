"""The second round of presignatures: products of what the first round shared.

Each function is a step of `presignature`'s protocol. Everybody checks everybody's proof
and its own shares, all of a batch in one sum (`verifier`), and takes them apart only when the
sum does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.threshold import dispute
from keymoot.threshold import envelope as boxes
from keymoot.threshold.batch_verifier import BatchVerifier
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstPublic, FirstShare
from keymoot.threshold.multi_scalar import powers, weighted_sum
from keymoot.threshold.polynomial import (
    commit_masked,
    evaluate_all,
    evaluate_commitment,
    lagrange,
    masked,
    small_lagrange,
)
from keymoot.threshold.presignature import (
    MAX_BATCH,
    Batch,
    Presignature,
    PublicPresignature,
    Strings,
    open_shares,
    read_commitments,
    split_shares,
)
from keymoot.threshold.products import EACH_BYTES, ONCE_BYTES, Products, ProductsProof, Witness
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point

MAX_PROOF_BYTES = MAX_BATCH * EACH_BYTES + ONCE_BYTES


@dataclass(frozen=True, slots=True)
class SecondDealing(Record):
    """A dealer's products: commitments for each presignature, one proof, and the shares."""

    products: Strings
    proof: Annotated[bytes, AtMost(MAX_PROOF_BYTES)]
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class SecondClaim:
    """What one dealer committed to, as points, and his proof, unchecked.

    A presignature's points are the polynomial of κ_i·λ_i, then that of x_i·λ_i.
    """

    commitments: list[list[Point]]
    statement: Products
    proof: ProductsProof


def deal(
    batch: Batch, share: Share, public: FirstPublic, shares: Sequence[FirstShare], rng: SeededRng
) -> SecondDealing:
    """Deal κ_i·λ_i and x_i·λ_i for each presignature, with the proof of the products."""
    degree, dealer = batch.root.degree, share.index
    per = 2 * (2 * degree + 1)
    drawn = rng.scalars(GROUP, "second", per * batch.size)
    commitments, known = [], []
    contents: dict[int, list[bytes]] = {index: [] for index in batch.keys}
    for at, own in enumerate(shares):
        coins = iter(drawn[per * at : per * (at + 1)])
        points, masks = [], []
        for factor in (own.nonce, share.secret):
            value = [GROUP.multiply_scalars(factor, own.value)]
            value += [next(coins) for _ in range(degree)]
            mask = [next(coins) for _ in range(degree + 1)]
            points += commit_masked(value, mask)
            masks.append(mask[0])
            for polynomial in (value, mask):
                values = evaluate_all(GROUP, polynomial, max(batch.keys))
                for index, content in contents.items():
                    content.append(values[index - 1].expose())
        commitments.append(points)
        known.append(Witness(own.nonce, own.value, own.mask, *masks))
    statement = _statement(batch, dealer, public, commitments)
    proof = statement.prove(share.secret, known, rng.scalars(GROUP, "proof", batch.size + 2))
    joined = {index: b"".join(content) for index, content in contents.items()}
    envelope = boxes.seal(batch.second, dealer, batch.keys, joined, rng.child("envelope"))
    return SecondDealing(
        tuple(GROUP.encode_all(points) for points in commitments), proof.encode(), envelope
    )


def read(batch: Batch, public: FirstPublic, dealer: int, dealing: SecondDealing) -> SecondClaim:
    if GROUP.is_identity(batch.root.share_of(dealer)):
        raise Cheated(dealer, "made his own share zero: there is no product of it to prove")
    commitments = read_commitments(batch, dealer, dealing.products, 2)
    boxes.check(batch.second, dealer, dealing.envelope, batch.keys)
    try:
        proof = ProductsProof.decode(dealing.proof)
    except Malformed as error:
        raise Cheated(dealer, f"sent a proof that is none: {error}") from error
    if len(proof.nonces) != batch.size:
        raise Cheated(dealer, f"proved {len(proof.nonces)} of {batch.size} presignatures")
    return SecondClaim(commitments, _statement(batch, dealer, public, commitments), proof)


def check(batch: Batch, public: FirstPublic, dealer: int, claim: SecondClaim) -> None:
    """Check a dealer's proof alone and without randomness, so that all who look agree."""
    nonces = [public.plain_share(at, dealer) for at in range(batch.size)]
    others = [public.masked_share(at, dealer) for at in range(batch.size)]
    if not claim.statement.verify(claim.proof, nonces, others):
        raise Cheated(dealer, "proved products that are none")


def receive(
    batch: Batch,
    index: int,
    key: Secret,
    public: FirstPublic,
    shares: Sequence[FirstShare],
    dealings: Mapping[int, SecondDealing],
    rng: SeededRng,
) -> list[Presignature]:
    """Check exactly 2t+1 second dealings and interpolate one's shares of them.

    Each dealer's shares of a presignature are checked together with the others', under
    Lagrange's weights: the shares of the sums are what is used. One's own proof one trusts.
    Cheated: a dealing's form or product is bad. Malformed: a share is; `blame` finds which.
    """
    weights = _product_weights(batch, dealings)
    claims = {dealer: read(batch, public, dealer, dealings[dealer]) for dealer in weights}
    opened = {
        dealer: open_shares(batch.second, dealer, index, key, batch, dealings[dealer].envelope, 4)
        for dealer in weights
    }
    # 1. All proofs and all shares at once.
    verifier = BatchVerifier(rng)
    given = {dealer: said for dealer, said in claims.items() if dealer != index}
    _add_proofs(index, public, shares, given, verifier)
    hidden = [GROUP.hide(weight) for weight in weights.values()]
    sums = [
        [GROUP.weigh(hidden, column) for column in zip(*taken, strict=True)]
        for taken in _by_presignature(batch, list(opened.values()))
    ]
    _add_shares(index, claims, sums, verifier)
    if not verifier.holds():
        # 2. Proofs one by one, for the name; else it was a share.
        for dealer, claim in claims.items():
            check(batch, public, dealer, claim)
        raise Malformed("a share of the second round is not what its dealer committed to")
    return [
        Presignature(
            index, public.point(at), (first.value, first.mask, made[0], made[1], made[2], made[3])
        )
        for at, (first, made) in enumerate(zip(shares, sums, strict=True))
    ]


def _by_presignature(batch: Batch, opened: Sequence[list[Secret]]) -> list[list[list[Secret]]]:
    return [[values[4 * at : 4 * at + 4] for values in opened] for at in range(batch.size)]


def _add_proofs(
    index: int,
    public: FirstPublic,
    shares: Sequence[FirstShare],
    claims: Mapping[int, SecondClaim],
    verifier: BatchVerifier,
) -> None:
    """Add proofs; what they say of K and L is said of the coefficients, which all share."""
    terms = len(public.plain[0])
    weights = [verifier.weight() for _ in shares]
    nonces = [0] * terms
    others = [[0] * terms for _ in shares]
    for dealer, claim in claims.items():
        try:
            nonce, factors = claim.statement.verifier(claim.proof, verifier, weights)
        except Malformed as error:
            raise Cheated(dealer, f"sent a proof that is none: {error}") from error
        for row, factor in zip((nonces, *others), (nonce, *factors), strict=True):
            row[:] = [value + factor * dealer**power for power, value in enumerate(row)]
    # One's own K and L hold one's own shares, so the last coefficient need not be multiplied.
    own, *rest = _without_last(index, nonces)
    for power, factor in enumerate(rest):
        column = [polynomial[power] for polynomial in public.plain]
        verifier.add_point(factor, weighted_sum(zip(weights, column, strict=True)))
    for weight, share in zip(weights, shares, strict=True):
        verifier.add_opening(-own * weight, share.nonce)
    for row, polynomial, share in zip(others, public.masked, shares, strict=True):
        own, *rest = _without_last(index, row)
        verifier.add_opening(-own, share.value, share.mask)
        for factor, point in zip(rest, polynomial, strict=False):
            verifier.add_point(factor, point)


def _without_last(index: int, factors: Sequence[int]) -> list[int]:
    """Write Σ factor·C_m as own·(Σ index^m · C_m) and a sum without the last C_m.

    Gives own, then the factors of the rest.
    """
    order, degree = GROUP.ORDER, len(factors) - 1
    own = factors[-1] * pow(index, -degree, order) % order
    rest = [(factor - own * index**power) % order for power, factor in enumerate(factors[:-1])]
    return [own, *rest]


def _add_shares(
    index: int,
    claims: Mapping[int, SecondClaim],
    sums: Sequence[Sequence[Secret]],
    verifier: BatchVerifier,
) -> None:
    """Add that one's sums are what the sums of the commitments say."""
    scale, small = small_lagrange(claims)
    for at, secrets in enumerate(sums):
        half = len(secrets) // 2
        for part in range(half):
            terms = []
            for dealer, claim in claims.items():
                points = claim.commitments[at]
                length = len(points) // half
                polynomial = points[part * length : (part + 1) * length]
                terms += powers(index, polynomial, small[dealer])
            weight = verifier.weight()
            verifier.add_opening(weight * scale, *secrets[2 * part : 2 * part + 2])
            verifier.add_point(weight, weighted_sum(terms))


def combine(
    batch: Batch, public: FirstPublic, commitments: Mapping[int, list[list[Point]]]
) -> list[PublicPresignature]:
    """Interpolate 2t+1 second dealings' commitments, as everyone can; for disputes only."""
    weights = _product_weights(batch, commitments)
    terms = batch.root.degree + 1
    presignatures = []
    for at in range(batch.size):
        columns = [
            weighted_sum(
                [(weight, commitments[dealer][at][column]) for dealer, weight in weights.items()]
            )
            for column in range(2 * terms)
        ]
        presignatures.append(
            PublicPresignature(
                public.point(at),
                tuple(public.masked[at]),
                tuple(columns[:terms]),
                tuple(columns[terms:]),
            )
        )
    return presignatures


def blame(
    batch: Batch, index: int, key: Secret, dealings: Mapping[int, SecondDealing], rng: SeededRng
) -> list[Complaint]:
    return dispute.blame(batch, batch.second, index, key, dealings, _check_content, rng)


def judge(batch: Batch, complaint: Complaint, dealing: SecondDealing) -> int:
    """Say who cheated, as everyone can: the dealer or the accuser."""
    return dispute.judge(batch, batch.second, complaint, dealing, _check_content)


def _check_content(
    batch: Batch, dealer: int, index: int, content: Secret, dealing: SecondDealing
) -> None:
    secrets = split_shares(batch, dealer, content, 4)
    commitments = read_commitments(batch, dealer, dealing.products, 2)
    terms = batch.root.degree + 1
    for at in range(batch.size):
        for part in (0, 1):
            value, mask = secrets[4 * at + 2 * part : 4 * at + 2 * part + 2]
            points = commitments[at][part * terms : (part + 1) * terms]
            if not GROUP.equal(masked(value, mask), evaluate_commitment(GROUP, points, index)):
                raise Cheated(dealer, f"dealt party {index} a product he did not commit to")


def _statement(
    batch: Batch, dealer: int, public: FirstPublic, commitments: Sequence[Sequence[Point]]
) -> Products:
    terms = batch.root.degree + 1
    constants = [(points[0], points[terms]) for points in commitments]
    key = batch.root.share_of(dealer)
    return Products(batch.second, dealer, public.transcript, key, constants)


def _product_weights(batch: Batch, dealers: Mapping[int, object]) -> dict[int, int]:
    if len(dealers) != batch.product_dealers:
        raise Malformed(f"{batch.product_dealers} second dealings are used, got {len(dealers)}")
    return lagrange(GROUP.ORDER, sorted(dealers))
