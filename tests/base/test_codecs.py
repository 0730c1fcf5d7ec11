"""Codecs: oracles, one form only, and nothing but Malformed from strangers."""

import json
import pickle

import pytest
import rlp as pyrlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keymoot.base import base58, hexes, rlp
from keymoot.base.errors import Defect, Fault, KeymootError, Malformed, Refused
from keymoot.base.fixed import (
    Address,
    Bytes32,
    Hash32,
    NetworkId,
    RequestId,
    Signature65,
    SolanaAddress,
    WalletId,
)
from keymoot.base.request import REQUEST_TYPE, Request, decode_request
from keymoot.base.secret import Secret
from keymoot.base.strict_json import MAX_DEPTH, canonical, parse
from keymoot.base.transaction import UnsupportedType, decode_signed, decode_unsigned
from keymoot.base.units import UnixSeconds
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import credential_of, request_digest, sender_of
from tests.examples import examples

items = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5))


@given(items)
def test_rlp_agrees_with_pyrlp_and_comes_back(item: rlp.Item) -> None:
    raw = rlp.encode(item)
    assert raw == pyrlp.encode(item)
    assert rlp.decode(raw) == item


@settings(max_examples=examples(500))
@given(st.binary(max_size=80))
def test_rlp_has_one_form_and_refuses_what_pyrlp_refuses(raw: bytes) -> None:
    try:
        item = rlp.decode(raw)
    except Malformed:
        with pytest.raises(pyrlp.exceptions.DecodingError):
            pyrlp.decode(raw, strict=True)
    else:
        assert rlp.encode(item) == raw
        assert pyrlp.decode(raw, strict=True) == item


@pytest.mark.parametrize(
    "raw",
    [
        b"\x81\x05",  # a byte below 0x80 in the long form
        b"\xb8\x05hello",  # a short length in the long form
        b"\xb9\x00\x38" + bytes(56),  # a length with a leading zero
        b"\xf8\x01\x05",
        b"\xc2\x81\x05",
        b"\x83ab",
        b"\xc3\x01",
        b"\x01\x02",
        b"",
    ],
)
def test_rlp_refuses_every_second_form(raw: bytes) -> None:
    with pytest.raises(Malformed):
        rlp.decode(raw)


@pytest.mark.parametrize("length", [1, 54, 55, 56, 57, 255, 256])
def test_rlp_takes_of_strings_in_a_list_what_pyrlp_takes(length: int) -> None:
    """Cut anywhere, and with any other byte among the first: where lengths of all forms stand."""
    raw = rlp.encode([b"x" * length, b"y"])
    changed = [raw[:at] for at in range(len(raw))]
    for at in range(6):
        changed += [raw[:at] + bytes((byte,)) + raw[at + 1 :] for byte in range(256)]
    for one in (raw, *changed):
        try:
            wanted = pyrlp.decode(one, strict=True)
        except pyrlp.exceptions.DecodingError:
            with pytest.raises(Malformed):
                rlp.decode(one)
        else:
            assert rlp.decode(one) == wanted


def test_rlp_bounds_its_depth() -> None:
    item: rlp.Item = b""
    for _ in range(30):
        item = [item]
    with pytest.raises(Malformed, match="deeply"):
        rlp.decode(rlp.encode(item))


@given(st.binary(max_size=200))
def test_transactions_and_requests_from_strangers_raise_only_malformed(raw: bytes) -> None:
    for parser in (decode_unsigned, decode_signed, decode_request):
        for candidate in (raw, b"\x02" + raw, b"\x4b" + raw):
            try:
                parser(candidate)
            except Malformed:
                continue


kinds = st.sampled_from([0, 1, 2])


