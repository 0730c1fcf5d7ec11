"""Key generation on the ledger: everyone ends with the same roots, whoever fails or lies."""

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.committee.keygen.record import Phase, RootComplaint, RootOpenings, RootVerdict
from keymoot.committee.messages import Kind, NodeMessage, NumberedBody
from keymoot.committee.roots import ROOTS
from keymoot.threshold.polynomial import interpolate
from tests.committee.network import CommitteeNetwork


def roots(net):
    return [rlp.encode(net.ledger.state.root(kind.name).encode()) for kind in ROOTS]


@pytest.mark.parametrize("size", [4, 7])
def test_all_parties_hold_shares_of_the_same_roots(size):
    net = CommitteeNetwork(size)
    net.settle()
    assert net.ledger.state.ready
    for kind in ROOTS:
        root = net.ledger.state.root(kind.name)
        shares = {
            at: participant.shares[kind.name].secret for at, participant in net.participants.items()
        }
        chosen = {at: shares[at] for at in list(shares)[-(root.degree + 1) :]}
        made = interpolate(kind.group, chosen)
        assert kind.group.equal(kind.group.base(made), root.public)
    for view in net.views.values():
        assert list(view.state.pages) == list(net.pages)


def test_the_order_of_messages_does_not_matter():
    """Other orders give other roots (the randomness differs), but always roots."""
    for seed in range(4):
        net = CommitteeNetwork(seed=seed)
        net.settle()
        assert net.ledger.keygen.record.phase is Phase.DONE
        assert not net.ledger.state.record.cheats


@pytest.mark.parametrize("silent", [1, 4])
def test_a_silent_seat_does_not_stop_it(silent):
    net = CommitteeNetwork(silent={silent})
    net.settle()
    assert not net.ledger.state.ready
    for _ in range(8):
        net.pass_time(40)
    assert net.ledger.state.ready
    assert net.ledger.stock.left()


def test_two_silent_seats_of_four_do():
    net = CommitteeNetwork(silent={1, 2})
    attempts = set()
    for _ in range(6):
        net.pass_time(40)
        attempts.add(net.ledger.keygen.record.attempt)
    assert not net.ledger.state.ready
    # Too few promise: it begins anew, and nobody deals to so few.
    assert len(attempts) > 1
    assert Kind.KEYGEN_OPEN not in {message.kind for message in net.log}


def test_a_seat_that_awakes_computes_its_shares_from_what_is_public():
    net = CommitteeNetwork(silent={3})
    for _ in range(8):
        net.pass_time(40)
    assert net.ledger.state.ready
    net.silent.clear()
    net.settle()
    share = net.participants[3].shares["ecdsa"]
    assert share.root.group.equal(share.root.group.base(share.secret), share.root.share_of(3))


def erased(net, seat):
    """Have a seat's sealing keys be others than those that it is dealt to under."""
    net.participants[seat].keys.take(net.scalar(), net.scalar(), None, 0)


def test_a_seat_whose_key_is_erased_computes_nothing_and_goes_on():
    net = CommitteeNetwork(silent={3})
    for _ in range(8):
        net.pass_time(40)
    erased(net, 3)
    net.silent.clear()
    net.settle()
    assert net.participants[3].shares == {}
    assert not net.ledger.state.record.cheats


def test_one_whose_key_is_erased_before_it_judges_accuses_nobody_and_votes_for_nothing():
    net = CommitteeNetwork()

    def erase(seat, kind, body):
        if seat == 3 and kind is Kind.KEYGEN_OPEN:
            erased(net, 3)
        return body

    net.spoil = erase
    for _ in range(8):
        net.pass_time(40)
    assert net.ledger.state.ready
    said = {one.kind for one in net.log if one.seat == 3}
    assert Kind.KEYGEN_VERDICT in said
    assert Kind.KEYGEN_VOTE not in said
    assert net.participants[3].shares == {}
    assert not net.ledger.state.record.cheats


def spoil_opening(change):
    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.KEYGEN_OPEN:
            return change(body)
        return body

    return spoil


def test_another_opening_than_promised_names_its_seat():
    net, other = CommitteeNetwork(), CommitteeNetwork(seed=9)
    found = []
    other.spoil = lambda seat, kind, body: found.append(body) or body
    other.settle()
    opening = max(found, key=len)
    net.spoil = spoil_opening(lambda _: next(b for b in found if is_opening(b)))
    assert opening
    net.settle()
    assert net.ledger.state.ready
    assert {one.seat for one in net.ledger.state.record.cheats} == {2}
    assert 2 in net.ledger.keygen.record.out


def is_opening(body):
    try:
        return len(RootOpenings.decode(body).openings) == len(ROOTS)
    except Exception:
        return False


