"""What stood on wire and disk before stands there still: the bytes of one record of each class."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from keymoot.base import rlp
from keymoot.committee.genesis import Member
from keymoot.engine.stored_block import StoredBlock
from tests.records.samples import SAMPLES

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
