"""The custodian believes a header only with its commit, and a state only with its proof."""

from dataclasses import replace

import pytest

from keymoot.attest.ballot import Ballot
from keymoot.attest.block import NO_EVIDENCE_HASH, Block, data_hash
from keymoot.attest.commit import NO_COMMIT, Commit, CommitSig, Flag, SignedHeader
from keymoot.attest.header import Header
from keymoot.attest.quorum import ForgedCommit, NotFinal
from keymoot.attest.validators import Ed25519Key
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, RequestId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, UnixNanos, UnixSeconds, Wei
from keymoot.crypto import ed25519, hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import recover, sign
from keymoot.crypto.transactions import request_digest, request_key
from keymoot.enclave.custody import SHARE_INFO, Custodian, StaleHeader
from keymoot.moot.genesis import BASE_FEE_WEI, Genesis, Member
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.release import gather
from keymoot.store.keys import StateKeys
from tests.runtime.people import AGENT, OWNER, Play, payment

CONSENSUS, IDENTITY = Secret(b"v" * 32), Secret(b"i" * 32)
REPLY = Secret(b"r" * 32)


def genesis_with(consensus: Secret) -> Genesis:
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=UnixNanos(1_800_000_000 * 10**9),
        members=(
            Member(Ed25519Key(ed25519.public_key(consensus)), ed25519.public_key(IDENTITY), 1),
        ),
        allocations=((OWNER.address, Wei(10**24)), (AGENT.address, Wei(10**24))),
    )


class Scene:
    """A chain in memory under a genesis, with headers signed over its states."""

    def __init__(self) -> None:
        self.genesis = genesis_with(CONSENSUS)
        chain = MemoryChain(balances=dict(self.genesis.allocations))
        chain.keys = StateKeys(Secret(b"k" * 32), self.genesis.network)
        chain.chain = replace(chain.chain, network=self.genesis.network)
        self.play = Play(chain).ready()
        self.voted = 10
        self.clock = chain.block.time
        self.custodian = Custodian(
            self.genesis,
            chain.keys,
            SigningKey(IDENTITY),
            lambda: UnixSeconds(self.clock),
            lambda: Height(self.voted),
            lambda _: self.genesis.validators(),
        )

    def ask(self, value: int = 5, reply: Bytes32 | None = None) -> Hash32:
        request = Request(
            network=self.genesis.network,
            wallet=self.play.wallet,
            request_id=RequestId(keccak256(b"id" + bytes([value]))),
            expires_at=UnixSeconds(self.play.chain.block.time + 300),
            method=SIGN_TRANSACTION,
            payload=payment(value).unsigned_bytes(),
            reply_key=reply or hpke.public_key(REPLY),
        )
        raw = request.signed_bytes(sign(AGENT.key, request_digest(request)))
        assert self.play.chain.send(raw).status == 1
        return request_key(AGENT.address, request.request_id)

    def header(self, height: int = 10, signer: Secret = CONSENSUS, **changes) -> SignedHeader:
        validators = self.genesis.validators()
        fields = {
            "version_app": 1,
            "chain_id": self.genesis.chain_text,
            "height": Height(height),
            "time": UnixNanos(self.play.chain.block.time * 10**9),
            "last_block_id": NO_COMMIT.block_id,
            "last_commit_hash": NO_COMMIT.hash(),
            "data_hash": data_hash([]),
            "validators_hash": validators.hash(),
            "next_validators_hash": validators.hash(),
            "consensus_hash": bytes(32),
            "app_hash": self.play.chain.root,
            "last_results_hash": bytes(32),
            "evidence_hash": NO_EVIDENCE_HASH,
            "proposer_address": validators.validators[0].address,
        }
        header = Header(**(fields | changes))
        block_id = Block(header, (), NO_COMMIT).block_id()
        ballot = Ballot(header.chain_id, header.height, 0, block_id, header.time)
        signature = ed25519.sign(signer, ballot.sign_bytes()[2])
        place = CommitSig(Flag.COMMIT, validators.validators[0].address, header.time, signature)
        return SignedHeader(header, Commit(header.height, 0, block_id, (place,)))

    def witness(self, key: Hash32) -> dict[bytes, bytes]:
        chain = self.play.chain
        surroundings = (chain.root, chain.block, chain.contracts, chain.keys)
        return gather(chain.table, *surroundings, [key], chain.block.time)[0]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def opened(scene: Scene, key: Hash32, sealed: bytes) -> tuple[bytes, bytes]:
    info = SHARE_INFO + scene.genesis.network
    digest, signature = rlp.decode(hpke.open_with(REPLY, sealed, info, key))
    return digest, signature


