"""Key generation on the ledger: everyone ends with the same roots, whoever fails or lies."""

import pytest

from keymoot.base import rlp
from keymoot.moot.body import write_numbered
from keymoot.moot.keygen import Phase, read_openings, read_verdict, write_openings
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.roots import ROOTS
from keymoot.threshold.polynomial import interpolate
from tests.moot.town import Town


def roots(town):
    return [rlp.encode(town.ledger.hall.root(kind.name).encode()) for kind in ROOTS]


@pytest.mark.parametrize("size", [4, 7])
def test_all_parties_hold_shares_of_the_same_roots(size):
    town = Town(size)
    town.settle()
    assert town.ledger.hall.ready
    for kind in ROOTS:
        root = town.ledger.hall.root(kind.name)
        shares = {at: party.shares[kind.name].secret for at, party in town.parties.items()}
        chosen = {at: shares[at] for at in list(shares)[-(root.degree + 1) :]}
        made = interpolate(kind.group, chosen)
        assert kind.group.equal(kind.group.base(made), root.public)
    for view in town.views.values():
        assert list(view.hall.pages) == list(town.pages)


def test_the_order_of_messages_does_not_matter():
    """Other orders give other roots (the dice differ), but always roots."""
    for seed in range(4):
        town = Town(seed=seed)
        town.settle()
        assert town.ledger.founding.keygen.phase is Phase.DONE
        assert not town.ledger.hall.head.cheats


@pytest.mark.parametrize("silent", [1, 4])
def test_a_silent_seat_does_not_stop_it(silent):
    town = Town(silent={silent})
    town.settle()
    assert not town.ledger.hall.ready
    for _ in range(8):
        town.pass_time(40)
    assert town.ledger.hall.ready
    assert town.ledger.stock.left()


def test_two_silent_seats_of_four_do():
    town = Town(silent={1, 2})
    for _ in range(6):
        town.pass_time(40)
    assert not town.ledger.hall.ready


def test_a_seat_that_awakes_computes_its_shares_from_what_is_public():
    town = Town(silent={3})
    for _ in range(8):
        town.pass_time(40)
    assert town.ledger.hall.ready
    town.silent.clear()
    town.settle()
    share = town.parties[3].shares["ecdsa"]
    assert share.root.group.equal(share.root.group.base(share.secret), share.root.share_of(3))


def spoil_opening(change):
    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.KEYGEN_OPEN:
            return change(body)
        return body

    return spoil


def test_another_opening_than_promised_names_its_seat():
    town, other = Town(), Town(seed=9)
    found = []
    other.spoil = lambda seat, kind, body: found.append(body) or body
    other.settle()
    opening = max(found, key=len)
    town.spoil = spoil_opening(lambda _: next(b for b in found if is_opening(b)))
    assert opening
    town.settle()
    assert town.ledger.hall.ready
    assert {one.seat for one in town.ledger.hall.head.cheats} == {2}
    assert 2 in town.ledger.founding.keygen.out


def is_opening(body):
    try:
        return len(read_openings(body)) == len(ROOTS)
    except Exception:
        return False


@pytest.mark.parametrize("victims", [(1,), (1, 3), (1, 3, 4)])
def test_a_bad_share_names_its_dealer_and_the_rest_go_on(victims):
    """The dealer promises what he opens, and some boxes of it hold garbage."""
    town = Town()
    kept = {}

    def spoil(seat, kind, body):
        if seat != 2:
            return body
        if kind is Kind.KEYGEN_HASH:
            from dataclasses import replace

            from keymoot.threshold import dkg

            party = town.parties[2]
            (name,) = party.keymaker._openings
            setting = town.views[2].founding.setting()
            openings = []
            for place, one in enumerate(party.keymaker._openings[name]):
                boxes = list(one.dealing.envelope.boxes)
                for victim in victims:
                    boxes[victim - 1] = b"\0" * len(boxes[victim - 1])
                envelope = replace(one.dealing.envelope, boxes=tuple(boxes))
                openings.append(replace(one, dealing=replace(one.dealing, envelope=envelope)))
                kept[place] = dkg.commitment_of(setting.recipients(place), 2, openings[-1])
            party.keymaker._openings[name] = tuple(openings)
            return b"".join(kept.values())
        return body

    town.spoil = spoil
    town.settle()
    assert town.ledger.hall.ready
    assert {one.seat for one in town.ledger.hall.head.cheats} == {2}
    assert 2 not in town.ledger.founding.openings()


def test_a_false_complaint_names_the_accuser_and_harms_nobody():
    town = Town()

    def spoil(seat, kind, body):
        if seat != 3 or kind is not Kind.KEYGEN_VERDICT:
            return body
        from keymoot.moot.keygen import write_verdict
        from keymoot.threshold import dealing as dealings
        from tests.threshold.parties import dice

        founding = town.views[3].founding
        to = founding.setting().recipients(0)
        made = founding.openings()[1][0].dealing
        complaint = dealings.complain(to, 1, 3, town.parties[3].keys.living, made, dice())
        return write_verdict([(0, complaint)])

    town.spoil = spoil
    town.settle()
    assert town.ledger.hall.ready
    assert {one.seat for one in town.ledger.hall.head.cheats} == {3}
    assert 1 in town.ledger.founding.openings()


def test_a_message_is_taken_once_in_its_phase_and_from_its_seat():
    town = Town()
    said = town.duties()
    assert town.refusal(said[0], said[0]) == "Unwanted"
    forged = NodeMessage(
        *[getattr(said[1], name) for name in ("network", "generation")],
        3,
        Kind.KEYGEN_HASH,
        said[1].body,
    )
    assert town.refusal(forged.signed(town.parties[2].boot.signing)) == "NotSeated"
    assert (
        town.refusal(town.message(1, Kind.KEYGEN_VOTE, write_numbered(0, bytes(32)))) == "Unwanted"
    )


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
        (Kind.BOOT, b"\xc0"),
        (Kind.RECOVER, b"\xc0"),
    ],
)
def test_bodies_of_strangers_change_nothing(kind, body):
    town = Town()
    before = list(town.pages)
    town.say(town.message(1, kind, body))
    assert town.refused
    assert list(town.pages) == before


def test_bodies_survive_their_encoding():
    town, seen = Town(), {}
    town.spoil = lambda _, kind, body: seen.setdefault(kind, body) and body
    town.settle()
    assert write_openings(read_openings(seen[Kind.KEYGEN_OPEN])) == seen[Kind.KEYGEN_OPEN]
    assert read_verdict(seen[Kind.KEYGEN_VERDICT]) == []


def test_a_generation_begins_it_again():
    """What was promised in one generation opens nothing in the next."""
    town = Town()
    town.say(*town.duties())
    assert town.ledger.founding.keygen.phase is Phase.OPENINGS
    town.say(*town.duties())
    assert [name for name, _ in town.pages if name.startswith("opening/")]
    town.say(town.recovery({1, 2, 3, 4}, anew=set()))
    keygen = town.ledger.founding.keygen
    assert (keygen.phase, keygen.attempt, keygen.said) == (Phase.HASHES, 1, frozenset())
    assert not [name for name, _ in town.pages if name.startswith("opening/")]
    town.settle()
    assert town.ledger.hall.ready
    assert town.ledger.founding.keygen.attempt == 1
