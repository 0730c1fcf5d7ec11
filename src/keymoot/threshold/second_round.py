"""The second round of presignatures: products of what the first round shared.

Each function is a step of `presignature`'s protocol. Everybody checks everybody's proofs,
all of them at once (`tally`), and takes them apart only when one does not hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lcm

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of
from keymoot.base.secret import Secret
from keymoot.threshold import envelope as boxes
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint, Envelope, SealBroken
from keymoot.threshold.errors import Cheated
from keymoot.threshold.first_round import FirstPublic, FirstShare
from keymoot.threshold.polynomial import (
    commit_masked,
    evaluate,
    evaluate_commitment,
    lagrange,
    masked,
)
from keymoot.threshold.presignature import (
    Batch,
    Presignature,
    PublicPresignature,
    join_points,
    open_shares,
    read_commitments,
    read_strings,
    split_shares,
)
from keymoot.threshold.proofs import PRODUCT_PROOF_BYTES, Product, ProductProof
from keymoot.threshold.root import Share
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.tally import Tally


@dataclass(frozen=True, slots=True)
class SecondDealing:
    """A dealer's products: commitments and proofs for each presignature, and the shares."""

    products: tuple[bytes, ...]
    proofs: tuple[bytes, ...]
    envelope: Envelope

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [list(self.products), list(self.proofs), self.envelope.encode()]

    @staticmethod
    def decode(item: rlp.Decoded) -> "SecondDealing":
        """Read the RLP item.

        Raises:
            Malformed: not a second dealing, or above its bounds.
        """
        products, proofs, envelope = list_of(item, 3, "second")
        return SecondDealing(
            read_strings(products, "products"),
            read_strings(proofs, "proofs"),
            Envelope.decode(envelope),
        )


def deal(
    batch: Batch,
    share: Share,
    public: Sequence[FirstPublic],
    shares: Sequence[FirstShare],
    dice: Dice,
) -> SecondDealing:
    """Deal κ_i·λ_i and x_i·λ_i for each presignature, with the proofs of the products."""
    degree, dealer = batch.root.degree, share.index
    per = 2 * (2 * degree + 1) + 4
    drawn = dice.scalars(GROUP, "second", per * batch.size)
    products, proofs = [], []
    contents: dict[int, list[bytes]] = {index: [] for index in batch.keys}
    for at, known in enumerate(public):
        coins = iter(drawn[per * at : per * (at + 1)])
        own = shares[at]
        points, proof = [], []
        for name, factor, point in _factors(batch, dealer, known, own.nonce, share.secret):
            value = [GROUP.multiply_scalars(factor, own.value)]
            value += [next(coins) for _ in range(degree)]
            mask = [next(coins) for _ in range(degree + 1)]
            commitment = commit_masked(value, mask)
            # d' − k·l': what is left of the mask beside k times the mask of λ_i.
            rest = GROUP.add_scalars(
                (mask[0], GROUP.negate_scalar(GROUP.multiply_scalars(factor, own.mask)))
            )
            statement = _product(batch, dealer, name, at, known, point, commitment[0])
            points += commitment
            proof.append(statement.prove(factor, rest, (next(coins), next(coins))).encode())
            for index, content in contents.items():
                content.append(evaluate(GROUP, value, index).expose())
                content.append(evaluate(GROUP, mask, index).expose())
        products.append(join_points(points))
        proofs.append(b"".join(proof))
    joined = {index: b"".join(content) for index, content in contents.items()}
    envelope = boxes.seal(batch.second, dealer, batch.keys, joined, dice.child("envelope"))
    return SecondDealing(tuple(products), tuple(proofs), envelope)


def check(
    batch: Batch,
    public: Sequence[FirstPublic],
    dealings: Mapping[int, SecondDealing],
    dice: Dice,
    mine: int = 0,
) -> dict[int, list[list[Point]]]:
    """Check what is public of second dealings, proofs included; give their commitments.

    `mine` is the checker's own index, whose proofs it need not check; 0 for a bystander.

    Raises:
        Cheated: another shape, no points, a bad envelope, a product that is none.
    """
    found = {dealer: _shape_second(batch, dealer, dealings[dealer]) for dealer in sorted(dealings)}
    # 1. All proofs at once.
    tally = Tally(dice)
    for dealer, commitments in found.items():
        if dealer == mine:
            continue
        _tally_products(batch, dealer, public, commitments, dealings[dealer], tally)
    if not tally.holds():
        # 2. One by one, for the name.
        for dealer, commitments in found.items():
            for at in range(batch.size):
                check_products(batch, dealer, at, public[at], commitments[at], dealings[dealer])
    return found


