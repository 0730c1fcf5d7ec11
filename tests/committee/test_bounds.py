"""Words of seats at their bounds: the largest is read, one more is Malformed."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.keygen.record import (
    MAX_COMPLAINTS,
    Keygen,
    Phase,
    RootComplaint,
    RootHashes,
    RootVerdict,
)
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.roots import ROOTS
from keymoot.committee.statekey.record import StateKeyStatus
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.dkg import HASH_BYTES
from keymoot.threshold.envelope import Complaint

COMPLAINT = Complaint(1, 2, bytes(33), bytes(64))
MOST = MAX_COMPLAINTS * len(ROOTS)
KEYGEN = Keygen(Phase.DONE, 0, Height(1), UnixSeconds(1)).encode()


def standing(size: int) -> bytes:
    """Write a page with so many holders, more than a record writes itself too."""
    most = replace(StateKeyStatus(), holders=frozenset(range(1, MAX_SIZE + 1)))
    at = [one.name for one in fields(most)].index("holders")
    page = most.item()
    page[at] = [uint(seat) for seat in range(1, size + 1)]
    return rlp.encode(page)


@pytest.mark.parametrize(
    ("parser", "good", "bad"),
    [
        (RootHashes, bytes(HASH_BYTES * len(ROOTS)), bytes(HASH_BYTES * len(ROOTS) - 1)),
        (RootHashes, bytes(HASH_BYTES * len(ROOTS)), bytes(HASH_BYTES * (len(ROOTS) + 1))),
        (
            RootVerdict.decode,
            RootVerdict((RootComplaint(len(ROOTS) - 1, COMPLAINT),)).encode(),
            rlp.encode([[uint(len(ROOTS)), COMPLAINT.item()]]),
        ),
        (
            RootVerdict.decode,
            RootVerdict((RootComplaint(0, COMPLAINT),) * MOST).encode(),
            rlp.encode([[b"", COMPLAINT.item()]] * (MOST + 1)),
        ),
        (Keygen.decode, KEYGEN, KEYGEN[:1] + bytes((Phase.DONE + 1,)) + KEYGEN[2:]),
        (StateKeyStatus.decode, standing(MAX_SIZE), standing(MAX_SIZE + 1)),
    ],
    ids=["hashes short", "hashes long", "root", "complaints", "phase", "holders"],
)
def test_one_beyond_its_bound_is_malformed(
    parser: Callable[[bytes], Any], good: bytes, bad: bytes
) -> None:
    parser(good)
    with pytest.raises(Malformed):
        parser(bad)


def test_a_message_has_a_kind_that_is_known():
    message = NodeMessage(NetworkId(bytes(32)), Hash32(bytes(32)), 1, max(Kind), b"", bytes(64))
    raw = message.encode()
    assert NodeMessage.decode(raw) == message
    for kind in (max(Kind) + 1, 255):
        fields = rlp.decode(raw[1:])
        with pytest.raises(Malformed, match=f"no Kind has the number {kind}"):
            NodeMessage.decode(raw[:1] + rlp.encode([*fields[:3], uint(kind), *fields[4:]]))
