"""Boxes, complaints, and the attack of the copied ephemeral point."""

from dataclasses import replace

import pytest

from keymoot.crypto.sealing import SealBroken
from keymoot.threshold import envelope as boxes
from keymoot.threshold.errors import Cheated
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import Parties, rng, session

CONTENT = {at: bytes((at,)) * 40 for at in range(1, 5)}


@pytest.fixture
def parties():
    return Parties(4)


def sealed(parties, dealer=1, where=None):
    return boxes.seal(where or session(), dealer, parties.keys, CONTENT, rng())


def opened(parties, envelope, index, dealer=1, where=None):
    return boxes.open_box(
        where or session(), dealer, index, parties.secrets[index], parties.keys[index], envelope
    ).expose()


def dispute(parties, envelope, accuser=2, dealer=1):
    return boxes.complain(
        session(),
        dealer,
        accuser,
        parties.secrets[accuser],
        parties.keys[accuser],
        envelope,
        rng(),
    )


def test_everyone_opens_his_own(parties):
    envelope = sealed(parties)
    boxes.check(session(), 1, envelope, parties.keys)
    for index in parties.keys:
        assert opened(parties, envelope, index) == CONTENT[index]


def test_gaps_have_empty_boxes_and_everyone_finds_his_own():
    parties = Parties(indices=(2, 3, 5, 64))
    content = {at: bytes([at]) * 32 for at in parties.keys}
    envelope = boxes.seal(session(), 2, parties.keys, content, rng())
    boxes.check(session(), 2, envelope, parties.keys)
    assert [at for at, box in enumerate(envelope.boxes, 1) if box] == [2, 3, 5, 64]
    for index in parties.keys:
        assert opened(parties, envelope, index, dealer=2) == content[index]
    # nothing goes to somebody who is no recipient
    filled = replace(envelope, boxes=(b"x", *envelope.boxes[1:]))
    with pytest.raises(Cheated, match="no recipient"):
        boxes.check(session(), 2, filled, parties.keys)


def test_no_other_key_place_or_session_opens_a_box(parties):
    envelope = sealed(parties)
    moved = replace(envelope, boxes=(envelope.boxes[1], *envelope.boxes[1:]))
    with pytest.raises(SealBroken):
        opened(parties, moved, 1)
    with pytest.raises(SealBroken):
        opened(parties, envelope, 1, dealer=2)
    with pytest.raises(SealBroken):
        opened(parties, envelope, 1, where=session("another"))
    with pytest.raises(SealBroken):
        boxes.open_box(session(), 1, 1, parties.secrets[2], parties.keys[1], envelope)


def test_two_dealings_never_share_an_ephemeral_point(parties):
    assert sealed(parties).ephemeral != sealed(parties).ephemeral


def test_a_copied_envelope_is_refused_before_it_opens_anything(parties):
    """The attack: copy an honest dealer's ephemeral point, send garbage under it, and have
    the recipient's complaint reveal the shared point that opens the honest dealer's box."""
    honest = sealed(parties, dealer=1)
    copied = replace(honest, boxes=tuple(b"\0" * 56 for _ in range(4)))
    with pytest.raises(Cheated) as caught:
        boxes.check(session(), 3, copied, parties.keys)
    assert caught.value.party == 3
    # without the check the attack works: the shared point is the same one
    naive = boxes.complain(session(), 3, 2, parties.secrets[2], parties.keys[2], copied, rng())
    mine = dispute(parties, honest, accuser=2)
    assert naive.shared == mine.shared
    # an envelope of another session is as worthless
    with pytest.raises(Cheated):
        boxes.check(session("later"), 1, honest, parties.keys)


def test_a_complaint_opens_that_box_and_no_other(parties):
    envelope = sealed(parties)
    complaint = dispute(parties, envelope, accuser=2)
    public = parties.keys[2]
    assert boxes.open_complaint(session(), complaint, public, envelope).expose() == CONTENT[2]
    for other in (1, 3, 4):
        forged = replace(complaint, accuser=other)
        with pytest.raises(Cheated) as caught:
            boxes.open_complaint(session(), forged, parties.keys[other], envelope)
        assert caught.value.party == other
    another = sealed(parties)
    with pytest.raises(Cheated):
        boxes.open_complaint(session(), complaint, public, another)


def test_a_complaint_with_a_wrong_point_blames_the_accuser(parties):
    envelope = sealed(parties)
    complaint = dispute(parties, envelope)
    wrong = SECP256K1.encode(SECP256K1.base_public(7))
    for changed in (
        replace(complaint, shared=wrong),
        replace(complaint, shared=bytes(33)),
        replace(complaint, proof=bytes(64)),
        replace(complaint, proof=b"\xff" * 64),
    ):
        with pytest.raises(Cheated) as caught:
            boxes.open_complaint(session(), changed, parties.keys[2], envelope)
        assert caught.value.party == 2


def test_an_envelope_without_proof_point_or_boxes_blames_the_dealer(parties):
    envelope = sealed(parties)
    for changed in (
        replace(envelope, proof=bytes(64)),
        replace(envelope, ephemeral=bytes(33)),
        replace(envelope, ephemeral=SECP256K1.encode(SECP256K1.generator)),
        replace(envelope, boxes=envelope.boxes[:3]),
        replace(envelope, boxes=(*envelope.boxes, b"")),
    ):
        with pytest.raises(Cheated) as caught:
            boxes.check(session(), 1, changed, parties.keys)
        assert caught.value.party == 1