def _shape_second(batch: Batch, dealer: int, dealing: SecondDealing) -> list[list[Point]]:
    commitments = read_commitments(batch, dealer, dealing.products, 2)
    boxes.check(batch.second, dealer, dealing.envelope, batch.keys)
    if len(dealing.proofs) != batch.size:
        raise Cheated(dealer, f"sent {len(dealing.proofs)} proofs for {batch.size} presignatures")
    return commitments


def _tally_products(
    batch: Batch,
    dealer: int,
    public: Sequence[FirstPublic],
    commitments: list[list[Point]],
    dealing: SecondDealing,
    tally: Tally,
) -> None:
    key_factor = 0
    for at, known in enumerate(public):
        (nonce, nonce_proof), (key, key_proof) = _statements(
            batch, dealer, at, known, commitments[at], dealing.proofs[at]
        )
        try:
            nonce_terms = nonce.tally(nonce_proof, tally)
            key_terms = key.tally(key_proof, tally)
        except Malformed as error:
            raise Cheated(dealer, f"sent a proof that is none: {error}") from error
        key_factor += key_terms[0]
        both = (nonce_terms[1] + key_terms[1], nonce.other)
        tally.add(0, 0, ((nonce_terms[0], nonce.factor), both))
    tally.add(0, 0, ((key_factor, batch.root.share_of(dealer)),))


def check_products(
    batch: Batch,
    dealer: int,
    at: int,
    known: FirstPublic,
    commitment: Sequence[Point],
    dealing: SecondDealing,
) -> None:
    """Check both proofs of one presignature, alone.

    Raises:
        Cheated: one does not hold.
    """
    for statement, proof in _statements(batch, dealer, at, known, commitment, dealing.proofs[at]):
        if not statement.verify(proof):
            raise Cheated(dealer, f"proved no product of presignature {at}")


def _statements(
    batch: Batch,
    dealer: int,
    at: int,
    known: FirstPublic,
    commitment: Sequence[Point],
    encoded: bytes,
) -> list[tuple[Product, ProductProof]]:
    if len(encoded) != 2 * PRODUCT_PROOF_BYTES:
        raise Cheated(dealer, "sent a proof of another length")
    terms = batch.root.degree + 1
    inputs = ((b"nonce", known.plain_shares[dealer - 1]), (b"key", batch.root.share_of(dealer)))
    found = []
    for part, (name, point) in enumerate(inputs):
        raw = encoded[part * PRODUCT_PROOF_BYTES : (part + 1) * PRODUCT_PROOF_BYTES]
        try:
            proof = ProductProof.decode(raw)
        except Malformed as error:
            raise Cheated(dealer, f"sent a proof that is none: {error}") from error
        statement = _product(batch, dealer, name, at, known, point, commitment[part * terms])
        found.append((statement, proof))
    return found


def combine(
    batch: Batch, public: Sequence[FirstPublic], commitments: Mapping[int, list[list[Point]]]
) -> list[PublicPresignature]:
    """Interpolate 2t+1 second dealings' commitments, as everyone can; for quarrels only."""
    weights = _product_weights(batch, commitments)
    terms = batch.root.degree + 1
    found = []
    for at, known in enumerate(public):
        columns = [
            GROUP.sum(
                [
                    GROUP.multiply_public(weights[dealer], commitments[dealer][at][column])
                    for dealer in weights
                ]
            )
            for column in range(2 * terms)
        ]
        found.append(
            PublicPresignature(
                known.plain[0], known.masked, tuple(columns[:terms]), tuple(columns[terms:])
            )
        )
    return found


