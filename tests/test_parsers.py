"""Every parser of bytes: strangers' bytes raise Malformed and nothing else; ours come back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.agent.credential import Credential
from keymoot.attest.ballot import Ballot
from keymoot.attest.block import Block
from keymoot.attest.commit import Commit, SignedHeader
from keymoot.attest.header import Header
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.request import decode_request
from keymoot.base.transaction import decode_signed, decode_unsigned
from keymoot.contracts.record import Record
from keymoot.contracts.wallet import Book, SignedNonce, Wallet
from keymoot.contracts.wallet import Credential as WalletCredential
from keymoot.enclave import messages
from keymoot.enclave.room import read_joined
from keymoot.engine.archive import Proposal
from keymoot.policy.limit import Reservation, Usage
from keymoot.runtime.genesis import Genesis
from keymoot.runtime.receipt import Log, Receipt
from keymoot.store.account import Account
from keymoot.store.nodes import decode_node

OF_BYTES: list[Callable[[bytes], Any]] = [
    decode_unsigned,
    decode_signed,
    decode_request,
    Genesis.decode,
    Receipt.decode,
    Record.decode,
    Wallet.decode,
    Book.decode,
    WalletCredential.decode,
    SignedNonce.decode,
    Account.decode,
    decode_node,
    Header.decode,
    Commit.decode,
    SignedHeader.decode,
    Block.decode,
    Proposal.decode,
    Credential.decode,
    messages.parse,
]

OF_ITEMS: list[Callable[[rlp.Decoded], Any]] = [
    Usage.decode,
    Reservation.decode,
    Log.decode,
    messages.read_ballot,
    messages.read_votes,
    messages.read_release,
    messages.read_answers,
    messages.Identity.decode,
    read_joined,
]

items = st.recursive(st.binary(max_size=40), lambda inner: st.lists(inner, max_size=6))
shaped = st.lists(items, min_size=1, max_size=17).map(rlp.encode)


@pytest.mark.parametrize("parser", OF_BYTES, ids=lambda one: one.__qualname__)
@settings(max_examples=120, deadline=None)
@given(raw=st.binary(max_size=120) | shaped)
def test_bytes_of_strangers_raise_only_malformed(parser: Callable, raw: bytes) -> None:
    try:
        parser(raw)
    except Malformed as error:
        assert str(error)


@pytest.mark.parametrize("parser", OF_ITEMS, ids=lambda one: one.__qualname__)
@settings(max_examples=120, deadline=None)
@given(item=items)
def test_items_of_strangers_raise_only_malformed(parser: Callable, item: rlp.Decoded) -> None:
    try:
        parser(item)
    except Malformed as error:
        assert str(error)


def test_ballots_come_back() -> None:
    from tests.enclave.test_voter import ballot

    found = messages.read_ballot(rlp.decode(rlp.encode(messages.ballot_item(ballot(7)))))
    assert found == ballot(7)
    assert isinstance(found, Ballot)
