"""Bytes of a stranger that hold very many items: refused before most of them are read."""

from typing import Any

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.request import decode_request
from keymoot.base.transaction import decode_signed, decode_unsigned
from keymoot.committee.messages import NodeMessage
from keymoot.enclave import messages

LONG_LISTS: dict[str, list[Any]] = {
    "empty lists": [[]] * 130_000,
    "single bytes": [b"\x01"] * 130_000,
    "addresses": [[b"\x11" * 20, []]] * 5_600,
    "slots": [[b"\x11" * 20, [b"\x22" * 32] * 3_900]],
}


@pytest.mark.parametrize("what", LONG_LISTS)
def test_a_transaction_of_many_small_items_is_refused_before_they_are_read(what: str) -> None:
    fields = [b"\x01", b"", b"\x01", b"\x01", b"\x52\x08", b"\x11" * 20, b"", b""]
    unsigned = b"\x02" + rlp.encode([*fields, LONG_LISTS[what]])
    signed = b"\x02" + rlp.encode([*fields, LONG_LISTS[what], b"", b"\x01", b"\x01"])
    with pytest.raises(Malformed, match="RLP holds more than 1024 items"):
        decode_unsigned(unsigned)
    with pytest.raises(Malformed, match="RLP holds more than 1024 items"):
        decode_signed(signed)


def test_an_access_list_of_hundreds_is_read() -> None:
    listed = [[b"\x11" * 20, [b"\x22" * 32] * 60]] * 16
    fields = [b"\x01", b"", b"\x01", b"\x01", b"\x52\x08", b"\x11" * 20, b"", b"", listed]
    read = decode_unsigned(b"\x02" + rlp.encode(fields))
    assert [len(one.slots) for one in read.access_list] == [60] * 16


@pytest.mark.parametrize(("kind", "most"), [(0x4B, 10), (0x4E, 6)])
def test_requests_and_messages_hold_their_fields_and_no_more(kind: int, most: int) -> None:
    raw = bytes((kind,)) + rlp.encode([b"\x01"] * 130_000)
    read: Any = decode_request if kind == 0x4B else NodeMessage.decode
    with pytest.raises(Malformed, match=f"RLP holds more than {most} items"):
        read(raw)


def test_a_page_of_more_items_than_anything_has_is_refused() -> None:
    assert len(rlp.decode(rlp.encode([b"\x01"] * rlp.MAX_ITEMS))) == rlp.MAX_ITEMS
    nested = [[b"\x01"] * (rlp.MAX_ITEMS // 2)] * 2
    with pytest.raises(Malformed, match="RLP holds more than 16384 items"):
        rlp.decode(rlp.encode(nested))


def test_frames_between_a_node_and_its_enclaves_hold_witnesses_of_any_number() -> None:
    body = [[b"\x11" * 32, b"\x01"]] * rlp.MAX_ITEMS
    raw = messages.frame(1, "pages", body)[messages.LENGTH_BYTES :]
    assert messages.parse(raw) == (1, "pages", body)
