"""One record of every class that has a canonical form; nothing is empty that may hold more."""

from typing import Any

from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.machines import MachineDemands
from keymoot.attest.nitro import NitroEvidence
from keymoot.attest.snp import AmdChain, SnpEvidence
from keymoot.base.fixed import (
    Address,
    AppId,
    Bytes32,
    Hash32,
    Measurement,
    NetworkId,
    RequestId,
    SolanaAddress,
    WalletId,
)
from keymoot.base.units import ChainId, Gas, Height, Nonce, Seconds, UnixNanos, UnixSeconds, Wei
from keymoot.committee.attestation import Attestation, NodeDemands
from keymoot.committee.certified import CertifiedHeader
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Founder, Genesis, Member, NodeAdmission
from keymoot.committee.keygen.record import (
    Keygen,
    Phase,
    RootComplaint,
    RootHashes,
    RootOpenings,
    RootVerdict,
)
from keymoot.committee.membership.record import JoinBody, MembershipRecord, Newcomer
from keymoot.committee.messages import AttemptBody, Kind, NodeMessage, NumberedBody
from keymoot.committee.nonces.record import NoncePool, SignerCommitment, SignerCommitments
from keymoot.committee.presign.inventory import Inventory
from keymoot.committee.presign.record import SECOND, BatchComplaint, BatchPage, BatchStage
from keymoot.committee.record import Cheat, CommitteeRecord
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.reshare.record import Epoch, EpochStage, KeptEpoch, Origin, RootDealings
from keymoot.committee.roots import ROOTS
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
from keymoot.contracts.builtin.wallets.record import AGENT, BOUND, AskingInstance, RequestRecord
from keymoot.contracts.builtin.wallets.wallet import (
    BY_COMMITTEE,
    Book,
    GrantedCredential,
    SignedNonce,
    Wallet,
)
from keymoot.enclave.answer import RequestAnswer as Given
from keymoot.enclave.frames import (
    BeginFrame,
    CertifiedPlace,
    CertifyFrame,
    OutcomeFrame,
    ReleasedFrame,
    RequestsFrame,
    WatchFrame,
)
from keymoot.enclave.messages import AnswersFrame, EnclaveGreeting, Frame, JoinFrame, ToldFrame
from keymoot.engine.stored_block import Erased, StoredBlock
from keymoot.policy.held import Reservation
from keymoot.policy.limit import Usage
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from keymoot.runtime.block import Block
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.receipt import Log, Receipt
from keymoot.runtime.vote import Vote
from keymoot.store.account import AccountState
from keymoot.store.header import Header
from keymoot.store.keys import Former
from keymoot.store.questions import EntryQuestion, PathQuestion
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.derived import DerivationShare
from keymoot.threshold.dkg import Opening
from keymoot.threshold.envelope import Complaint, Envelope
from keymoot.threshold.first_round import FirstDealing
from keymoot.threshold.frost import Commitment
from keymoot.threshold.second_round import SecondDealing
from keymoot.threshold.secp256k1 import SECP256K1

POINT, OTHER_POINT = (
    SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(bytes(31) + b))) for b in (b"\x05", b"\x07")
)


def _h(byte: int) -> Hash32:
    return Hash32(bytes((byte,)) * 32)


def _b(byte: int) -> Bytes32:
    return Bytes32(bytes((byte,)) * 32)


def _a(byte: int) -> Address:
    return Address(bytes((byte,)) * 20)


LOG = Log(_a(1), (_b(2), _b(3)), b"data")
RECEIPT = Receipt(
    _h(1),
    _a(2),
    _a(3),
    1,
    Gas(21_000),
    Wei(10**9),
    (LOG, LOG),
    b"output",
    "NOT_OWNER",
    "for öwners",
)
HEADER = Header(
    parent_hash=_h(1),
    state_root=_h(2),
    transactions_root=_h(3),
    receipts_root=_h(4),
    logs_bloom=b"\x11" * 256,
    height=Height(300),
    gas_limit=Gas(30_000_000),
    gas_used=Gas(21_000),
    time=UnixSeconds(1_800_000_000),
    generation=_h(5),
    mix_hash=_h(6),
    base_fee=Wei(10**9),
)
BOOT = SessionKeys(_b(7), POINT)
ENVELOPE = Envelope(POINT, b"\x01" * 64, (b"", b"box", b"another box"))
DEALING = Dealing((POINT, OTHER_POINT), ENVELOPE)
COMPLAINT = Complaint(2, 3, POINT, b"\x02" * 64)
COMMITMENT = Commitment(b"\x03" * 32, b"\x04" * 33)
OPENING = Opening(DEALING, b"\x01" * 64)
ANSWER = DerivationShare(b"\x05" * 48, b"\x06" * 48)
SLOT = SignerCommitment(3, 70_000, COMMITMENT)
NEWCOMER = Newcomer(_b(8), OTHER_POINT, BOOT)
EPOCH = Epoch(
    number=300,
    since_height=Height(7),
    since_time=UnixSeconds(1_800_000_000),
    stage=EpochStage.VERDICTS,
    stage_height=Height(9),
    stage_time=UnixSeconds(1_800_000_100),
    attempt=1,
    wants=frozenset({1, 2, 40}),
    said=frozenset({3}),
    out=frozenset({2}),
    keys=(POINT, b"", OTHER_POINT),
    votes={3: bytes(_h(1)), 1: bytes(_h(2))},
    generation=_h(9),
)
ORIGIN = Origin(_h(1), 2, Committee.among({1, 2, 4, 5}))
CERTIFICATE = RecoveryOrder(NetworkId(_h(1)), _h(2), Height(9), _h(3), {3: BOOT, 1: BOOT})
NODE_DEMANDS = NodeDemands(("snp", "tdx"), MachineDemands(("SWHardeningNeeded",)), 2)
MEMBER = Member(_b(1), Founder(_b(1), POINT, BOOT))
USAGE = Usage(((UnixSeconds(100), 5), (UnixSeconds(200), 70_000)), Seconds(3_600), UnixSeconds(50))
RESERVATION = Reservation("daily", 10**18, UnixSeconds(100))
GIVEN = Given(_h(1), b"sealed", b"s" * 64, "EXPIRED", "too late")
SEALED_PLACE = CertifiedPlace(b"record", b"header", b"\x01" * 48)

