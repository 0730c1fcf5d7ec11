"""Complaints over dealings of a batch: whoever is wrong is named, dealer or accuser."""

from collections.abc import Callable
from typing import Any

import pytest

from keymoot.base import rlp
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.presign.record import FIRST, SECOND, BatchComplaint
from keymoot.threshold.envelope import Complaint, Envelope, complain
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1
from tests.committee.bodies import fields_of
from tests.committee.network import CommitteeNetwork


def after_seat_two_deals(kind: Kind, change: Callable[[Any], None]) -> CommitteeNetwork:
    """Give a network some batches later, in which what seat 2 deals in a round was changed."""
    net = CommitteeNetwork()

    def spoil(seat, what, body):
        if seat == 2 and what is kind:
            number, content = fields_of(NumberedBody.decode(body))
            item = rlp.decode(content)
            change(item)
            return NumberedBody(number, rlp.encode(item)).encode()
        return body

    net.spoil = spoil
    net.settle()
    for _ in range(4):
        net.pass_time(16)
    return net


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_a_dealer_who_sends_garbage_is_named_and_deals_no_more(kind):
    def one_point_for_another(item):
        item[0] = [item[0][1], *item[0][1:]]

    net = after_seat_two_deals(kind, one_point_for_another)
    assert {one.seat for one in net.ledger.state.record.cheats} == {2}
    assert net.ledger.state.record.out == {2}
    assert net.ledger.stock.left()


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_a_bad_box_names_its_dealer(kind):
    def an_empty_box(item):
        boxes = list(item[2][2])
        boxes[3] = bytes(len(boxes[3]))
        item[2][2] = boxes

    net = after_seat_two_deals(kind, an_empty_box)
    assert {one.seat for one in net.ledger.state.record.cheats} == {2}
    assert net.ledger.stock.left()


@pytest.mark.parametrize("holders", [{1, 2, 3}, {1}], ids=["ready", "dealt"])
def test_a_false_complaint_names_the_accuser_and_burns_nothing(holders):
    net = CommitteeNetwork()
    # the others never say that their shares are good, so complaints may still come
    net.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat not in holders else body
    net.settle()
    stock = net.ledger.stock
    page = stock.batch(0)
    assert set(page.holders) == holders
    dealer = next(seat for seat in page.first if seat != 3)
    # in another's name it is not heard, or anybody could be put out
    frame = Complaint(1, dealer, SECP256K1.encode(SECP256K1.generator), bytes(64))
    framing = net.message(3, Kind.COMPLAIN, BatchComplaint(0, 1, dealer, frame).encode())
    assert net.refusal(framing) == "Unwanted"
    assert not net.ledger.state.record.cheats
    said = net.message(3, Kind.COMPLAIN, BatchComplaint(0, 1, dealer, None).encode())
    assert net.refusal(said) == ""
    assert {one.seat for one in net.ledger.state.record.cheats} == {3}
    assert stock.batch(0) == page
    assert net.refusal(said) == "Unwanted"


@pytest.mark.parametrize("round_", [FIRST, SECOND])
def test_a_proved_complaint_over_a_good_share_names_the_accuser(round_):
    net = CommitteeNetwork()
    net.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    net.settle()
    stock = net.ledger.stock
    page = stock.batch(0)
    setting = stock.setting(page)
    dealer = next(seat for seat in (page.first, page.second)[round_ == SECOND] if seat != 3)
    item = rlp.decode(stock.dealing(0, round_, dealer))
    complaint = complain(
        setting.first if round_ == FIRST else setting.second,
        dealer,
        3,
        net.participants[3].presign.sealing,
        setting.keys[3],
        Envelope.of_item(item[2]),
        SeededRng(net.secret()),
    )
    said = net.message(3, Kind.COMPLAIN, BatchComplaint(0, round_, dealer, complaint).encode())
    assert net.refusal(said) == ""
    (cheat,) = net.ledger.state.record.cheats
    assert (cheat.seat, cheat.what) == (3, "complained over a good share")
    assert stock.batch(0) == page
    assert net.ledger.state.record.out == {3}


@pytest.mark.parametrize("round_", [FIRST, SECOND])
def test_nobody_complains_over_what_nobody_dealt_or_who_is_out(round_):
    net = CommitteeNetwork()
    net.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    net.settle()
    stock = net.ledger.stock
    page = stock.batch(0)
    dealt = (page.first, page.second)[round_ == SECOND]
    over = {seat: BatchComplaint(0, round_, seat, None).encode() for seat in range(9)}
    for seat in set(over) - set(dealt):
        assert net.refusal(net.message(1, Kind.COMPLAIN, over[seat])) == "Unwanted"
    assert not net.ledger.state.record.cheats
    # One dealer is put out, for a false complaint over another; what he dealt stands.
    out, other = dealt[:2]
    assert net.refusal(net.message(out, Kind.COMPLAIN, over[other])) == ""
    last = next(seat for seat in net.participants if seat not in (out, other))
    assert net.refusal(net.message(last, Kind.COMPLAIN, over[out])) == "Unwanted"
    assert {one.seat for one in net.ledger.state.record.cheats} == {out}
    assert stock.batch(0) == page


def test_dealings_are_gone_once_all_hold_their_shares():
    net = CommitteeNetwork.at_rest()
    page = net.ledger.stock.batch(0)
    for round_, dealt in ((FIRST, page.first), (SECOND, page.second)):
        accuser = next(seat for seat in net.participants if seat != dealt[0])
        said = net.message(
            accuser, Kind.COMPLAIN, BatchComplaint(0, round_, dealt[0], None).encode()
        )
        assert net.refusal(said) == "Unwanted"
    assert not net.ledger.state.record.cheats
