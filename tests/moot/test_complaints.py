"""Complaints over dealings of a batch: whoever is wrong is named, dealer or accuser."""

import pytest

from keymoot.base import rlp
from keymoot.moot.body import FIRST, SECOND, read_numbered, write_complaint, write_numbered
from keymoot.moot.message import Kind
from keymoot.threshold.dice import Dice
from keymoot.threshold.envelope import Complaint, Envelope, complain
from keymoot.threshold.secp256k1 import SECP256K1
from tests.moot.town import Town


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_a_dealer_who_sends_garbage_is_named_and_deals_no_more(kind):
    town = Town()

    def spoil(seat, what, body):
        if seat == 2 and what is kind:
            number, content = read_numbered(body)
            item = rlp.decode(content)
            points = list(item[0])
            points[0] = points[1]
            item[0] = points
            return write_numbered(number, rlp.encode(item))
        return body

    town.spoil = spoil
    town.settle()
    for _ in range(4):
        town.pass_time(16)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {2}
    assert town.ledger.hall.head.out == {2}
    assert town.ledger.stock.left()


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_a_bad_box_names_its_dealer(kind):
    town = Town()

    def spoil(seat, what, body):
        if seat == 2 and what is kind:
            number, content = read_numbered(body)
            item = rlp.decode(content)
            boxes = list(item[2][2])
            boxes[3] = bytes(len(boxes[3]))
            item[2][2] = boxes
            return write_numbered(number, rlp.encode(item))
        return body

    town.spoil = spoil
    town.settle()
    for _ in range(4):
        town.pass_time(16)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {2}
    assert town.ledger.stock.left()


@pytest.mark.parametrize("holders", [{1, 2, 3}, {1}], ids=["ready", "dealt"])
def test_a_false_complaint_names_the_accuser_and_burns_nothing(holders):
    town = Town()
    # the others never say that their shares are good, so complaints may still come
    town.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat not in holders else body
    town.settle()
    stock = town.ledger.stock
    page = stock.batch(0)
    assert set(page.holders) == holders
    dealer = next(seat for seat in page.first if seat != 3)
    # in another's name it is not heard, or anybody could be put out
    frame = Complaint(1, dealer, SECP256K1.encode(SECP256K1.generator), bytes(64))
    framing = town.message(3, Kind.COMPLAIN, write_complaint(0, 1, dealer, frame))
    assert town.refusal(framing) == "Unwanted"
    assert not town.ledger.hall.head.cheats
    said = town.message(3, Kind.COMPLAIN, write_complaint(0, 1, dealer, None))
    assert town.refusal(said) == ""
    assert {one.seat for one in town.ledger.hall.head.cheats} == {3}
    assert stock.batch(0) == page
    assert town.refusal(said) == "Unwanted"


@pytest.mark.parametrize("round_", [FIRST, SECOND])
def test_a_proved_complaint_over_a_good_share_names_the_accuser(round_):
    town = Town()
    town.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    town.settle()
    stock = town.ledger.stock
    page = stock.batch(0)
    setting = stock.setting(page)
    dealer = next(seat for seat in (page.first, page.second)[round_ == SECOND] if seat != 3)
    item = rlp.decode(stock.dealing(0, round_, dealer))
    complaint = complain(
        setting.first if round_ == FIRST else setting.second,
        dealer,
        3,
        town.parties[3].presigner.sealing,
        setting.keys[3],
        Envelope.decode(item[2]),
        Dice(town.secret()),
    )
    said = town.message(3, Kind.COMPLAIN, write_complaint(0, round_, dealer, complaint))
    assert town.refusal(said) == ""
    (cheat,) = town.ledger.hall.head.cheats
    assert (cheat.seat, cheat.what) == (3, "complained over a good share")
    assert stock.batch(0) == page
    assert town.ledger.hall.head.out == {3}


@pytest.mark.parametrize("round_", [FIRST, SECOND])
def test_nobody_complains_over_what_nobody_dealt_or_who_is_out(round_):
    town = Town()
    town.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    town.settle()
    stock = town.ledger.stock
    page = stock.batch(0)
    dealt = (page.first, page.second)[round_ == SECOND]
    over = {seat: write_complaint(0, round_, seat, None) for seat in range(9)}
    for seat in set(over) - set(dealt):
        assert town.refusal(town.message(1, Kind.COMPLAIN, over[seat])) == "Unwanted"
    assert not town.ledger.hall.head.cheats
    # One dealer is put out, for a false complaint over another; what he dealt stands.
    out, other = dealt[:2]
    assert town.refusal(town.message(out, Kind.COMPLAIN, over[other])) == ""
    last = next(seat for seat in town.parties if seat not in (out, other))
    assert town.refusal(town.message(last, Kind.COMPLAIN, over[out])) == "Unwanted"
    assert {one.seat for one in town.ledger.hall.head.cheats} == {out}
    assert stock.batch(0) == page


def test_dealings_are_gone_once_all_hold_their_shares():
    town = Town()
    town.settle()
    page = town.ledger.stock.batch(0)
    for round_, dealt in ((FIRST, page.first), (SECOND, page.second)):
        accuser = next(seat for seat in town.parties if seat != dealt[0])
        said = town.message(accuser, Kind.COMPLAIN, write_complaint(0, round_, dealt[0], None))
        assert town.refusal(said) == "Unwanted"
    assert not town.ledger.hall.head.cheats