def receive(
    batch: Batch,
    index: int,
    key: Secret,
    public: Sequence[FirstPublic],
    shares: Sequence[FirstShare],
    dealings: Mapping[int, SecondDealing],
    commitments: Mapping[int, list[list[Point]]],
    dice: Dice,
) -> list[Presignature]:
    """Interpolate one's shares of exactly 2t+1 second dealings; `check` has passed.

    Each dealer's shares of a presignature are checked together with the others', under
    weights that all know: the shares of the sums are what is used.

    Raises:
        Malformed: a share of some dealing is bad; `blame` finds which.
    """
    weights = _product_weights(batch, commitments)
    terms = batch.root.degree + 1
    opened = {
        dealer: open_shares(batch.second, dealer, index, key, batch, dealings[dealer].envelope, 4)
        for dealer in weights
    }
    scale, small = _small_weights(tuple(weights))
    hidden_scale = GROUP.hide(scale)
    hidden = {one: GROUP.hide(weight) for one, weight in weights.items()}
    tally = Tally(dice)
    found = []
    for at, known in enumerate(public):
        secrets = [
            GROUP.add_scalars(
                [GROUP.multiply_scalars(hidden[one], opened[one][4 * at + part]) for one in weights]
            )
            for part in range(4)
        ]
        for part in (0, 1):
            points = [
                GROUP.sum(
                    [
                        _small_multiple(small[one], commitments[one][at][part * terms + column])
                        for one in weights
                    ]
                )
                for column in range(terms)
            ]
            value, mask = (
                GROUP.multiply_scalars(hidden_scale, secret)
                for secret in secrets[2 * part : 2 * part + 2]
            )
            tally.add_opening(value, mask, evaluate_commitment(GROUP, points, index))
        first = shares[at]
        found.append(
            Presignature(
                index,
                known.plain[0],
                (first.value, first.mask, secrets[0], secrets[1], secrets[2], secrets[3]),
            )
        )
    if not tally.holds():
        raise Malformed("a share of the second round is not what its dealer committed to")
    return found


def blame(
    batch: Batch, index: int, key: Secret, dealings: Mapping[int, SecondDealing], dice: Dice
) -> list[Complaint]:
    """Complain over each second dealing whose share for us is bad."""
    complaints = []
    for dealer in sorted(dealings):
        dealing = dealings[dealer]
        public = batch.keys[index]
        try:
            content = boxes.open_box(batch.second, dealer, index, key, public, dealing.envelope)
            _check_content(batch, dealer, index, content, dealing)
        except (Cheated, SealBroken):
            complaints.append(
                boxes.complain(batch.second, dealer, index, key, public, dealing.envelope, dice)
            )
    return complaints


def judge(batch: Batch, complaint: Complaint, dealing: SecondDealing) -> int:
    """Say who cheated in the second round, as everyone can: the dealer or the accuser."""
    accuser, dealer = complaint.accuser, complaint.dealer
    if accuser not in batch.keys:
        return accuser
    public = batch.keys[accuser]
    try:
        content = boxes.open_complaint(batch.second, complaint, public, dealing.envelope)
        _check_content(batch, dealer, accuser, content, dealing)
    except SealBroken:
        return dealer
    except Cheated as error:
        return error.party
    return accuser


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


def _product(
    batch: Batch,
    dealer: int,
    name: bytes,
    at: int,
    known: FirstPublic,
    factor: Point,
    product: Point,
) -> Product:
    context = name + at.to_bytes(2, "big")
    other = known.masked_shares[dealer - 1]
    return Product(batch.second, dealer, context, factor, other, product)


def _product_weights(batch: Batch, dealers: Mapping[int, object]) -> dict[int, int]:
    if len(dealers) != batch.product_dealers:
        raise Malformed(f"{batch.product_dealers} second dealings are used, got {len(dealers)}")
    return lagrange(GROUP.ORDER, sorted(dealers))


def _small_weights(dealers: tuple[int, ...]) -> tuple[int, dict[int, int]]:
    """Give Lagrange's coefficients times one common factor, all of them small integers.

    The check of a sum may be made on any multiple of it, and points times small integers
    cost a fifth of points times scalars.
    """
    tops, bottoms = {}, {}
    for one in dealers:
        top = bottom = 1
        for other in dealers:
            if other != one:
                top, bottom = top * other, bottom * (other - one)
        tops[one], bottoms[one] = top, bottom
    scale = lcm(*bottoms.values())
    return scale, {one: tops[one] * scale // bottoms[one] for one in dealers}


def _small_multiple(factor: int, point: Point) -> Point:
    if factor < 0:
        return GROUP.negate(GROUP.multiply_public(-factor, point))
    return GROUP.multiply_public(factor, point)


def _factors(
    batch: Batch, dealer: int, known: FirstPublic, nonce: Secret, key: Secret
) -> tuple[tuple[bytes, Secret, Point], tuple[bytes, Secret, Point]]:
    return (
        (b"nonce", nonce, known.plain_shares[dealer - 1]),
        (b"key", key, batch.root.share_of(dealer)),
    )