def test_a_bound_request_gets_a_sealed_and_signed_answer(scene: Scene) -> None:
    key = scene.ask()
    (answer,) = scene.custodian.answer(scene.header(), scene.witness(key), [key])
    assert answer.code == ""
    digest, signature = opened(scene, key, answer.sealed)
    from keymoot.base.fixed import Signature65

    assert recover(Hash32(digest), Signature65(signature)) == scene.play.account
    signed = keccak256(scene.genesis.network + key + answer.sealed)
    assert ed25519.verify(ed25519.public_key(IDENTITY), signed, answer.signature)
    assert signature not in answer.sealed
    with pytest.raises(Malformed):
        opened(scene, Hash32(b"x" * 32), answer.sealed)


def test_a_header_without_our_validators_signatures_releases_nothing(scene: Scene) -> None:
    key = scene.ask()
    witness = scene.witness(key)
    with pytest.raises(ForgedCommit):
        scene.custodian.answer(scene.header(signer=Secret(b"w" * 32)), witness, [key])
    honest = scene.header()
    with pytest.raises(NotFinal):
        other = replace(honest.header, app_hash=b"\1" * 32)
        scene.custodian.answer(SignedHeader(other, honest.commit), witness, [key])
    with pytest.raises(NotFinal):
        scene.custodian.answer(scene.header(chain_id="keymoot-other"), witness, [key])


def test_another_genesis_releases_nothing(scene: Scene) -> None:
    key = scene.ask()
    stranger = Secret(b"w" * 32)
    foreign = genesis_with(stranger)
    signed = scene.header(signer=stranger, validators_hash=foreign.validators().hash())
    with pytest.raises((NotFinal, ForgedCommit)):
        scene.custodian.answer(signed, scene.witness(key), [key])


def test_a_state_that_the_header_does_not_carry_is_not_believed(scene: Scene) -> None:
    key = scene.ask()
    witness = scene.witness(key)
    (answer,) = scene.custodian.answer(scene.header(app_hash=bytes(32)), witness, [key])
    assert (answer.code, answer.sealed) == ("BROKEN_STATE", b"")
    for entry in witness:
        broken = witness | {entry: witness[entry][:-1] + b"\0"}
        (answer,) = scene.custodian.answer(scene.header(), broken, [key])
        if witness[entry][-1:] != b"\0":
            assert (answer.code, answer.sealed) == ("BROKEN_STATE", b"")


def test_a_stale_header_is_refused(scene: Scene) -> None:
    key = scene.ask()
    signed, witness = scene.header(10), scene.witness(key)
    scene.voted = 14
    assert scene.custodian.answer(signed, witness, [key])[0].code == ""
    scene.voted = 15
    with pytest.raises(StaleHeader):
        scene.custodian.answer(signed, witness, [key])


def test_expiry_counts_by_the_later_of_ledger_and_own_clock(scene: Scene) -> None:
    key = scene.ask()
    scene.clock += 1_000
    (answer,) = scene.custodian.answer(scene.header(), scene.witness(key), [key])
    assert (answer.code, answer.sealed) == ("NOT_BOUND", b"")
    scene.clock -= 5_000
    (answer,) = scene.custodian.answer(scene.header(), scene.witness(key), [key])
    assert answer.code == ""


def test_requests_that_no_block_has_bound_get_nothing(scene: Scene) -> None:
    key = scene.ask()
    unknown = Hash32(b"u" * 32)
    witness = scene.witness(key) | scene.witness(unknown)
    answers = scene.custodian.answer(scene.header(), witness, [unknown, key])
    assert [answer.code for answer in answers] == ["NOT_BOUND", ""]


def test_a_reply_key_that_cannot_be_sealed_to_gets_no_signature(scene: Scene) -> None:
    key = scene.ask(7, reply=Bytes32(bytes(32)))
    (answer,) = scene.custodian.answer(scene.header(), scene.witness(key), [key])
    assert answer.sealed == b""
    assert answer.code
