"""The first round of presignatures: random λ under masks, random κ in the open.

Each function is a step of `presignature`'s protocol; what a party receives it checks as
sums, and only a failed sum is taken apart to find who is to blame.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.threshold import dispute
from keymoot.threshold import envelope as boxes
from keymoot.threshold.batch_verifier import BatchVerifier
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.multi_scalar import powers, weighted_sum
from keymoot.threshold.polynomial import (
    add_commitments,
    commit,
    commit_masked,
    evaluate_all,
    evaluate_commitment,
    masked,
)
from keymoot.threshold.presignature import (
    Batch,
    Strings,
    open_shares,
    read_commitments,
    split_shares,
)
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.session import digest, index_bytes


@dataclass(frozen=True, slots=True)
class FirstDealing(Record):
    """A dealer's λs and κs: commitments for each presignature, and everybody's shares."""

    masked: Strings
    plain: Strings
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class FirstClaim:
    """What one dealer committed to, as points; and the hash of it."""

    masked: list[list[Point]]
    plain: list[list[Point]]
    digest: bytes


@dataclass(frozen=True, slots=True)
class FirstPublic:
    """What all know after the first round; lists have one entry for each presignature.

    Attributes:
        masked: Commitments to the polynomials of λ.
        plain: Commitments to the polynomials of κ; their constants are R.
        transcript: Hash of all that the chosen dealers committed to.
    """

    masked: list[list[Point]]
    plain: list[list[Point]]
    transcript: bytes

    def point(self, at: int) -> Point:
        return self.plain[at][0]

    def masked_share(self, at: int, index: int) -> Point:
        return evaluate_commitment(GROUP, self.masked[at], index)

    def plain_share(self, at: int, index: int) -> Point:
        return evaluate_commitment(GROUP, self.plain[at], index)


@dataclass(frozen=True, slots=True)
class FirstShare:
    """What one party has of one presignature after the first round: λ_i, λ'_i, κ_i."""

    value: Secret
    mask: Secret
    nonce: Secret


def deal(batch: Batch, dealer: int, rng: SeededRng) -> FirstDealing:
    terms = batch.root.degree + 1
    drawn = rng.scalars(GROUP, "first", 3 * terms * batch.size)
    masks, plains = [], []
    contents: dict[int, list[bytes]] = {index: [] for index in batch.keys}
    for at in range(0, len(drawn), 3 * terms):
        polynomials = [drawn[at + part * terms : at + (part + 1) * terms] for part in range(3)]
        value, mask, nonce = polynomials
        masks.append(GROUP.encode_all(commit_masked(value, mask)))
        plains.append(GROUP.encode_all(commit(GROUP, nonce)))
        for polynomial in polynomials:
            values = evaluate_all(GROUP, polynomial, max(batch.keys))
            for index, content in contents.items():
                content.append(values[index - 1].expose())
    joined = {index: b"".join(content) for index, content in contents.items()}
    envelope = boxes.seal(batch.first, dealer, batch.keys, joined, rng.child("envelope"))
    return FirstDealing(tuple(masks), tuple(plains), envelope)


def check(batch: Batch, dealer: int, dealing: FirstDealing) -> FirstClaim:
    """Cheated: another shape, no points, a bad envelope."""
    masks = read_commitments(batch, dealer, dealing.masked)
    plains = read_commitments(batch, dealer, dealing.plain)
    boxes.check(batch.first, dealer, dealing.envelope, batch.keys)
    hashed = digest("first", batch.first, index_bytes(dealer), *dealing.masked, *dealing.plain)
    return FirstClaim(masks, plains, hashed)


def combine(batch: Batch, claims: Mapping[int, FirstClaim]) -> FirstPublic:
    """Add the chosen dealings' commitments, as everyone can.

    Who deals last can cancel the others' constants and make an R the identity. He does not
    know the polynomial then, so that his shares are bad, and `receive` finds no batch in it.
    """
    masks, plains = (
        [add_commitments(GROUP, column) for column in zip(*dealt, strict=True)]
        for dealt in (
            [claim.masked for claim in claims.values()],
            [claim.plain for claim in claims.values()],
        )
    )
    hashes = [claims[dealer].digest for dealer in sorted(claims)]
    return FirstPublic(masks, plains, digest("first/sum", batch.first, *hashes))


def receive(
    batch: Batch,
    index: int,
    key: Secret,
    dealings: Mapping[int, FirstDealing],
    public: FirstPublic,
    rng: SeededRng,
) -> list[FirstShare]:
    """Add one's shares of the chosen dealings and hold the sums against their commitments.

    Only the sums are used, so only they are checked; `blame` finds who is at fault.
    Malformed: a share of some dealing is bad, ours or, if an R is the identity, another's.
    """
    opened = {
        dealer: open_shares(batch.first, dealer, index, key, batch, dealings[dealer].envelope, 3)
        for dealer in sorted(dealings)
    }
    verifier = BatchVerifier(rng)
    shares = []
    for at in range(batch.size):
        value, mask, nonce = (
            GROUP.add_scalars([values[3 * at + part] for values in opened.values()])
            for part in range(3)
        )
        for commitment, opening in (
            (public.masked[at], (value, mask)),
            (public.plain[at], (nonce,)),
        ):
            weight = verifier.weight()
            verifier.add_opening(weight, *opening)
            verifier.add_point(weight, weighted_sum(powers(index, commitment)))
        shares.append(FirstShare(value, mask, nonce))
    if not verifier.holds() or any(GROUP.is_identity(pair[0]) for pair in public.plain):
        raise Malformed("a share of the first round is not what its dealer committed to")
    return shares


def blame(
    batch: Batch, index: int, key: Secret, dealings: Mapping[int, FirstDealing], rng: SeededRng
) -> list[Complaint]:
    return dispute.blame(batch, batch.first, index, key, dealings, _check_content, rng)


def judge(batch: Batch, complaint: Complaint, dealing: FirstDealing) -> int:
    """Say who cheated, as everyone can: the dealer or the accuser."""
    return dispute.judge(batch, batch.first, complaint, dealing, _check_content)


def _check_content(
    batch: Batch, dealer: int, index: int, content: Secret, dealing: FirstDealing
) -> None:
    secrets = split_shares(batch, dealer, content, 3)
    claim = check(batch, dealer, dealing)
    for at in range(batch.size):
        value, mask, nonce = secrets[3 * at : 3 * at + 3]
        expected = evaluate_commitment(GROUP, claim.masked[at], index)
        if not GROUP.equal(masked(value, mask), expected):
            raise Cheated(dealer, f"dealt party {index} a λ that he did not commit to")
        expected = evaluate_commitment(GROUP, claim.plain[at], index)
        if not GROUP.equal(GROUP.base(nonce), expected):
            raise Cheated(dealer, f"dealt party {index} a κ that he did not commit to")
