"""What a complaint over a dealing of a batch carries."""

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.threshold.envelope import Complaint

FIRST, SECOND = 1, 2
"""The two rounds of dealing."""


def write_complaint(number: int, round_: int, dealer: int, complaint: Complaint | None) -> bytes:
    """Write a complaint; None where the dealing's public part is bad."""
    given: rlp.Item = [] if complaint is None else complaint.item()
    return rlp.encode([uint(number), uint(round_), uint(dealer), given])


def read_complaint(body: bytes) -> tuple[int, int, int, Complaint | None]:
    number, round_, dealer, given = list_of(rlp.decode(body), 4, "complaint")
    which = uint_of(round_, "round", 1)
    if which not in (FIRST, SECOND):
        raise Malformed(f"a batch has rounds 1 and 2, got {which}", "round")
    complaint = None if given == [] else Complaint.of_item(given)
    return uint_of(number, "batch", 8), which, uint_of(dealer, "dealer", 2), complaint
