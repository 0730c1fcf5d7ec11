"""A signed query: wallets and libraries of others can make it, and nothing else passes for one."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, Signature65
from keymoot.base.units import ChainId, Height, Nonce
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.crypto.signed_query import SELECTOR, SIGNATURE, SignedQuery

KEY = Account.from_key(b"k" * 32)
NETWORK, CHAIN, TO = NetworkId(b"n" * 32), ChainId(0x5AFD), Address(b"t" * 20)
FIELDS = (
    ("address", "from"),
    ("address", "to"),
    ("bytes", "data"),
    ("uint64", "nonce"),
    ("uint64", "blockNumber"),
    ("bytes32", "blockHash"),
    ("uint64", "blockRange"),
    ("bytes32", "replyKey"),
)
DOMAIN = (("string", "name"), ("string", "version"), ("uint256", "chainId"), ("bytes32", "salt"))
MESSAGE: dict[str, Any] = {
    "from": KEY.address,
    "to": "0x" + TO.hex(),
    "data": b"calldata",
    "nonce": 3,
    "blockNumber": 70,
    "blockHash": b"h" * 32,
    "blockRange": 9,
    "replyKey": b"r" * 32,
}


def by_others(**changes: Any) -> bytes:
    """Sign and write a query with eth_account and eth_abi only."""
    message = MESSAGE | changes
    document = {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for kind, name in DOMAIN],
            "Query": [{"name": name, "type": kind} for kind, name in FIELDS],
        },
        "primaryType": "Query",
        "domain": {"name": "Keymoot query", "version": "1", "chainId": CHAIN, "salt": NETWORK},
        "message": message,
    }
    made = KEY.sign_message(encode_typed_data(full_message=document)).signature
    inside = [(kind, message[name]) for kind, name in FIELDS if name != "to"]
    kinds, values = zip(*inside, ("bytes", made), strict=True)
    return SELECTOR + encode(kinds, values)


def test_what_others_write_and_sign_is_read_and_believed() -> None:
    found = SignedQuery.decode(by_others())
    assert (found.sender.hex0x, found.data) == (KEY.address.lower(), b"calldata")
    assert (found.nonce, found.block, found.block_hash) == (3, 70, b"h" * 32)
    assert (found.reach, found.reply_key) == (9, b"r" * 32)
    found.check_signature(NETWORK, CHAIN, TO)
    # Ours writes a signature's last byte as 0 or 1.
    assert SignedQuery.decode(found.encode()) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": Address(b"s" * 20)},
        {"data": b"other"},
        {"nonce": Nonce(4)},
        {"block": Height(71)},
        {"block_hash": Hash32(b"g" * 32)},
        {"reach": 10},
        {"reply_key": Bytes32(b"q" * 32)},
    ],
)
def test_whatever_is_changed_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=r"is not signed by|no public key fits"):
        replace(SignedQuery.decode(by_others()), **changes).check_signature(NETWORK, CHAIN, TO)


def test_it_is_of_one_network_chain_and_contract() -> None:
    found = SignedQuery.decode(by_others())
    for network, chain, to in (
        (NetworkId(b"m" * 32), CHAIN, TO),
        (NETWORK, ChainId(1), TO),
        (NETWORK, CHAIN, Address(b"u" * 20)),
    ):
        with pytest.raises(Malformed, match="is not signed by"):
            found.check_signature(network, chain, to)


@given(st.binary(max_size=400))
def test_other_bytes_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        SignedQuery.decode(SELECTOR + raw)


@pytest.mark.parametrize("last", [2, 26, 29, 255])
def test_a_signatures_last_byte_is_one_of_four(last: int) -> None:
    raw = bytearray(by_others())
    at = len(raw) - 32
    assert raw[at] in (27, 28)
    raw[at] = last
    with pytest.raises(Malformed, match="last byte"):
        SignedQuery.decode(bytes(raw))


def test_no_contract_has_a_method_of_that_selector() -> None:
    assert SIGNATURE.startswith("signedQuery(")
    assert not any(SELECTOR in one.kind.METHODS for one in BUILT_IN)
    assert SelfEncoded == SignedQuery.decode(SelfEncoded.encode())


SelfEncoded = SignedQuery(
    Address(b"a" * 20),
    b"",
    Nonce(0),
    Height(0),
    Hash32(bytes(32)),
    0,
    Bytes32(bytes(32)),
    Signature65(bytes(65)),
)
