"""Transaction dictionaries are read as eth_account reads them, and strictly."""

from typing import Any

import pytest
from eth_account import Account as EthAccount
from hexbytes import HexBytes
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.dictionary import read_transaction
from keymoot.agent.errors import BadTransaction, NotSignable, WrongSender
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address
from keymoot.crypto import secp256k1
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.names import checksummed
from tests.agent.fake_network import secret_of

KEY = secret_of("wallet")
SENDER = secp256k1.address_of_secret(KEY)
TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GOOD: dict[str, Any] = {
    "chainId": 8453,
    "nonce": 7,
    "gas": 21_000,
    "maxFeePerGas": 2_000_000_000,
    "maxPriorityFeePerGas": 1_000_000_000,
    "to": TO,
    "value": 12_345,
    "data": "0x",
}

words = st.integers(0, 2**256 - 1)
small = st.integers(0, 2**64 - 1)


def as_written(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Give numbers, some as hex text."""
    return numbers | numbers.map(hex)


@given(
    chain=st.integers(1, 2**62),
    nonce=as_written(small),
    gas=as_written(small),
    fees=st.tuples(words, words).map(sorted),
    to=st.none() | st.just(TO) | st.just(bytes.fromhex(TO[2:])) | st.just(TO.lower()[:42]),
    value=as_written(words),
    data=st.binary(max_size=100),
    style=st.sampled_from([bytes, HexBytes, lambda raw: "0x" + raw.hex()]),
    kind=st.sampled_from(["legacy", "listed", "dynamic"]),
)
def test_signs_the_bytes_that_eth_account_signs(
    *,
    chain: int,
    nonce: Any,
    gas: Any,
    fees: list[int],
    to: Any,
    value: Any,
    data: bytes,
    style: Any,
    kind: str,
) -> None:
    fields: dict[str, Any] = {"chainId": chain, "nonce": nonce, "gas": gas}
    fields |= {"value": value, "data": style(data)}
    if to is not None:
        fields["to"] = checksummed(Address(bytes.fromhex(TO[2:]))) if isinstance(to, str) else to
    if kind == "dynamic":
        fields |= {"maxPriorityFeePerGas": fees[0], "maxFeePerGas": fees[1]}
    else:
        fields["gasPrice"] = fees[1]
    if kind == "listed":
        fields["accessList"] = [{"address": TO, "storageKeys": ["0x" + "22" * 32]}]
    read = read_transaction(fields, SENDER)
    signature = secp256k1.sign(KEY, signing_hash(read))
    expected = EthAccount.sign_transaction(fields, KEY.expose()).raw_transaction
    assert read.signed_bytes(signature) == bytes(expected)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nonce": None}, "nonce"),
        ({"nonce": -1}, "nonce"),
        ({"nonce": 2**64}, "nonce"),
        ({"nonce": True}, "nonce"),
        ({"nonce": 1.0}, "nonce"),
        ({"gas": "21000"}, "gas"),
        ({"gas": "0x"}, "gas"),
        ({"gas": "0x1_0"}, "gas"),
        ({"chainId": None}, "chainId"),
        ({"value": 2**256}, "value"),
        ({"to": "0x1234"}, "to"),
        ({"to": "vitalik.eth"}, "to"),
        ({"to": TO.replace("C", "c", 1)}, "to"),
        ({"data": "0x123"}, "data"),
        ({"data": 5}, "data"),
        ({"data": bytes(65_537)}, "data"),
        ({"data": "0x12", "input": "0x13"}, "input"),
        ({"gasPrice": 5}, "gasPrice"),
        ({"surprise": 5}, "surprise"),
        ({"maxPriorityFeePerGas": 2_000_000_001}, "maxPriorityFeePerGas"),
        ({"accessList": "none"}, "accessList"),
        ({"accessList": [{"address": TO}]}, "accessList[0]"),
        (
            {"accessList": [{"address": TO, "storageKeys": [b"short"]}]},
            "accessList[0].storageKeys[0]",
        ),
    ],
)
def test_names_the_field_that_is_wrong(change: dict[str, Any], path: str) -> None:
    with pytest.raises(BadTransaction) as caught:
        read_transaction({**GOOD, **change}, SENDER)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "change",
    [
        {"type": 3},
        {"type": "0x4"},
        {"type": 200},
        {"authorizationList": []},
        {"maxFeePerBlobGas": 1},
        {"blobVersionedHashes": []},
    ],
)
def test_signs_no_type_that_goes_around_the_rules(change: dict[str, Any]) -> None:
    with pytest.raises(NotSignable):
        read_transaction({**GOOD, **change}, SENDER)


def test_accepts_its_own_sender_only() -> None:
    assert read_transaction({**GOOD, "from": checksummed(SENDER)}, SENDER).nonce == 7
    assert read_transaction({**GOOD, "from": bytes(SENDER)}, SENDER).nonce == 7
    with pytest.raises(WrongSender, match="set from"):
        read_transaction({**GOOD, "from": TO}, SENDER)


def test_an_unprotected_legacy_transaction_stays_one_for_the_policy_to_refuse() -> None:
    fields = {"nonce": 0, "gas": 21_000, "gasPrice": 1, "to": TO}
    assert read_transaction(fields, SENDER).chain_id is None


def test_storage_keys_may_be_numbers() -> None:
    entry = {"address": TO, "storageKeys": [1]}
    read = read_transaction({**GOOD, "accessList": [entry]}, SENDER)
    assert read.access_list[0].slots[0] == (1).to_bytes(32, "big")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*GOOD, "type", "from", "gasPrice", "accessList"]), anything)
)
def test_raises_only_our_errors(change: dict[str, Any]) -> None:
    try:
        read_transaction({**GOOD, **change}, SENDER)
    except KeymootError:
        return


@given(anything)
def test_what_is_no_dictionary_is_refused(given: Any) -> None:
    with pytest.raises(KeymootError):
        read_transaction(given, SENDER)