@pytest.mark.parametrize("victims", [(1,), (1, 3), (1, 3, 4)])
def test_a_bad_share_names_its_dealer_and_the_rest_go_on(victims):
    """The dealer promises what he opens, and some boxes of it hold garbage."""
    net = CommitteeNetwork()
    kept = {}

    def spoil(seat, kind, body):
        if seat != 2:
            return body
        if kind is Kind.KEYGEN_HASH:
            from dataclasses import replace

            from keymoot.threshold import dkg

            participant = net.participants[2]
            (name,) = participant.dkg._openings
            setting = net.views[2].keygen.setting()
            openings = []
            for place, one in enumerate(participant.dkg._openings[name]):
                boxes = list(one.dealing.envelope.boxes)
                for victim in victims:
                    boxes[victim - 1] = b"\0" * len(boxes[victim - 1])
                envelope = replace(one.dealing.envelope, boxes=tuple(boxes))
                openings.append(replace(one, dealing=replace(one.dealing, envelope=envelope)))
                kept[place] = dkg.commitment_of(setting.recipients(place), 2, openings[-1])
            participant.dkg._openings[name] = tuple(openings)
            return b"".join(kept.values())
        return body

    net.spoil = spoil
    net.settle()
    assert net.ledger.state.ready
    assert {one.seat for one in net.ledger.state.record.cheats} == {2}
    assert 2 not in net.ledger.keygen.openings()


def test_a_false_complaint_names_the_accuser_and_harms_nobody():
    net = CommitteeNetwork()

    def spoil(seat, kind, body):
        if seat != 3 or kind is not Kind.KEYGEN_VERDICT:
            return body
        from keymoot.threshold import dealing as dealings
        from tests.threshold.parties import rng

        founding = net.views[3].keygen
        to = founding.setting().recipients(0)
        made = founding.openings()[1][0].dealing
        complaint = dealings.complain(to, 1, 3, net.participants[3].keys.living, made, rng())
        return RootVerdict((RootComplaint(0, complaint),)).encode()

    net.spoil = spoil
    net.settle()
    assert net.ledger.state.ready
    assert {one.seat for one in net.ledger.state.record.cheats} == {3}
    assert 1 in net.ledger.keygen.openings()


def test_a_message_is_taken_once_in_its_phase_and_from_its_seat():
    net = CommitteeNetwork()
    said = net.tasks()
    assert net.refusal(said[0], said[0]) == "Unwanted"
    forged = NodeMessage(
        *[getattr(said[1], name) for name in ("network", "generation")],
        3,
        Kind.KEYGEN_HASH,
        said[1].body,
    )
    assert net.refusal(forged.signed(net.participants[2].session.signing)) == "NotSeated"
    assert (
        net.refusal(net.message(1, Kind.KEYGEN_VOTE, NumberedBody(0, bytes(32)).encode()))
        == "Unwanted"
    )


def test_a_vote_is_a_digest_and_nothing_beside_it():
    net = CommitteeNetwork()
    net.spoil = lambda at, kind, body: (
        body + b"\0" if at == 1 and kind is Kind.KEYGEN_VOTE else body
    )
    net.settle()
    assert [type(why) for one, why in net.refused if one.kind is Kind.KEYGEN_VOTE][:1] == [
        Malformed
    ]
    assert 1 not in net.ledger.keygen.record.votes
    assert net.ledger.state.ready


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.KEYGEN_HASH, b""),
        (Kind.KEYGEN_HASH, bytes(257)),
        (Kind.KEYGEN_OPEN, b"\xc0"),
        (Kind.FIRST, b""),
        (Kind.SECOND, b"\xc2\x80\x80"),
        (Kind.ACK, b"\xc2\x05\x80"),
        (Kind.COMPLAIN, b"\xc0"),
        (Kind.SESSION, b"\xc0"),
        (Kind.RECOVER, b"\xc0"),
    ],
)
def test_bodies_of_strangers_change_nothing(kind, body):
    net = CommitteeNetwork()
    before = list(net.pages)
    net.send(net.message(1, kind, body))
    assert net.refused
    assert list(net.pages) == before


def test_bodies_survive_their_encoding():
    net, seen = CommitteeNetwork(), {}
    net.spoil = lambda _, kind, body: seen.setdefault(kind, body) and body
    net.settle()
    assert (
        RootOpenings(RootOpenings.decode(seen[Kind.KEYGEN_OPEN]).openings).encode()
        == seen[Kind.KEYGEN_OPEN]
    )
    assert RootVerdict.decode(seen[Kind.KEYGEN_VERDICT]).complaints == ()


def test_a_generation_begins_it_again():
    """What was promised in one generation opens nothing in the next."""
    net = CommitteeNetwork()
    net.send(*net.tasks())
    assert net.ledger.keygen.record.phase is Phase.OPENINGS
    net.send(*net.tasks())
    assert [name for name, _ in net.pages if name.startswith("opening/")]
    net.send(net.recovery({1, 2, 3, 4}, anew=set()))
    keygen = net.ledger.keygen.record
    assert (keygen.phase, keygen.attempt, keygen.said) == (Phase.HASHES, 1, frozenset())
    assert not [name for name, _ in net.pages if name.startswith("opening/")]
    net.settle()
    assert net.ledger.state.ready
    assert net.ledger.keygen.record.attempt == 1
