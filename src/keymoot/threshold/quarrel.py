"""Who cheated in a round of presignatures: complaints, and the verdict that all agree on.

Both rounds quarrel alike. What differs is the session and how a box's content is held
against the dealing, which a round gives as a function that raises `Cheated`.
"""

from collections.abc import Callable, Iterable

from keymoot.base.secret import Secret
from keymoot.threshold import envelope as boxes
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint, Envelope, SealBroken
from keymoot.threshold.errors import Cheated
from keymoot.threshold.presignature import Batch
from keymoot.threshold.session import Session

Check = Callable[[int, Secret], None]
"""Holds what recipient `index` found in his box against the dealing."""


def blame(
    batch: Batch,
    session: Session,
    index: int,
    key: Secret,
    dealings: Iterable[tuple[int, Envelope, Check]],
    dice: Dice,
) -> list[Complaint]:
    """Complain over each dealing whose share for us is bad."""
    public = batch.keys[index]
    complaints = []
    for dealer, envelope, check in dealings:
        try:
            check(index, boxes.open_box(session, dealer, index, key, public, envelope))
        except (Cheated, SealBroken):
            complaints.append(boxes.complain(session, dealer, index, key, public, envelope, dice))
    return complaints


def judge(
    batch: Batch, session: Session, complaint: Complaint, envelope: Envelope, check: Check
) -> int:
    """Say who cheated, as everyone can: the dealer or the accuser."""
    accuser = complaint.accuser
    if accuser not in batch.keys:
        return accuser
    try:
        content = boxes.open_complaint(session, complaint, batch.keys[accuser], envelope)
        check(accuser, content)
    except SealBroken:
        return complaint.dealer
    except Cheated as error:
        return error.party
    return accuser
