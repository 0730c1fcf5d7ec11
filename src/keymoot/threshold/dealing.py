"""One dealer's sharing of one value, dealt to a committee; what DKG and reshare are made of.

Feldman's verifiable secret sharing: commitments to the coefficients for all to see, a share
for each member in his box.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.crypto.sealing import SealBroken
from keymoot.threshold import envelope as boxes
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.group import SCALAR_BYTES, Group
from keymoot.threshold.polynomial import commit, evaluate, evaluate_commitment
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.session import Session

MAX_POINT_BYTES = 96


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom a dealing goes.

    Attributes:
        degree: Of the polynomial: that many shares tell nothing.
        keys: Encryption keys (secp256k1) by index; there may be gaps.
    """

    group: Group[Any]
    session: Session
    degree: int
    keys: Mapping[int, Point]


@dataclass(frozen=True, slots=True)
class Dealing(Record):
    """Commitments, constant first, and the envelope with everybody's share."""

    commitments: Annotated[tuple[Annotated[bytes, AtMost(MAX_POINT_BYTES)], ...], AtMost(MAX_SIZE)]
    envelope: Envelope


def deal(to: Recipients, dealer: int, polynomial: Sequence[Secret], rng: SeededRng) -> Dealing:
    """Share a polynomial's constant."""
    group = to.group
    contents = {index: evaluate(group, polynomial, index).expose() for index in to.keys}
    envelope = boxes.seal(to.session, dealer, to.keys, contents, rng)
    points = tuple(group.encode(point) for point in commit(group, polynomial))
    return Dealing(points, envelope)


def check(to: Recipients, dealer: int, dealing: Dealing) -> list[Any]:
    """Give the commitments as points, of what is public of a dealing; Cheated if it is bad."""
    # 1. The degree is the protocol's: one commitment more would raise the threshold.
    if len(dealing.commitments) != to.degree + 1:
        raise Cheated(
            dealer, f"sent {len(dealing.commitments)} commitments, the degree asks {to.degree + 1}"
        )
    # 2. Each is a point of the group, and none is the identity.
    points = decode_points(to.group, dealer, dealing.commitments)
    # 3. The envelope is the dealer's own.
    boxes.check(to.session, dealer, dealing.envelope, to.keys)
    return points


def decode_points(group: Group[Any], dealer: int, encoded: Sequence[bytes]) -> list[Any]:
    try:
        return [group.decode(point) for point in encoded]
    except Malformed as error:
        raise Cheated(dealer, f"sent a commitment that is no point: {error}") from error


def receive(
    to: Recipients, dealer: int, index: int, key: Secret, dealing: Dealing, points: list[Any]
) -> Secret:
    """Open one's own share and hold it against the `points` of `check`; if Cheated, complain."""
    try:
        content = boxes.open_box(to.session, dealer, index, key, to.keys[index], dealing.envelope)
    except SealBroken as error:
        raise Cheated(dealer, "sent a box that does not open") from error
    return _checked(to.group, dealer, index, content, points)


def complain(
    to: Recipients, dealer: int, index: int, key: Secret, dealing: Dealing, rng: SeededRng
) -> Complaint:
    """Over the share that `receive` refused."""
    return boxes.complain(to.session, dealer, index, key, to.keys[index], dealing.envelope, rng)


def receive_all(
    to: Recipients, index: int, key: Secret, given: Mapping[int, Dealing], rng: SeededRng
) -> tuple[dict[int, Secret], list[Complaint]]:
    """Open one's shares of all dealings that `check` passed; complain over the bad ones."""
    shares: dict[int, Secret] = {}
    complaints = []
    for dealer in sorted(given):
        made = given[dealer]
        points = decode_points(to.group, dealer, made.commitments)
        try:
            shares[dealer] = receive(to, dealer, index, key, made, points)
        except Cheated:
            complaints.append(complain(to, dealer, index, key, made, rng))
    return shares, complaints


def judge(to: Recipients, complaint: Complaint, dealing: Dealing, points: list[Any]) -> int:
    """Say who cheated, as everyone can: the dealer or the accuser; `check` gave the points."""
    accuser = complaint.accuser
    if accuser not in to.keys:
        return accuser
    try:
        content = boxes.open_complaint(to.session, complaint, to.keys[accuser], dealing.envelope)
        _checked(to.group, complaint.dealer, accuser, content, points)
    except SealBroken:
        return complaint.dealer
    except Cheated as error:
        return error.party
    return accuser


def _checked(
    group: Group[Any], dealer: int, index: int, content: Secret, points: list[Any]
) -> Secret:
    if len(content) != SCALAR_BYTES:
        raise Cheated(dealer, f"sent party {index} a share of {len(content)} bytes")
    try:
        share = group.decode_secret(content.expose())
    except Malformed as error:
        raise Cheated(dealer, f"sent party {index} a share that is no scalar") from error
    expected = evaluate_commitment(group, points, index)
    if not group.equal(group.base(share), expected):
        raise Cheated(dealer, f"sent party {index} a share that the commitments do not hold")
    return share
