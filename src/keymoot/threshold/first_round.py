"""The first round of presignatures: random λ under masks, random κ in the open.

Each function is a step of `presignature`'s protocol; what a party receives it checks as
sums, and only a failed sum is taken apart to find who is to blame.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of
from keymoot.base.secret import Secret
from keymoot.threshold import envelope as boxes
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint, Envelope, SealBroken
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import (
    add_commitments,
    commit,
    commit_masked,
    evaluate,
    evaluate_commitment,
    evaluate_everywhere,
    masked,
)
from keymoot.threshold.presignature import (
    Batch,
    join_points,
    open_shares,
    read_commitments,
    read_strings,
    split_shares,
)
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.tally import Tally


@dataclass(frozen=True, slots=True)
class FirstDealing:
    """A dealer's λs and κs: commitments for each presignature, and everybody's shares."""

    masked: tuple[bytes, ...]
    plain: tuple[bytes, ...]
    envelope: Envelope

    def encode(self) -> rlp.Item:
        """Give the RLP item: points of one presignature in one string."""
        return [list(self.masked), list(self.plain), self.envelope.encode()]

    @staticmethod
    def decode(item: rlp.Decoded) -> "FirstDealing":
        """Read the RLP item.

        Raises:
            Malformed: not a first dealing, or above its bounds.
        """
        masks, plains, envelope = list_of(item, 3, "first")
        return FirstDealing(
            read_strings(masks, "masked"), read_strings(plains, "plain"), Envelope.decode(envelope)
        )


@dataclass(frozen=True, slots=True)
class FirstPublic:
    """What all know of one presignature after the first round."""

    masked: tuple[Point, ...]
    """Commitment to the polynomial of λ."""
    plain: tuple[Point, ...]
    """Commitment to the polynomial of κ; its constant is R."""
    masked_shares: tuple[Point, ...]
    """L_1..L_n."""
    plain_shares: tuple[Point, ...]
    """K_1..K_n."""


@dataclass(frozen=True, slots=True)
class FirstShare:
    """What one party has of one presignature after the first round: λ_i, λ'_i, κ_i."""

    value: Secret
    mask: Secret
    nonce: Secret


def deal(batch: Batch, dealer: int, dice: Dice) -> FirstDealing:
    """Deal λ and κ for each presignature of a batch."""
    terms = batch.root.degree + 1
    drawn = dice.scalars(GROUP, "first", 3 * terms * batch.size)
    masks, plains = [], []
    contents: dict[int, list[bytes]] = {index: [] for index in batch.keys}
    for at in range(0, len(drawn), 3 * terms):
        polynomials = [drawn[at + part * terms : at + (part + 1) * terms] for part in range(3)]
        value, mask, nonce = polynomials
        masks.append(join_points(commit_masked(value, mask)))
        plains.append(join_points(commit(GROUP, nonce)))
        for index, content in contents.items():
            content += [evaluate(GROUP, one, index).expose() for one in polynomials]
    joined = {index: b"".join(content) for index, content in contents.items()}
    envelope = boxes.seal(batch.first, dealer, batch.keys, joined, dice.child("envelope"))
    return FirstDealing(tuple(masks), tuple(plains), envelope)


def check(
    batch: Batch, dealer: int, dealing: FirstDealing
) -> tuple[list[list[Point]], list[list[Point]]]:
    """Check what is public of a first dealing; give the commitments to λ and to κ.

    Raises:
        Cheated: another shape, no points, a bad envelope.
    """
    masks = read_commitments(batch, dealer, dealing.masked)
    plains = read_commitments(batch, dealer, dealing.plain)
    boxes.check(batch.first, dealer, dealing.envelope, batch.keys)
    return masks, plains


def combine(
    batch: Batch, commitments: Mapping[int, tuple[list[list[Point]], list[list[Point]]]]
) -> list[FirstPublic]:
    """Add the chosen dealings' commitments, as everyone can.

    Raises:
        Cheated: nobody alone; a sum is the identity, which no honest batch gives.
    """
    found = []
    for at in range(batch.size):
        mask = add_commitments(GROUP, [one[0][at] for one in commitments.values()])
        plain = add_commitments(GROUP, [one[1][at] for one in commitments.values()])
        masks = evaluate_everywhere(GROUP, mask, max(batch.keys))
        plains = evaluate_everywhere(GROUP, plain, max(batch.keys))
        if any(GROUP.is_identity(point) for point in (plain[0], *masks, *plains)):
            raise Cheated(max(commitments), "made a sum of dealings the identity")
        found.append(FirstPublic(tuple(mask), tuple(plain), tuple(masks), tuple(plains)))
    return found


def receive(
    batch: Batch,
    index: int,
    key: Secret,
    dealings: Mapping[int, FirstDealing],
    public: Sequence[FirstPublic],
    dice: Dice,
) -> list[FirstShare]:
    """Add one's shares of the chosen dealings and hold the sums against their commitments.

    Only the sums are used, so only they are checked; `blame` finds who is at fault.

    Raises:
        Malformed: a share of some dealing is bad.
    """
    opened = {
        dealer: open_shares(batch.first, dealer, index, key, batch, dealings[dealer].envelope, 3)
        for dealer in sorted(dealings)
    }
    tally = Tally(dice)
    shares = []
    for at, known in enumerate(public):
        value, mask, nonce = (
            GROUP.add_scalars([one[3 * at + part] for one in opened.values()]) for part in range(3)
        )
        tally.add_opening(value, mask, known.masked_shares[index - 1])
        tally.add_opening(nonce, None, known.plain_shares[index - 1])
        shares.append(FirstShare(value, mask, nonce))
    if not tally.holds():
        raise Malformed("a share of the first round is not what its dealer committed to")
    return shares


def blame(
    batch: Batch, index: int, key: Secret, dealings: Mapping[int, FirstDealing], dice: Dice
) -> list[Complaint]:
    """Complain over each first dealing whose share for us is bad."""
    complaints = []
    for dealer in sorted(dealings):
        dealing = dealings[dealer]
        public = batch.keys[index]
        try:
            content = boxes.open_box(batch.first, dealer, index, key, public, dealing.envelope)
            _check_content(batch, dealer, index, content, dealing)
        except (Cheated, SealBroken):
            complaints.append(
                boxes.complain(batch.first, dealer, index, key, public, dealing.envelope, dice)
            )
    return complaints


def judge(batch: Batch, complaint: Complaint, dealing: FirstDealing) -> int:
    """Say who cheated in the first round, as everyone can: the dealer or the accuser."""
    accuser, dealer = complaint.accuser, complaint.dealer
    if accuser not in batch.keys:
        return accuser
    public = batch.keys[accuser]
    try:
        content = boxes.open_complaint(batch.first, complaint, public, dealing.envelope)
        _check_content(batch, dealer, accuser, content, dealing)
    except SealBroken:
        return dealer
    except Cheated as error:
        return error.party
    return accuser


def _check_content(
    batch: Batch, dealer: int, index: int, content: Secret, dealing: FirstDealing
) -> None:
    secrets = split_shares(batch, dealer, content, 3)
    masks, plains = check(batch, dealer, dealing)
    for at in range(batch.size):
        value, mask, nonce = secrets[3 * at : 3 * at + 3]
        expected = evaluate_commitment(GROUP, masks[at], index)
        if not GROUP.equal(masked(value, mask), expected):
            raise Cheated(dealer, f"dealt party {index} a λ that he did not commit to")
        expected = evaluate_commitment(GROUP, plains[at], index)
        if not GROUP.equal(GROUP.base(nonce), expected):
            raise Cheated(dealer, f"dealt party {index} a κ that he did not commit to")
