"""Headers have the bytes and the hash that CometBFT gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.header import Header, chain_id_of
from keymoot.base.errors import Malformed
from keymoot.base.fixed import NetworkId
from tests.attest.known import Case, cases, header_of, says, small_header, small_set


@pytest.mark.parametrize("case", cases("headers"), ids=says)
def test_header_hashes_as_cometbft_does(case: Case) -> None:
    assert header_of(case["header"]).hash().hex() == case["hash"]


@pytest.mark.parametrize("case", cases("headers"), ids=says)
def test_header_has_cometbfts_bytes(case: Case) -> None:
    header = header_of(case["header"])
    assert header.encode().hex() == case["bytes"]
    assert Header.decode(bytes.fromhex(case["bytes"])) == header


def test_chain_id_fits_into_a_header() -> None:
    assert chain_id_of(NetworkId(b"\xab" * 32)) == "keymoot-" + "ab" * 16


@given(st.binary(max_size=300))
def test_header_parser_raises_only_malformed(raw: bytes) -> None:
    try:
        header = Header.decode(raw)
    except Malformed:
        return
    assert header.encode() == raw


@given(st.data())
def test_header_with_a_changed_byte_is_another_or_malformed(data: st.DataObject) -> None:
    validators, _ = small_set(1)
    header = small_header(validators)
    raw = bytearray(header.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = Header.decode(bytes(raw))
    except Malformed:
        return
    assert other.hash() != header.hash()


@pytest.mark.parametrize(
    ("tail", "why"),
    [(b"\x78\x01", "an unknown field"), (b"\x18\x05", "a field twice")],
)
def test_refuses_a_second_form_of_the_same_header(tail: bytes, why: str) -> None:
    validators, _ = small_set(1)
    with pytest.raises(Malformed, match="canonical"):
        Header.decode(small_header(validators).encode() + tail)
    assert why


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"version_block": 10}, "header.version"),
        ({"chain_id": "x" * 51}, "header.chainId"),
        ({"height": 0}, "header.height"),
        ({"height": -1}, "header.height"),
        ({"data_hash": b"short"}, "header.dataHash"),
        ({"validators_hash": b""}, "header.validatorsHash"),
        ({"app_hash": bytes(65)}, "header.appHash"),
        ({"proposer_address": bytes(19)}, "header.proposerAddress"),
    ],
)
def test_refuses_a_field_out_of_bounds(change: dict[str, object], path: str) -> None:
    validators, _ = small_set(1)
    header = small_header(validators)
    fields = {name: getattr(header, name) for name in header.__slots__} | change
    with pytest.raises(Malformed) as caught:
        Header.decode(Header(**fields).encode())
    assert caught.value.path == path


def test_refuses_a_longer_one_unread() -> None:
    with pytest.raises(Malformed, match="at most"):
        Header.decode(bytes(1025))
