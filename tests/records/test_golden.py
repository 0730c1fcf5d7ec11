"""What stood on wire and disk before stands there still: the bytes of one record of each class."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from keymoot.base import rlp
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.record import Record
from keymoot.committee.genesis import Member
from keymoot.committee.keygen.record import RootVerdict
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.presign.record import FIRST, BatchComplaint
from keymoot.committee.seat import NewSession
from keymoot.committee.statekey.record import FormerVersions
from keymoot.enclave.frames import BeginFrame, RequestsFrame
from keymoot.enclave.messages import ToldFrame
from keymoot.engine.stored_block import StoredBlock
from tests.records.samples import BOOT, SAMPLES

GOLDEN: dict[str, str] = json.loads((Path(__file__).parent / "golden.json").read_text())


def written(sample: Any) -> bytes:
    found: Any = sample.item() if isinstance(sample, Member) else sample.encode()
    if isinstance(sample, StoredBlock):
        return zlib.decompress(found)
    return found if isinstance(found, bytes) else rlp.encode(found)


def name(sample: object) -> str:
    """Give a record's class and the package that it is of."""
    return f"{type(sample).__module__.split('.')[1]}.{type(sample).__name__}"


@pytest.mark.parametrize("sample", SAMPLES, ids=name)
def test_a_record_has_the_bytes_that_it_always_had(sample: Any) -> None:
    assert written(sample).hex() == GOLDEN[name(sample)]


@pytest.mark.parametrize(
    ("record", "raw"),
    [
        (NewSession(None, BOOT), "f84680" + BOOT.encode().hex()),
        (BatchComplaint(300, FIRST, 3, None), "c682012c0103c0"),
        (BeginFrame(None), "c0"),
        (RequestsFrame(()), "c0"),
        (RootVerdict(), "c0"),
        (FormerVersions(), "c0"),
        (ToldFrame(yes=False), "c180"),
        (
            NodeMessage(NetworkId(bytes((1,)) * 32), Hash32(bytes((2,)) * 32), 3, Kind.TICK, b""),
            "4ef846a0" + "01" * 32 + "a0" + "02" * 32 + "03808080",
        ),
    ],
    ids=lambda record: type(record).__name__,
)
def test_what_is_left_out_has_the_bytes_that_it_always_had(record: Record, raw: str) -> None:
    assert record.encode().hex() == raw
    assert type(record).decode(bytes.fromhex(raw)) == record
