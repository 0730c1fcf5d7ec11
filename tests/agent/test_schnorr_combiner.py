"""Shares of an Ed25519 signature among lying enclaves: one of them never stops it."""

from dataclasses import dataclass, replace

import pytest
from nacl.signing import VerifyKey

from keymoot.agent.proven_state import ProvenState
from keymoot.agent.schnorr_combiner import SchnorrCombiner
from keymoot.agent.share_collection import CollectedAnswers, TooFewShares
from keymoot.agent.signable import AskedRequest, Ed25519Signable
from keymoot.base import hexes, rlp
from keymoot.base.fixed import Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.binding import FrostBinding
from keymoot.committee.nonces.record import SignerCommitment, SignerCommitments
from keymoot.committee.outcome import signing_of
from keymoot.committee.reshare.record import Epoch
from keymoot.committee.roots import EDDSA
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.proof.committee import ProvenCommittee
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment
from tests.agent.sealed_answers import IDENTITIES, sealed_answer
from tests.proof.world import World
from tests.threshold.parties import known_root

NETWORK, WALLET = NetworkId(b"n" * 32), WalletId(b"w" * 32)
KEY, REPLY = Hash32(b"k" * 32), Secret(b"r" * 32)
MESSAGE = b"send one lamport to somebody"
COMMITTEE = Committee.of(4)


@dataclass
class Request:
    """A request that seats 1, 2 and 3 sign."""

    def __post_init__(self):
        _, self.root, shares = known_root(EDWARDS25519, 4, 2)
        nonces = {
            at: frost.commit(ED25519, shares[at], (Secret(bytes([at]) * 32), Secret(b"b" * 32)))
            for at in (1, 2, 3)
        }
        self.slots = tuple(SignerCommitment(at, 7, one.commitment) for at, one in nonces.items())
        self.work = signing_of(self.root, NETWORK, WALLET, FrostBinding(self.slots, MESSAGE))
        self.shares = {at: frost.sign(self.work, shares[at], nonces[at]) for at in nonces}
        self.answers = {at: self.answer(at) for at in nonces}

    @property
    def schnorr(self):
        public = Bytes32(EDWARDS25519.encode(self.work.public))
        nodes = {at: ed25519.public_key(one) for at, one in IDENTITIES.items()}
        return SchnorrCombiner(
            NETWORK, KEY, nodes, REPLY, WALLET, public, MESSAGE, self.slots, self.root
        )

    def answer(self, seat, share=None, digest=None):
        """Answer as a seat does, or as one that lies."""
        encode = EDWARDS25519.encode
        number = self.shares.get(seat, 5) if share is None else share
        scalar = EDWARDS25519.encode_scalar(number)
        name = digest or keccak256(MESSAGE)
        content = rlp.encode([name, encode(self.work.nonce), encode(self.work.public), scalar])
        return sealed_answer(NETWORK, KEY, REPLY, seat, content)

    def combined(self, answers):
        released = self.schnorr.combine(list(answers), COMMITTEE)
        VerifyKey(bytes(self.schnorr.public)).verify(MESSAGE, released.signature)
        return released


@pytest.fixture
def request_():
    return Request()


def test_the_signers_shares_make_the_signature(request_):
    assert request_.combined(request_.answers.values()).digest == keccak256(MESSAGE)


def test_who_is_no_signer_and_answers_all_the_same_stops_nothing(request_):
    assert request_.combined([request_.answer(4), *request_.answers.values()])


@pytest.mark.parametrize("seats", [{1}, {3}, {1, 2, 3}])
def test_signers_that_name_another_digest_beside_good_shares_stop_nothing(request_, seats):
    other = {at: request_.answer(at, digest=Hash32(b"x" * 32)) for at in seats}
    answers = request_.answers | other
    assert request_.combined(answers.values()).digest == keccak256(MESSAGE)


def test_a_bad_share_and_silence_name_their_seats(request_):
    bad = request_.answers | {2: request_.answer(2, share=9)}
    with pytest.raises(TooFewShares) as error:
        request_.combined(bad.values())
    assert error.value.silent == {2}
    with pytest.raises(TooFewShares) as error:
        request_.combined([request_.answers[1], request_.answers[2]])
    assert error.value.silent == {3}


def test_over_a_commitment_that_is_no_point_its_seat_is_named_and_not_the_honest(request_):
    no_point = replace(request_.slots[1], commitment=Commitment(b"\x02" * 32, b"\x02" * 32))
    request_.slots = (request_.slots[0], no_point, request_.slots[2])
    said = {"code": "CHEATED", "message": "the request cannot be answered"}
    with pytest.raises(TooFewShares) as error:
        request_.schnorr.combine([said | {"seat": at} for at in (1, 3)], COMMITTEE)
    assert error.value.silent == {2}


@pytest.mark.parametrize(
    ("since", "seen", "height", "named"),
    [
        (9, 10, 10, {2}),
        (9, 30, 10, {2}),
        # Another epoch has begun since, or may have, or nobody says.
        (20, 30, 10, set()),
        (10, 30, 10, set()),
        (9, 9, 10, set()),
        (9, 30, None, set()),
        (9, 30, "10", set()),
    ],
)
def test_under_the_root_of_another_epoch_nobody_is_named(request_, since, seen, height, named):
    own = request_.root
    root = own if since < 10 else replace(own, shares=own.shares[::-1])
    plain, answers = request_.schnorr, request_.answers | {2: request_.answer(2, share=9)}
    world = World()
    seats = {at: replace(world.seat(at), identity=one) for at, one in plain.nodes.items()}
    committee = ProvenCommittee(
        replace(world.block(), height=Height(seen)),
        world.head,
        Epoch(1, Height(since), UnixSeconds(5)),
        seats,
        {EDDSA: root},
    )
    wanted = Ed25519Signable(WALLET, plain.public, MESSAGE)
    asked = AskedRequest(NETWORK, KEY, ProvenState(NETWORK), REPLY)
    answer = {
        "signers": hexes.data(SignerCommitments(tuple(request_.slots)).encode()),
        "height": height,
    }
    with pytest.raises(TooFewShares) as error:
        wanted.gathering(asked, committee, answer).run(answer | {"answers": list(answers.values())})
    assert error.value.silent == named


def test_shares_that_came_by_several_nodes_add_up(request_):
    kept, schnorr, answers = CollectedAnswers(), request_.schnorr, request_.answers
    with pytest.raises(TooFewShares):
        schnorr.run({"answers": [answers[1], answers[2]]}, kept)
    # One that names false signers spoils its own turn only: the share that it brought stays.
    false = replace(schnorr, slots=schnorr.slots[:1])
    with pytest.raises(TooFewShares):
        false.run({"answers": [answers[3]]}, kept)
    assert schnorr.run({"answers": []}, kept).digest == keccak256(MESSAGE)
    assert schnorr.run({"lost": True, "answers": []}, kept).digest == keccak256(MESSAGE)
    with pytest.raises(TooFewShares, match="is lost"):
        schnorr.run({"lost": True, "answers": []}, CollectedAnswers())