POLICY = AppPolicy(
    measurements=(Measurement(b"m" * 48), Measurement(b"n" * 48)),
    vendors=("nitro", "snp"),
    lifetime_seconds=Seconds(3_600),
    raw_keys=False,
    tcb_statuses=("SWHardeningNeeded", "UpToDate"),
    advisories=("INTEL-SA-00289",),
    tcb_parts={"microcode": 219, "snp": 23},
    chips=(b"c" * 16, b"d" * 64),
    endorsers=(_b(1), _b(2)),
    most_per_maker=3,
)

SAMPLES: tuple[Any, ...] = (
    LOG,
    RECEIPT,
    HEADER,
    ExecutedQuery(Height(3), _a(1), b"call", Gas(50_000)),
    QueryResult(Height(3), b"output", "REVERT", "no", b"data"),
    Block(Height(3), UnixSeconds(1_800_000_000), (b"one", b"two")),
    Outcome(HEADER, (RECEIPT,), {b"b": b"value", b"a": None}),
    AccountState(Nonce(3), Wei(10**20), _h(1), _h(2)),
    EntryQuestion(Height(3), b"key"),
    PathQuestion(Height(3), b"prefix", bytes((1, 2, 15)), 2),
    StoredBlock(HEADER, (b"\x02transaction", Erased(_h(1), 70_000))),
    EnclaveGreeting(_b(1), Measurement(b"m" * 48), True, bytes(_h(2)), b"quote", POINT, BOOT),
    Vote(_h(1), b"\x01" * 48, b"\x02" * 64),
    ReleasedFrame(Height(3), (b"one", b""), (GIVEN,)),
    SEALED_PLACE,
    WatchFrame(CertifiedPlace(b"record", b"header", bytes(48)), {b"b": b"2", b"a": b"1"}),
    CertifyFrame(height=Height(7), proof=b"p" * 48, want=Disclosure.OUTCOMES, rests=True),
    OutcomeFrame(height=Height(7), want=Disclosure.DIGESTS),
    JoinFrame(genesis=b"genesis", seat=3),
    Wallet(_a(1), _a(2), SolanaAddress(_h(3)), True, 7, _h(4), UnixSeconds(5), BY_COMMITTEE),
    Book(10**18, 7, {"weekly": USAGE, "daily": Usage()}),
    GrantedCredential(UnixSeconds(1), UnixSeconds(2), True),
    SignedNonce(UnixSeconds(1), Height(2), (RESERVATION,)),
    RequestRecord(
        wallet=WalletId(_h(1)),
        index=3,
        requester=_a(2),
        kind=AGENT,
        request_id=RequestId(_h(3)),
        body=_h(4),
        height=Height(5),
        time=UnixSeconds(6),
        expires_at=UnixSeconds(7),
        status=BOUND,
        method="personal_sign",
        payload=b"payload",
        digest=_h(8),
        reply_key=_b(9),
        policy_version=10,
        rule="small",
        outcome=b"{}",
        bound_to=b"slots",
        bound_at=Height(11),
        without=b"\x01" * 8,
    ),
    AskingInstance(AppId(b"a" * 21), Measurement(b"m" * 48)),
    POLICY,
    POLICY.machines,
    App(_a(1), _a(2), POLICY, 7, 5, _b(3), UnixSeconds(4), True),
    Instance(
        AppId(b"a" * 21),
        _b(1),
        Measurement(b"m" * 48),
        "snp",
        7,
        UnixSeconds(2),
        UnixSeconds(3),
        Height(4),
        True,
    ),
    SeatedInstances((_a(1), _a(2))),
    Entries({"name": b"value", "other": b"x"}),
    Question(_a(1), Height(2), UnixSeconds(3)),
    USAGE,
    RESERVATION,
    DcapEvidence(b"quote"),
    SnpEvidence(b"r" * 1_184, b"certificate"),
    AmdChain(b"signer", b"root"),
    NitroEvidence(b"document"),
    DcapCollateral(
        (b"a", b"b"), b"root crl", b"crl", (b"c",), b"{}", b"\x01" * 64, (), b"[]", b"\x02" * 64
    ),
    NODE_DEMANDS,
    NodeAdmission(NODE_DEMANDS, (b"chain",), (b"lists", b"others")),
    Attestation((Measurement(b"a" * 48), Measurement(b"b" * 48)), simulated=True),
    CERTIFICATE,
    SignedRecoveryOrder(CERTIFICATE, {3: b"\x01" * 64, 1: b"\x02" * 64}),
    StateKeyStatus(
        1,
        _b(1),
        Height(2),
        frozenset({1, 2}),
        3,
        frozenset({3}),
        frozenset({4, 300}),
        True,
    ),
    Ask(
        3,
        G1.encode(G1.generator),
        G2.encode(G2.generator),
        {2: ANSWER, 1: ANSWER},
        frozenset({3}),
    ),
    FoundingRecord(
        NetworkId(_h(1)),
        Height(2),
        _h(3),
        {kind.name: kind.group.encode(kind.group.generator) for kind in ROOTS},
        {2: b"\x01" * 64, 1: b"\x02" * 64},
    ),
    BatchPage(
        1,
        64,
        BatchStage.ACKS,
        Height(2),
        UnixSeconds(3),
        (POINT, b"", OTHER_POINT),
        (3, 1),
        (2,),
        (1, 3),
    ),
    CommitteeRecord(
        (1, 2, 4), _h(1), 2, frozenset({4}), (Cheat(4, Height(3), "lied"),), 3_600, Height(9)
    ),
    NEWCOMER,
    MembershipRecord(
        {_b(2): frozenset({1, 2}), _b(1): frozenset({3})},
        {4: frozenset({1}), 3: frozenset({1, 2})},
        (4, 3),
        {5: NEWCOMER},
    ),
    EPOCH,
    ORIGIN,
    BOOT,
    Seat(_b(1), POINT, BOOT, Height(3), OTHER_POINT),
    Inventory(9, (8,), (6, 7), (1_800_000_000,), 500, (2, 1), 17),
    CertifiedHeader(HEADER, b"\x01" * 48),
    KeptEpoch(EPOCH, (1, 2, 3), bytes(_h(1)), ORIGIN, frozenset({1, 3})),
    NoncePool(3, 64),
    Keygen(
        Phase.VERDICTS,
        1,
        Height(2),
        UnixSeconds(3),
        frozenset({1}),
        {2: RootHashes(b"\x02" * RootHashes.LENGTH), 1: RootHashes(bytes(RootHashes.LENGTH))},
        frozenset({4}),
        {1: _h(3)},
    ),
    MEMBER,
    Genesis(
        ChainId(0x5AFD),
        True,
        Wei(10**9),
        UnixNanos(1_800_000_000_000_000_000),
        (MEMBER, Member(_b(2))),
        ((_a(1), Wei(10**24)), (_a(2), Wei(1))),
        60,
        (Measurement(b"a" * 48),),
    ),
    FirstDealing((b"masked",), (b"plain",), ENVELOPE),
    SecondDealing((b"products",), b"proof", ENVELOPE),
    ENVELOPE,
    COMPLAINT,
    DEALING,
    OPENING,
    COMMITMENT,
    ANSWER,
    SLOT,
    Cheat(4, Height(3), "lied"),
    GIVEN,
    NumberedBody(300, b"content"),
    AttemptBody(300, 2, b"content"),
    NodeMessage(NetworkId(_h(1)), _h(2), 3, Kind.ACK, b"body", b"s" * 64),
    RootOpenings((OPENING,) * len(ROOTS)),
    RootComplaint(3, COMPLAINT),
    RootVerdict((RootComplaint(0, COMPLAINT), RootComplaint(3, COMPLAINT))),
    RootDealings((DEALING,) * len(ROOTS)),
    NewSession(BOOT.signing, BOOT),
    JoinBody(NEWCOMER, b"evidence"),
    BatchComplaint(300, SECOND, 3, COMPLAINT),
    AskBody(3, 2, _b(1), G1.encode(G1.generator), G2.encode(G2.generator), b"s" * 64),
    AnswerBody(_b(1), 3, 300, ANSWER),
    HeldBody(_b(1)),
    Former(_b(1), b"w" * 48),
    FormerVersions((Former(_b(1), b"w" * 48), Former(_b(2), b""))),
    SignerCommitments((SLOT, SignerCommitment(4, 1, COMMITMENT))),
    Frame(300, "word", [b"a", [b"b"]]),
    BeginFrame(SEALED_PLACE),
    RequestsFrame((_h(1), _h(2))),
    AnswersFrame((GIVEN, GIVEN)),
    ToldFrame(yes=True),
)
