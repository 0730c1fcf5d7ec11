"""The second round of presignatures: products of what the first round shared.

Each function is a step of `presignature`'s protocol. Everybody checks everybody's proof
and its own shares, all of a batch in one sum (`tally`), and takes them apart only when the
sum does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.secret import Secret
from keymoot.threshold import envelope as boxes
from keymoot.threshold import quarrel
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstPublic, FirstShare
from keymoot.threshold.multisum import powers, weighted_sum
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
    open_shares,
    read_commitments,
    read_strings,
    split_shares,
)
from keymoot.threshold.products import EACH_BYTES, ONCE_BYTES, Products, ProductsProof, Witness
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.tally import Tally

MAX_PROOF_BYTES = MAX_BATCH * EACH_BYTES + ONCE_BYTES


@dataclass(frozen=True, slots=True)
class SecondDealing:
    """A dealer's products: commitments for each presignature, one proof, and the shares."""

    products: tuple[bytes, ...]
    proof: bytes
    envelope: Envelope

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [list(self.products), self.proof, self.envelope.encode()]

    @staticmethod
    def decode(item: rlp.Decoded) -> "SecondDealing":
        """Read the RLP item.

        Raises:
            Malformed: not a second dealing, or above its bounds.
        """
        products, proof, envelope = list_of(item, 3, "second")
        return SecondDealing(
            read_strings(products, "products"),
            bytes_of(proof, "proof", MAX_PROOF_BYTES),
            Envelope.decode(envelope),
        )


@dataclass(frozen=True, slots=True)
class SecondClaim:
    """What one dealer committed to, as points, and his proof, unchecked.

    A presignature's points are the polynomial of κ_i·λ_i, then that of x_i·λ_i.
    """

    commitments: list[list[Point]]
    statement: Products
    proof: ProductsProof


def deal(
    batch: Batch, share: Share, public: FirstPublic, shares: Sequence[FirstShare], dice: Dice
) -> SecondDealing:
    """Deal κ_i·λ_i and x_i·λ_i for each presignature, with the proof of the products."""
    degree, dealer = batch.root.degree, share.index
    per = 2 * (2 * degree + 1)
    drawn = dice.scalars(GROUP, "second", per * batch.size)
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
    proof = statement.prove(share.secret, known, dice.scalars(GROUP, "proof", batch.size + 2))
    joined = {index: b"".join(content) for index, content in contents.items()}
    envelope = boxes.seal(batch.second, dealer, batch.keys, joined, dice.child("envelope"))
    return SecondDealing(
        tuple(GROUP.encode_all(points) for points in commitments), proof.encode(), envelope
    )


def read(batch: Batch, public: FirstPublic, dealer: int, dealing: SecondDealing) -> SecondClaim:
    """Check the shape of a second dealing.

    Raises:
        Cheated: another shape, no points, a bad envelope.
    """
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
    """Check a dealer's proof alone and without dice, so that all who look agree.

    Raises:
        Cheated: it does not hold.
    """
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
    dice: Dice,
) -> list[Presignature]:
    """Check exactly 2t+1 second dealings and interpolate one's shares of them.

    Each dealer's shares of a presignature are checked together with the others', under
    Lagrange's weights: the shares of the sums are what is used. One's own proof one trusts.

    Raises:
        Cheated: another shape, no points, a bad envelope, a product that is none.
        Malformed: a share of some dealing is bad; `blame` finds which.
    """
    weights = _product_weights(batch, dealings)
    claims = {one: read(batch, public, one, dealings[one]) for one in weights}
    opened = {
        one: open_shares(batch.second, one, index, key, batch, dealings[one].envelope, 4)
        for one in weights
    }
    # 1. All proofs and all shares at once.
    tally = Tally(dice)
    given = {dealer: one for dealer, one in claims.items() if dealer != index}
    _tally_proofs(index, public, shares, given, tally)
    hidden = [GROUP.hide(weight) for weight in weights.values()]
    sums = [
        [GROUP.weigh(hidden, column) for column in zip(*taken, strict=True)]
        for taken in _by_presignature(batch, list(opened.values()))
    ]
    _tally_shares(index, claims, sums, tally)
    if not tally.holds():
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
    return [[one[4 * at : 4 * at + 4] for one in opened] for at in range(batch.size)]


