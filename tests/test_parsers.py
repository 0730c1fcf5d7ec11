"""Every parser of bytes: strangers' bytes raise Malformed and nothing else; ours come back."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import keymoot
from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.credential import Credential
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.eventlog import read_dstack, read_log
from keymoot.attest.nitro import NitroEvidence, read_envelope
from keymoot.attest.quote import read_quote
from keymoot.attest.snp import AmdChain, SnpEvidence
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.request import decode_request
from keymoot.base.transaction import decode_signed, decode_unsigned
from keymoot.committee.attestation import Attestation
from keymoot.committee.certified import CertifiedHeader
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.committee.keygen.record import Keygen, RootHashes, RootOpenings, RootVerdict
from keymoot.committee.membership.record import JoinBody, MembershipRecord, Newcomer
from keymoot.committee.messages import AttemptBody, NodeMessage, NumberedBody
from keymoot.committee.nonces.record import (
    NonceBatch,
    NoncePool,
    SeatBits,
    SignerCommitment,
    SignerCommitments,
)
from keymoot.committee.presign.inventory import Inventory
from keymoot.committee.presign.record import (
    BatchComplaint,
    BatchPage,
    PresignatureId,
)
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.recovery.order import SignedRecoveryOrder
from keymoot.committee.reshare.record import Epoch, KeptEpoch, Origin, RootDealings
from keymoot.committee.seat import NewSession, Seat, SessionKeys
from keymoot.committee.statekey.record import (
    AnswerBody,
    Ask,
    AskBody,
    FormerVersions,
    HeldBody,
    StateKeyStatus,
)
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import App, Entries, Instance, SeatedInstances
from keymoot.contracts.builtin.keys import Question
from keymoot.contracts.builtin.wallets import queue
from keymoot.contracts.builtin.wallets.record import RequestRecord
from keymoot.contracts.builtin.wallets.wallet import Book, GrantedCredential, SignedNonce, Wallet
from keymoot.crypto.signed_query import SignedQuery
from keymoot.daemon.cbor import decode as decode_cbor
from keymoot.enclave import messages
from keymoot.engine.stored_block import StoredBlock
from keymoot.image.bundle import Bundle
from keymoot.image.manifest import parse_manifest
from keymoot.policy.chains.solana.message import decode_message, message_of_transaction
from keymoot.policy.held import Reservation
from keymoot.policy.limit import Usage
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from keymoot.runtime.block import Block
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.receipt import Log, Receipt
from keymoot.store.account import AccountState
from keymoot.store.header import Header
from keymoot.store.nodes import decode_node
from keymoot.store.questions import read_question
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.derived import DerivationShare as DerivedAnswer
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
from tests.examples import of

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
    KeptEpoch.decode,
    read_question,
    Receipt.decode,
    RequestRecord.decode,
    Wallet.decode,
    Book.decode,
    GrantedCredential.decode,
    SignedNonce.decode,
    AccountState.decode,
    decode_node,
    queue.Waiting.decode,
    queue.read,
    SignedQuery.decode,
    Credential.decode,
    messages.parse,
    NodeMessage.decode,
    SignedRecoveryOrder.decode,
    Seat.decode,
    CommitteeRecord.decode,
    Keygen.decode,
    Epoch.decode,
    Origin.decode,
    MembershipRecord.decode,
    Attestation.decode,
    DcapCollateral.decode,
    DcapCollateral.of_json,
    DcapEvidence.decode,
    NitroEvidence.decode,
    SnpEvidence.decode,
    AmdChain.decode,
    App.decode,
    AppPolicy.decode,
    Entries.decode,
    Instance.decode,
    SeatedInstances.decode,
    SecretEnvelope.decode,
    decode_cbor,
    Bundle.read,
    parse_manifest,
    read_dstack,
    read_envelope,
    read_log,
    read_quote,
    JoinBody.decode,
    Inventory.decode,
    BatchPage.decode,
    PresignatureId.decode,
    Question.decode,
    NewSession.decode,
    RootHashes,
    RootOpenings.decode,
    RootVerdict.decode,
    RootDealings.decode,
    AttemptBody.decode,
    NumberedBody.decode,
    BatchComplaint.decode,
    SignerCommitment.decode,
    NoncePool.decode,
    SignerCommitments.decode,
    NonceBatch,
    SeatBits,
    StateKeyStatus.decode,
    Ask.decode,
    AskBody.decode,
    FormerVersions.decode,
    AnswerBody.decode,
    HeldBody.decode,
    SECP256K1.decode,
    EDWARDS25519.decode,
    G1.decode,
    G2.decode,
    SECP256K1.decode_wide,
    SECP256K1.decode_all,
    SECP256K1.decode_scalar,
    SECP256K1.decode_secret,
    SignatureShare.decode,
    ProductsProof.decode,
    partial(Proof.decode, SECP256K1),
    partial(read_share, SECP256K1),
]

OF_ITEMS: list[Callable[[rlp.Decoded], Any]] = [
    Usage.decode,
    Reservation.of_item,
    Log.of_item,
    *FRAMES,
    ExecutedQuery.of_item,
    QueryResult.of_item,
    SessionKeys.of_item,
    Newcomer.of_item,
    messages.EnclaveGreeting.of_item,
    Envelope.of_item,
    Complaint.of_item,
    Dealing.of_item,
    Opening.of_item,
    FirstDealing.of_item,
    SecondDealing.of_item,
    Commitment.of_item,
    DerivedAnswer.of_item,
    partial(Root.decode, SECP256K1),
]


def _name(parser: Callable) -> str:
    parser = parser.func if isinstance(parser, partial) else parser
    owner = getattr(parser, "__self__", None)
    kind = owner if isinstance(owner, type) else type(owner)
    return f"{kind.__name__}.{parser.__name__}" if owner else parser.__qualname__


items = st.recursive(st.binary(max_size=40), lambda inner: st.lists(inner, max_size=6))
shaped = st.lists(items, min_size=1, max_size=17).map(rlp.encode)


def reads_or_refuses(parser: Callable[[Any], Any], given: Any) -> None:
    try:
        parser(given)
    except Malformed as error:
        assert str(error)
    except Exception as error:
        error.add_note(f"{_name(parser)} was given {given!r}")
        raise


@settings(max_examples=of(quick=100, thorough=600), deadline=None)
@given(raw=st.binary(max_size=120) | shaped)
def test_bytes_of_strangers_raise_only_malformed(raw: bytes) -> None:
    for parser in OF_BYTES:
        reads_or_refuses(parser, raw)


@settings(max_examples=of(quick=100, thorough=600), deadline=None)
@given(item=items)
def test_items_of_strangers_raise_only_malformed(item: rlp.Decoded) -> None:
    for parser in OF_ITEMS:
        reads_or_refuses(parser, item)


FAMILIES = {"threshold.group"}
"""Modules whose parsers are methods of each of their kinds; the kinds are listed above."""

CALLS = {("contracts.framework.contract", f"Method.{name}") for name in ("decode", "decode_result")}
"""Arguments and results of a call, by the method's types: tests/contracts/framework has them."""


def _declared() -> Iterator[tuple[str, str]]:
    """Give module and name of what reads bytes or an item alone, by its name and its types."""
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
    named = re.match(r"(decode|read)(_|$)", node.name)
    return bool(named) and takes in {"bytes", "rlp.Decoded"}


def test_every_parser_is_listed_here() -> None:
    listed = set()
    for parser in OF_BYTES + OF_ITEMS:
        whole: Any = parser.func if isinstance(parser, partial) else parser
        listed.add((whole.__module__.removeprefix("keymoot."), whole.__qualname__))
    assert sorted(set(_declared()) - listed - CALLS) == []
