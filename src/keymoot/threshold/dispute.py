"""Who cheated in a round of presignatures: complaints, and the verdict that all agree on.

Disputes of both rounds are alike. What differs is the session and how a box's content is held
against the dealing, which a round gives as a function that raises `Cheated`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, TypeVar

from keymoot.base.secret import Secret
from keymoot.crypto.sealing import SealBroken
from keymoot.threshold import envelope as boxes
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.presignature import Batch
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.session import Session


class EnvelopeDealing(Protocol):
    """A dealing of either round."""

    @property
    def envelope(self) -> Envelope: ...


D = TypeVar("D", bound=EnvelopeDealing)

Check: TypeAlias = Callable[[Batch, int, int, Secret, D], None]
"""Holds what a dealer's box had for a recipient against the dealing."""


def blame(
    batch: Batch,
    session: Session,
    index: int,
    key: Secret,
    dealings: Mapping[int, D],
    check: Check[D],
    rng: SeededRng,
) -> list[Complaint]:
    """Complain over each dealing whose share for us is bad."""
    public = batch.keys[index]
    complaints = []
    for dealer, dealing in sorted(dealings.items()):
        envelope = dealing.envelope
        try:
            content = boxes.open_box(session, dealer, index, key, public, envelope)
            check(batch, dealer, index, content, dealing)
        except (Cheated, SealBroken):
            complaints.append(boxes.complain(session, dealer, index, key, public, envelope, rng))
    return complaints


def judge(batch: Batch, session: Session, complaint: Complaint, dealing: D, check: Check[D]) -> int:
    """Say who cheated, as everyone can: the dealer or the accuser."""
    accuser = complaint.accuser
    if accuser not in batch.keys:
        return accuser
    try:
        content = boxes.open_complaint(session, complaint, batch.keys[accuser], dealing.envelope)
        check(batch, complaint.dealer, accuser, content, dealing)
    except SealBroken:
        return complaint.dealer
    except Cheated as error:
        return error.party
    return accuser
