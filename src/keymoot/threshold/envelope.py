"""Shares on their way: ECIES on secp256k1, opened in a dispute without giving away a key.

A dealer makes one fresh ephemeral point for all recipients of one dealing and proves that
he knows its logarithm, in his own name and for this session only. The box of recipient j
is locked under a hash of the shared point (ephemeral secret · j's key).

Whoever gets a bad box complains: he shows the shared point and proves that it is the right
one (the logarithm of his key to G is that of the shared point to the ephemeral point).
Then everybody opens that box, and no other: another dealing has another ephemeral point,
and a copied one fails its proof before anyone could be made to open it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.forms import U16, AtMost
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.crypto.sealing import NONCE_BYTES, Sealer
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.errors import Cheated
from keymoot.threshold.proofs import (
    Proof,
    prove_equality,
    prove_possession,
    verify_equality,
    verify_possession,
)
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1, Point
from keymoot.threshold.session import Session, digest, framed, index_bytes

MAX_BOX_BYTES = 65_536

_NONCE = bytes(NONCE_BYTES)
"""Each key locks one box once, so the nonce may always be the same."""


@dataclass(frozen=True, slots=True)
class Envelope(Record):
    """The box of recipient i in place i; the places of indices that nobody has are empty."""

    ephemeral: Annotated[bytes, AtMost(SECP256K1.POINT_BYTES)]
    proof: Annotated[bytes, AtMost(64)]
    boxes: Annotated[tuple[Annotated[bytes, AtMost(MAX_BOX_BYTES)], ...], AtMost(MAX_SIZE)]


@dataclass(frozen=True, slots=True)
class Complaint(Record):
    """A recipient's claim that a dealer's box for him is bad, with what opens it."""

    accuser: U16
    dealer: U16
    shared: Annotated[bytes, AtMost(SECP256K1.POINT_BYTES)]
    proof: Annotated[bytes, AtMost(64)]


def seal(
    session: Session,
    dealer: int,
    recipients: Mapping[int, Point],
    contents: Mapping[int, bytes],
    rng: SeededRng,
) -> Envelope:
    """Lock one content for each recipient; `rng` is fresh, and there may be gaps in the indices."""
    secret, nonce = rng.scalars(SECP256K1, "envelope", 2)
    ephemeral = SECP256K1.base(secret)
    proof = prove_possession(SECP256K1, session, dealer, secret, ephemeral, nonce)
    encoded = SECP256K1.encode(ephemeral)
    boxes = []
    for index in range(1, max(recipients) + 1):
        if index not in recipients:
            boxes.append(b"")
            continue
        shared = SECP256K1.multiply(secret, recipients[index])
        key = _key(session, dealer, index, encoded, recipients[index], shared)
        boxes.append(Sealer(key).seal(_NONCE, contents[index], _about(session, dealer, index)))
    return Envelope(encoded, proof.encode(SECP256K1), tuple(boxes))


def check(session: Session, dealer: int, envelope: Envelope, recipients: Collection[int]) -> Point:
    """Check an envelope as everyone does before its boxes may be opened or disputed.

    Gives the ephemeral point. Cheated: no point, no proof in this dealer's name, or boxes of
    others than the recipients.
    """
    try:
        ephemeral = SECP256K1.decode(envelope.ephemeral)
        proof = Proof.decode(SECP256K1, envelope.proof)
    except Malformed as error:
        raise Cheated(dealer, f"sent an envelope that is none: {error}") from error
    if not verify_possession(SECP256K1, session, dealer, ephemeral, proof):
        raise Cheated(dealer, "did not prove to have made his ephemeral point")
    places = max(recipients)
    if len(envelope.boxes) != places:
        raise Cheated(dealer, f"sent {len(envelope.boxes)} boxes for {places} places")
    if any(box and at not in recipients for at, box in enumerate(envelope.boxes, 1)):
        raise Cheated(dealer, "sent a box to somebody who is no recipient")
    return ephemeral


def open_box(
    session: Session, dealer: int, index: int, key: Secret, public: Point, envelope: Envelope
) -> Secret:
    """Open one's own box; `check` has passed. SealBroken: it does not open, so complain."""
    shared = SECP256K1.multiply(key, SECP256K1.decode(envelope.ephemeral))
    return _open(session, dealer, index, envelope, public, shared)


def complain(
    session: Session,
    dealer: int,
    accuser: int,
    key: Secret,
    public: Point,
    envelope: Envelope,
    rng: SeededRng,
) -> Complaint:
    """Show the shared point of a bad box, with the proof that it is the right one."""
    base = SECP256K1.decode(envelope.ephemeral)
    shared = SECP256K1.multiply(key, base)
    nonce = rng.scalar(SECP256K1, f"complaint against {dealer}")
    about = _dispute(session, dealer)
    proof = prove_equality(about, accuser, key, (public, base, shared), nonce)
    return Complaint(accuser, dealer, SECP256K1.encode(shared), proof.encode(SECP256K1))


def open_complaint(
    session: Session, complaint: Complaint, public: Point, envelope: Envelope
) -> Secret:
    """Open the box that a complaint is about, as everyone can; `check` has passed.

    Cheated: the accuser, whose proof does not hold. SealBroken: the dealer cheated.
    """
    base = SECP256K1.decode(envelope.ephemeral)
    try:
        shared = SECP256K1.decode(complaint.shared)
        proof = Proof.decode(SECP256K1, complaint.proof)
    except Malformed as error:
        raise Cheated(complaint.accuser, f"complained with bytes that are none: {error}") from error
    about = _dispute(session, complaint.dealer)
    if not verify_equality(about, complaint.accuser, (public, base, shared), proof):
        raise Cheated(complaint.accuser, "complained with a shared point that is not his")
    return _open(session, complaint.dealer, complaint.accuser, envelope, public, shared)


def _open(
    session: Session, dealer: int, index: int, envelope: Envelope, public: Point, shared: Point
) -> Secret:
    key = _key(session, dealer, index, envelope.ephemeral, public, shared)
    about = _about(session, dealer, index)
    return Secret(Sealer(key).open(_NONCE, envelope.boxes[index - 1], about, "a box"))


def _key(
    session: Session, dealer: int, index: int, ephemeral: bytes, public: Point, shared: Point
) -> Secret:
    parts = (ephemeral, SECP256K1.encode(public), SECP256K1.encode(shared))
    wide = digest("box", session, index_bytes(dealer), index_bytes(index), *parts)
    return Secret(wide[:32])


def _about(session: Session, dealer: int, index: int) -> bytes:
    return framed(*session.parts(), index_bytes(dealer), index_bytes(index))


def _dispute(session: Session, dealer: int) -> Session:
    return Session(session.network, session.generation, f"{session.name}/dealer {dealer}")