def _tally_proofs(
    index: int,
    public: FirstPublic,
    shares: Sequence[FirstShare],
    claims: Mapping[int, SecondClaim],
    tally: Tally,
) -> None:
    """Add proofs; what they say of K and L is said of the coefficients, which all share."""
    terms = len(public.plain[0])
    weights = [tally.weight() for _ in shares]
    nonces = [0] * terms
    others = [[0] * terms for _ in shares]
    for dealer, claim in claims.items():
        try:
            nonce, factors = claim.statement.tally(claim.proof, tally, weights)
        except Malformed as error:
            raise Cheated(dealer, f"sent a proof that is none: {error}") from error
        for row, factor in zip((nonces, *others), (nonce, *factors), strict=True):
            row[:] = [one + factor * dealer**power for power, one in enumerate(row)]
    # One's own K and L hold one's own shares, so the last coefficient need not be multiplied.
    own, *rest = _without_last(index, nonces)
    for power, factor in enumerate(rest):
        column = [polynomial[power] for polynomial in public.plain]
        tally.add_point(factor, weighted_sum(zip(weights, column, strict=True)))
    for weight, share in zip(weights, shares, strict=True):
        tally.add_opening(-own * weight, share.nonce)
    for row, polynomial, share in zip(others, public.masked, shares, strict=True):
        own, *rest = _without_last(index, row)
        tally.add_opening(-own, share.value, share.mask)
        for factor, point in zip(rest, polynomial, strict=False):
            tally.add_point(factor, point)


def _without_last(index: int, factors: Sequence[int]) -> list[int]:
    """Write Σ factor·C_m as own·(Σ index^m · C_m) and a sum without the last C_m.

    Gives own, then the factors of the rest.
    """
    order, degree = GROUP.ORDER, len(factors) - 1
    own = factors[-1] * pow(index, -degree, order) % order
    rest = [(one - own * index**power) % order for power, one in enumerate(factors[:-1])]
    return [own, *rest]


def _tally_shares(
    index: int, claims: Mapping[int, SecondClaim], sums: Sequence[Sequence[Secret]], tally: Tally
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
            weight = tally.weight()
            tally.add_opening(weight * scale, *secrets[2 * part : 2 * part + 2])
            tally.add_point(weight, weighted_sum(terms))


def combine(
    batch: Batch, public: FirstPublic, commitments: Mapping[int, list[list[Point]]]
) -> list[PublicPresignature]:
    """Interpolate 2t+1 second dealings' commitments, as everyone can; for quarrels only."""
    weights = _product_weights(batch, commitments)
    terms = batch.root.degree + 1
    found = []
    for at in range(batch.size):
        columns = [
            weighted_sum(
                [(weight, commitments[one][at][column]) for one, weight in weights.items()]
            )
            for column in range(2 * terms)
        ]
        found.append(
            PublicPresignature(
                public.point(at),
                tuple(public.masked[at]),
                tuple(columns[:terms]),
                tuple(columns[terms:]),
            )
        )
    return found


def blame(
    batch: Batch, index: int, key: Secret, dealings: Mapping[int, SecondDealing], dice: Dice
) -> list[Complaint]:
    """Complain over each second dealing whose share for us is bad."""
    given = [
        (dealer, one.envelope, _content_check(batch, dealer, one))
        for dealer, one in sorted(dealings.items())
    ]
    return quarrel.blame(batch, batch.second, index, key, given, dice)


def judge(batch: Batch, complaint: Complaint, dealing: SecondDealing) -> int:
    """Say who cheated in the second round, as everyone can: the dealer or the accuser."""
    check = _content_check(batch, complaint.dealer, dealing)
    return quarrel.judge(batch, batch.second, complaint, dealing.envelope, check)


def _content_check(batch: Batch, dealer: int, dealing: SecondDealing) -> quarrel.Check:
    return lambda index, content: _check_content(batch, dealer, index, content, dealing)


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
