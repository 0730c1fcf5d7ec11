"""A transaction is for one network, as far as its signer said so."""

import pytest

from keymoot.base.fixed import Address, Bytes32, NetworkId
from keymoot.base.transaction import (
    ACCESS_LIST,
    DYNAMIC_FEE,
    NAMES_NETWORK,
    AccessEntry,
    EvmTransaction,
)
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, Nonce, Wei
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.crypto import secp256k1
from keymoot.crypto.transactions import signing_hash
from keymoot.runtime import gas
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.transactions import WrongNetwork, open_transaction

OURS, OTHER = NetworkId(b"o" * 32), NetworkId(b"x" * 32)
KEY = secp256k1.private_key(b"owner" * 10)


def signed(
    *entries: AccessEntry, kind: int = DYNAMIC_FEE, gas_limit: int = 21_000, fee: int = 1
) -> bytes:
    transaction = EvmTransaction(
        kind=kind,
        chain_id=LEDGER_CHAIN_ID,
        nonce=Nonce(0),
        max_priority_fee=Wei(1),
        max_fee=Wei(fee),
        gas=Gas(gas_limit),
        to=Address(b"t" * 20),
        value=Wei(0),
        data=b"",
        access_list=entries,
    )
    return transaction.signed_bytes(secp256k1.sign(KEY, signing_hash(transaction)))


def names(*networks: bytes) -> AccessEntry:
    return AccessEntry(NAMES_NETWORK, tuple(map(Bytes32, networks)))


@pytest.mark.parametrize("kind", [ACCESS_LIST, DYNAMIC_FEE])
def test_one_that_names_a_network_is_carried_out_there_only(kind: int) -> None:
    raw = signed(names(OURS), kind=kind)
    sender = open_transaction(raw, LEDGER_CHAIN_ID, OURS).sender
    assert sender == secp256k1.address_of_secret(KEY)
    with pytest.raises(WrongNetwork, match="another network"):
        open_transaction(raw, LEDGER_CHAIN_ID, OTHER)


@pytest.mark.parametrize(
    "entries",
    [
        [names(OURS, OTHER)],
        [names(OURS), names(OTHER)],
        [AccessEntry(Address(b"a" * 20), (Bytes32(OURS),)), names(OTHER, OURS)],
    ],
)
def test_one_that_names_two_is_for_neither(entries: list[AccessEntry]) -> None:
    for network in (OURS, OTHER):
        with pytest.raises(WrongNetwork):
            open_transaction(signed(*entries), LEDGER_CHAIN_ID, network)


@pytest.mark.parametrize(
    "entries", [[], [names()], [AccessEntry(Address(b"a" * 20), (Bytes32(OTHER),))]]
)
def test_one_that_names_none_is_for_every_network_of_its_chain_id(
    entries: list[AccessEntry],
) -> None:
    """As Ethereum's wallets sign: whoever uses them takes a key of its own for each network."""
    for network in (OURS, OTHER):
        open_transaction(signed(*entries), LEDGER_CHAIN_ID, network)


def test_no_contract_is_where_networks_are_named() -> None:
    assert NAMES_NETWORK not in {one.address for one in BUILT_IN}


def test_an_access_list_costs_what_ethereum_charges_for_it() -> None:
    """As EIP-2930 counts: or 33 KB of a block cost no more than a transfer."""
    slots = (Bytes32(OURS), Bytes32(OTHER))
    listed = (AccessEntry(Address(b"a" * 20), slots), AccessEntry(Address(b"b" * 20), ()))
    assert gas.intrinsic(b"") == 21_000
    assert gas.intrinsic(b"", listed) == 21_000 + 2 * 2_400 + 2 * 1_900

    chain = MemoryChain(balances={secp256k1.address_of_secret(KEY): Wei(10**24)})
    low = chain.send(signed(AccessEntry(Address(b"a" * 20), ()), fee=chain.block.base_fee))
    assert low.gas_used == 0
    assert "minimum needed 23400" in low.error
    raw = signed(AccessEntry(Address(b"a" * 20), ()), gas_limit=30_000, fee=chain.block.base_fee)
    assert chain.send(raw).gas_used == 23_400
