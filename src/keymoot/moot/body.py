"""What messages about batches carry: a number and a dealing, or a complaint over one."""

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.threshold.envelope import Complaint

FIRST, SECOND = 1, 2
"""The two rounds of dealing."""


def write_numbered(number: int, content: bytes = b"") -> bytes:
    """Write a dealing or an acknowledgement of a batch."""
    return rlp.encode([uint(number), content])


def read_numbered(body: bytes) -> tuple[int, bytes]:
    """Read a dealing or an acknowledgement of a batch.

    Raises:
        Malformed: not that.
    """
    number, content = list_of(rlp.decode(body), 2, "numbered")
    return uint_of(number, "batch", 8), bytes_of(content, "content")


def write_complaint(number: int, round_: int, dealer: int, complaint: Complaint | None) -> bytes:
    """Write a complaint; None where the dealing's public part is bad."""
    given: rlp.Item = [] if complaint is None else complaint.encode()
    return rlp.encode([uint(number), uint(round_), uint(dealer), given])


def read_complaint(body: bytes) -> tuple[int, int, int, Complaint | None]:
    """Read a complaint.

    Raises:
        Malformed: not that.
    """
    number, round_, dealer, given = list_of(rlp.decode(body), 4, "complaint")
    which = uint_of(round_, "round", 1)
    if which not in (FIRST, SECOND):
        raise Malformed(f"a batch has rounds 1 and 2, got {which}", "round")
    complaint = None if given == [] else Complaint.decode(given)
    return uint_of(number, "batch", 8), which, uint_of(dealer, "dealer", 2), complaint
