"""Every parser of bytes: strangers' bytes raise Malformed and nothing else; ours come back."""

import ast
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keymoot
from keymoot.agent.credential import Credential
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.request import decode_request
from keymoot.base.solana_message import decode_message, message_of_transaction
from keymoot.base.transaction import decode_signed, decode_unsigned
from keymoot.contracts import queue
from keymoot.contracts.keys import Question
from keymoot.contracts.record import Record
from keymoot.contracts.wallet import Book, SignedNonce, Wallet
from keymoot.contracts.wallet import Credential as WalletCredential
from keymoot.crypto.signed_query import SignedQuery
from keymoot.enclave import messages
from keymoot.engine.stored_block import StoredBlock
from keymoot.moot.admission import Admission, Newcomer, read_join
from keymoot.moot.assembly import read_boot
from keymoot.moot.attestation import Attestation
from keymoot.moot.batch import BatchPage, PresignatureId
from keymoot.moot.before import Kept
from keymoot.moot.body import read_complaint, read_numbered
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.certified import CertifiedHeader
from keymoot.moot.commitments import Row
from keymoot.moot.commitments import read_complaint as read_complaint_over_row
from keymoot.moot.epoch import Epoch, Origin
from keymoot.moot.founding_record import FoundingRecord
from keymoot.moot.genesis import Genesis
from keymoot.moot.hall import Head
from keymoot.moot.inventory import Inventory
from keymoot.moot.keygen import Keygen, read_hashes, read_openings, read_verdict
from keymoot.moot.message import NodeMessage
from keymoot.moot.seat import Boot, Seat
from keymoot.moot.slot import read_seats, read_slots
from keymoot.moot.statekey import Ask, Standing, read_answer, read_ask, read_held
from keymoot.moot.turn import read_dealings, read_turn
from keymoot.policy.held import Reservation
from keymoot.policy.limit import Usage
from keymoot.runtime.asked import Asked, Found
from keymoot.runtime.block import Block
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.receipt import Log, Receipt
from keymoot.store.account import Account
from keymoot.store.header import Header
from keymoot.store.nodes import decode_node
from keymoot.store.questions import read_question
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.derived import Answer as DerivedAnswer
from keymoot.threshold.dkg import Opening
from keymoot.threshold.ecdsa import SignatureShare
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.first_round import FirstDealing
from keymoot.threshold.frost import Commitment
from keymoot.threshold.products import ProductsProof
from keymoot.threshold.proofs import Proof
from keymoot.threshold.root import Root, read_share
from keymoot.threshold.second_round import SecondDealing
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.readers import FRAMES

OF_BYTES: list[Callable[[bytes], Any]] = [
    decode_unsigned,
    decode_signed,
    decode_request,
    decode_message,
    message_of_transaction,
    FoundingRecord.decode,
    CertifiedHeader.decode,
    Genesis.decode,
    Block.decode,
    Header.decode,
    Outcome.decode,
    StoredBlock.decode,
    Kept.decode,
    read_question,
    Receipt.decode,
    Record.decode,
    Wallet.decode,
    Book.decode,
    WalletCredential.decode,
    SignedNonce.decode,
    Account.decode,
    decode_node,
    queue.Waiting.decode,
    queue.read,
    SignedQuery.decode,
    Credential.decode,
    messages.parse,
    NodeMessage.decode,
    SignedCertificate.decode,
    Seat.decode,
    Head.decode,
    Keygen.decode,
    Epoch.decode,
    Origin.decode,
    Admission.decode,
    Attestation.decode,
    read_join,
    Inventory.decode,
    BatchPage.decode,
    PresignatureId.decode,
    Question.decode,
    read_boot,
    read_hashes,
    read_openings,
    read_verdict,
    read_dealings,
    read_turn,
    read_numbered,
    read_complaint,
    read_complaint_over_row,
    Row.decode,
    read_slots,
    read_seats,
    Standing.decode,
    Ask.decode,
    read_ask,
    read_answer,
    read_held,
    SECP256K1.decode,
    EDWARDS25519.decode,
    G1.decode,
    G2.decode,
    SECP256K1.decode_secret,
    SignatureShare.decode,
    ProductsProof.decode,
    partial(Proof.decode, SECP256K1),
    partial(read_share, SECP256K1),
]

OF_ITEMS: list[Callable[[rlp.Decoded], Any]] = [
    Usage.decode,
    Reservation.decode,
    Log.decode,
    *FRAMES,
    Asked.decode,
    Found.decode,
    Boot.decode,
    Newcomer.decode,
    messages.Identity.decode,
    Envelope.decode,
    Complaint.decode,
    Dealing.decode,
    Opening.decode,
    FirstDealing.decode,
    SecondDealing.decode,
    Commitment.decode,
    DerivedAnswer.decode,
    partial(Root.decode, SECP256K1),
]


def _name(parser: Callable) -> str:
    parser = parser.func if isinstance(parser, partial) else parser
    owner = getattr(parser, "__self__", None)
    return f"{type(owner).__name__}.{parser.__name__}" if owner else parser.__qualname__


items = st.recursive(st.binary(max_size=40), lambda inner: st.lists(inner, max_size=6))
shaped = st.lists(items, min_size=1, max_size=17).map(rlp.encode)


@pytest.mark.parametrize("parser", OF_BYTES, ids=_name)
@settings(max_examples=120, deadline=None)
@given(raw=st.binary(max_size=120) | shaped)
def test_bytes_of_strangers_raise_only_malformed(parser: Callable, raw: bytes) -> None:
    try:
        parser(raw)
    except Malformed as error:
        assert str(error)


@pytest.mark.parametrize("parser", OF_ITEMS, ids=_name)
@settings(max_examples=120, deadline=None)
@given(item=items)
def test_items_of_strangers_raise_only_malformed(parser: Callable, item: rlp.Decoded) -> None:
    try:
        parser(item)
    except Malformed as error:
        assert str(error)


FAMILIES = {"threshold.group"}
"""Modules whose parsers are methods of each of their kinds; the kinds are listed above."""


def _declared() -> Iterator[tuple[str, str]]:
    """Give module and name of what reads bytes or an item alone, and says it raises Malformed."""
    root = Path(keymoot.__file__).parent
    for path in sorted(root.rglob("*.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        tree = ast.parse(path.read_text())
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for prefix, owner in [("", tree), *((f"{one.name}.", one) for one in classes)]:
            for node in owner.body:
                if isinstance(node, ast.FunctionDef) and _parses(node) and module not in FAMILIES:
                    yield module, prefix + node.name


def _parses(node: ast.FunctionDef) -> bool:
    told = [one.annotation for one in node.args.args if one.arg not in {"self", "cls"}]
    takes = len(told) == 1 and told[0] is not None and ast.unparse(told[0])
    reads = node.name.startswith(("decode", "read")) and takes in {"bytes", "rlp.Decoded"}
    return reads and "Malformed:" in (ast.get_docstring(node) or "")


def test_every_parser_is_listed_here() -> None:
    listed = set()
    for parser in OF_BYTES + OF_ITEMS:
        whole: Any = parser.func if isinstance(parser, partial) else parser
        listed.add((whole.__module__.removeprefix("keymoot."), whole.__qualname__))
    assert sorted(set(_declared()) - listed) == []