@settings(max_examples=examples(60), deadline=None)
@given(
    kind=kinds,
    nonce=st.integers(0, 2**64 - 1),
    value=st.integers(0, 2**256 - 1),
    gas=st.integers(0, 2**64 - 1),
    fee=st.integers(0, 2**256 - 1),
    data=st.binary(max_size=60),
    chain=st.integers(1, 2**62),
    to=st.one_of(st.none(), st.binary(min_size=20, max_size=20)),
    slots=st.lists(st.binary(min_size=32, max_size=32), max_size=2),
)
def test_transactions_agree_with_eth_account(
    kind: int, nonce: int, value: int, gas: int, fee: int, data: bytes, chain: int, to, slots
) -> None:
    account = Account.from_key(b"\x07" * 32)
    fields = {"nonce": nonce, "value": value, "gas": gas, "data": data, "chainId": chain}
    if to is not None:
        fields["to"] = Account.from_key(b"\x08" * 32).address
    if kind == 2:
        fields |= {"type": 2, "maxFeePerGas": fee, "maxPriorityFeePerGas": fee // 2}
    else:
        fields |= {"gasPrice": fee} | ({"type": 1} if kind else {})
    if kind:
        keys = ["0x" + slot.hex() for slot in slots]
        fields["accessList"] = [{"address": "0x" + "11" * 20, "storageKeys": keys}]
    signed = account.sign_transaction(fields)
    raw = bytes(signed.raw_transaction)
    transaction, signature = decode_signed(raw)
    assert transaction.signed_bytes(signature) == raw
    assert (transaction.kind, transaction.nonce, transaction.value) == (kind, nonce, value)
    assert (transaction.gas, transaction.max_fee, transaction.data) == (gas, fee, data)
    assert sender_of(transaction, signature).hex0x == account.address.lower()
    assert decode_unsigned(transaction.unsigned_bytes()) == transaction


def test_other_types_are_named() -> None:
    for kind in (3, 4, 0x7F):
        with pytest.raises(UnsupportedType, match=f"type {kind}"):
            decode_signed(bytes([kind]) + b"\xc0")


REQUEST = Request(
    NetworkId(b"n" * 32),
    WalletId(b"w" * 32),
    RequestId(b"i" * 32),
    UnixSeconds(1_800_000_000),
    "eth_signTransaction",
    b"payload",
    Bytes32(b"r" * 32),
)
KEY = Secret(b"k" * 32)


def test_a_parity_is_zero_or_one() -> None:
    beyond = Signature65(sign(KEY, request_digest(REQUEST))[:64] + b"\x02")
    fields = [b"\x01", b"", b"\x01", b"\x01", b"\x01", b"", b"", b"", []]
    transaction = decode_unsigned(b"\x02" + pyrlp.encode(fields))
    for raw, read in (
        (REQUEST.signed_bytes(beyond), decode_request),
        (transaction.signed_bytes(beyond), decode_signed),
    ):
        with pytest.raises(Malformed, match="yParity is 0 or 1, got 2"):
            read(raw)


def test_every_flipped_bit_of_a_request_changes_who_asks_or_is_refused() -> None:
    raw = REQUEST.signed_bytes(sign(KEY, request_digest(REQUEST)))
    request, signature = decode_request(raw)
    assert request == REQUEST
    asker = credential_of(request, signature)
    for bit in range(8 * len(raw)):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            other = credential_of(*decode_request(bytes(broken)))
        except Malformed:
            continue
        assert other != asker
    assert raw[0] == REQUEST_TYPE


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**70), 10**70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_json_comes_back_in_one_form(value) -> None:
    raw = canonical(value)
    assert parse(raw, 10**6) == value
    assert canonical(parse(json.dumps(value), 10**6)) == raw


@given(st.binary(max_size=100))
def test_json_from_strangers_raises_only_malformed(raw: bytes) -> None:
    try:
        parse(raw, 100)
    except Malformed as error:
        assert str(error)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        "1.5",
        "1e5",
        "NaN",
        "Infinity",
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        '{"a":' * 40 + "1" + "}" * 40,
        "9" * 90,
        '"\\ud800"',
        "{} {}",
    ],
)
def test_json_refuses_what_means_two_things(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text, 10_000)


def test_json_ignores_brackets_in_text() -> None:
    assert parse(json.dumps("[" * 100), 1000) == "[" * 100
    assert parse(json.dumps('\\"[' * 100), 1000) == '\\"[' * 100


@given(st.integers(0, 2**256 - 1), st.binary(max_size=50))
def test_hex_comes_back(number: int, raw: bytes) -> None:
    assert hexes.parse_quantity(hexes.quantity(number)) == number
    assert hexes.parse_data(hexes.data(raw)) == raw


@pytest.mark.parametrize("text", ["", "0x", "0x00", "0x01", "1", "0xg", "0x" + "1" * 65, None, 5])
def test_quantities_have_one_form(text: object) -> None:
    with pytest.raises(Malformed):
        hexes.parse_quantity(text)


def test_fixed_bytes_check_themselves() -> None:
    with pytest.raises(Malformed, match="Address is 20 bytes, got 3"):
        Address(b"abc")
    assert Address.from_hex("0x" + "ab" * 20).hex0x == "0x" + "ab" * 20
    for text in ("ab" * 20, "0x" + "ab" * 19, "0x" + "zz" * 20, "0x" + "a" * 41):
        with pytest.raises(Malformed):
            Address.from_hex(text)
    assert "Hash32(0x" in repr(Hash32(bytes(32)))


def test_secrets_cannot_be_seen_compared_or_copied() -> None:
    secret = Secret(b"hunter2 hunter2 hunter2 hunter2!")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{[secret]}"):
        assert "hunter2" not in text
    with pytest.raises(TypeError, match="compare_digest"):
        _ = secret == Secret(b"x")
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert len(secret) == 32


def test_every_error_answers_one_of_four_questions() -> None:
    import importlib
    import pkgutil

    import keymoot

    for module in pkgutil.walk_packages(keymoot.__path__, "keymoot."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

    def below(kind: type) -> set[type]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    families = (Malformed, Refused, Fault, Defect)
    everybody = below(KeymootError) - {KeymootError}
    ours = [kind for kind in everybody if kind.__module__.startswith("keymoot.")]
    assert len(ours) > 60
    assert all(issubclass(kind, families) for kind in ours)
    told = [kind for kind in ours if kind.__doc__ or "__init__" in vars(kind) or kind.message]
    assert sorted(kind.__qualname__ for kind in set(ours) - set(told)) == []
    assert isinstance(Signature65(bytes(65)), bytes)


@given(
    st.binary(min_size=32, max_size=32)
    | st.binary(max_size=31).map(lambda raw: raw.rjust(32, b"\0"))
)
def test_base58_is_solanas(raw: bytes) -> None:
    text = base58.encode(raw)
    assert text == str(Pubkey.from_bytes(raw))
    assert SolanaAddress.from_base58(text) == raw == base58.decode(text, 32)


@given(st.text(max_size=140))
def test_what_is_no_base58_is_malformed(text: str) -> None:
    try:
        found = base58.decode(text, 32)
    except Malformed:
        return
    assert base58.encode(found) == text
