"""Shares of an ECDSA signature among lying enclaves: one of them never stops it."""

from dataclasses import replace

import pytest

from keymoot.agent.ecdsa_combiner import EcdsaCombiner
from keymoot.agent.share_collection import CollectedAnswers, TooFewShares
from keymoot.base import rlp
from keymoot.base.fixed import Address, Hash32
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.crypto.secp256k1 import recover
from keymoot.threshold.committee import Committee
from keymoot.threshold.secp256k1 import SECP256K1
from tests.agent.sealed_answers import IDENTITIES, sealed_answer
from tests.threshold.parties import NETWORK
from tests.threshold.test_ecdsa import DIGEST, Wallet

KEY, REPLY = Hash32(b"k" * 32), Secret(b"r" * 32)
COMMITTEE = Committee.of(4)


class Request:
    """A request that four seats answer."""

    def __init__(self):
        self.wallet = Wallet(4, 1)
        self.work = self.wallet.task()
        self.shares = self.wallet.shares(self.work)
        nodes = {at: ed25519.public_key(one) for at, one in IDENTITIES.items()}
        self.assembling = EcdsaCombiner(NETWORK, KEY, nodes, REPLY, self.wallet.address)

    def answer(self, seat, share=None, digest=DIGEST, nonce=None, public=None):
        """Answer as a seat does, or as one that lies: signed by it and sealed to us."""
        encode = SECP256K1.encode
        content = [
            digest,
            nonce or encode(self.work.nonce),
            public or encode(self.work.public),
            (share or self.shares[seat]).encode(),
        ]
        return sealed_answer(NETWORK, KEY, REPLY, seat, rlp.encode(content))

    def lie(self, way, seat):
        share, other = self.shares[seat], SECP256K1.encode(SECP256K1.generator)
        changed = {
            "wrong share": {"share": replace(share, value=share.value ^ 1)},
            "zero share": {"share": replace(share, value=0, nonce=0)},
            "another's share": {"share": self.shares[seat % 4 + 1]},
            "another digest": {"digest": Hash32(b"x" * 32)},
            "another nonce": {"nonce": other},
            "no nonce": {"nonce": b"\x02" + b"\xff" * 32},
            "another key": {"public": other},
        }[way]
        return self.answer(seat, **changed)

    def signed(self, answers):
        released = self.assembling.combine(list(answers), COMMITTEE)
        assert released.digest == DIGEST
        assert recover(DIGEST, released.ecdsa()) == self.wallet.address


@pytest.fixture(scope="module")
def request_():
    return Request()


WAYS = [
    "wrong share",
    "zero share",
    "another's share",
    "another digest",
    "another nonce",
    "no nonce",
    "another key",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seat", [1, 2, 3, 4])
def test_one_that_signs_a_lie_stops_nothing(request_, way, seat):
    others = [request_.answer(at) for at in (1, 2, 3, 4) if at != seat]
    # It answers before all others, and one of them is silent.
    request_.signed([request_.lie(way, seat), *others[:2]])
    request_.signed([others[0], request_.lie(way, seat), others[2]])


@pytest.mark.parametrize("way", WAYS)
def test_one_good_share_is_never_enough(request_, way):
    lies = [request_.lie(way, seat) for seat in (1, 2, 3)]
    with pytest.raises(TooFewShares):
        request_.assembling.combine([*lies, request_.answer(4)], COMMITTEE)


def test_a_good_signature_of_another_wallet_is_none_of_ours(request_):
    other = replace(request_.assembling, address=Address(b"w" * 20))
    with pytest.raises(TooFewShares, match="another wallet"):
        other.combine([request_.answer(seat) for seat in (1, 2, 3, 4)], COMMITTEE)


def test_the_same_share_twice_is_one(request_):
    with pytest.raises(TooFewShares):
        request_.assembling.combine([request_.answer(2), request_.answer(2)], COMMITTEE)


def test_a_seat_that_says_many_things_takes_no_room_from_others(request_):
    kept, assembling = CollectedAnswers(), request_.assembling
    for at in range(20):
        share = replace(request_.shares[1], value=request_.shares[1].value ^ (at + 1))
        with pytest.raises(TooFewShares):
            assembling.run({"answers": [request_.answer(1, share)]}, kept)
    # What nobody of ours signed is not kept at all.
    with pytest.raises(TooFewShares):
        assembling.run({"answers": [request_.answer(2) | {"signature": "0x" + "00" * 64}]}, kept)
    assert len(kept.answers) == 4
    with pytest.raises(TooFewShares):
        assembling.run({"answers": [request_.answer(2)]}, kept)
    assert assembling.run({"answers": [request_.answer(3)]}, kept).digest == DIGEST
