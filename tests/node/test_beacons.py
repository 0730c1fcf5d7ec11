"""The node's book of beacon shares: enough, in time, and without the bad ones if asked."""

import asyncio

import pytest
from structlog.testing import capture_logs

from keymoot.base.units import Height
from keymoot.moot.roots import CERTIFICATE
from keymoot.node import beacons
from keymoot.node.beacons import Beacons, Terms
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.moot.town import Town

MESSAGE = b"what was executed"
AT = Height(9)


@pytest.fixture(scope="module")
def town():
    town = Town()
    for _ in range(12):
        town.say(*town.duties())
        if all(party.shares for party in town.parties.values()):
            return town
    raise AssertionError


@pytest.fixture
def book(town):
    hall = town.ledger.hall
    made = Beacons(lambda: hall.committee, lambda *_: MESSAGE)
    made.note(AT, Terms(hall.head.generation, hall.root(CERTIFICATE)))
    return made


def share(town, seat, message=MESSAGE):
    return G1.encode(bls.sign(town.parties[seat].shares[CERTIFICATE], message))


def test_shares_are_given_when_there_are_enough(town, book):
    async def story():
        waiting = asyncio.create_task(book.shares(AT, 5))
        for seat in (1, 2, 4):
            await asyncio.sleep(0)
            assert not waiting.done()
            book.feed(seat, AT, share(town, seat))
        assert sorted(await waiting) == [1, 2, 4]

    asyncio.run(story())


def test_too_few_are_given_when_time_is_up(town, book):
    book.feed(1, AT, share(town, 1))
    book.feed(2, AT, b"")
    assert sorted(asyncio.run(book.shares(AT, 0.01))) == [1]


@pytest.mark.parametrize("bad", ["another message", "another seat", "no point"])
def test_bad_ones_are_left_out_once_somebody_asks(town, book, bad):
    spoiled = {
        "another message": share(town, 2, b"executed differently"),
        "another seat": share(town, 3),
        "no point": b"\xff" * 48,
    }[bad]

    async def story():
        book.feed(2, AT, spoiled)
        book.feed(1, AT, share(town, 1))
        book.feed(3, AT, share(town, 3))
        assert sorted(await book.shares(AT, 1)) == [1, 2, 3]
        waiting = asyncio.create_task(book.shares(AT, 5, checked=True))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        book.feed(4, AT, share(town, 4))
        found = await waiting
        assert sorted(found) == [1, 3, 4]
        root = town.ledger.hall.root(CERTIFICATE)
        points = {seat: G1.decode(one) for seat, one in found.items()}
        _, named = bls.combine(root, MESSAGE, points)
        assert named == []
        # Nobody makes the node pair them over and over.
        book._message = lambda *_: pytest.fail("looked again")
        assert sorted(await book.shares(AT, 0, checked=True)) == [1, 3, 4]

    asyncio.run(story())


def test_shares_of_a_height_that_was_not_noted_are_given_as_they_are(town, book):
    before = Height(AT - 1)
    for seat in (1, 2, 3):
        book.feed(seat, before, share(town, seat, b"who knows"))
    with capture_logs() as logs:
        assert sorted(asyncio.run(book.shares(before, 0, checked=True))) == [1, 2, 3]
    assert [one["log_level"] for one in logs] == ["debug"]


def test_old_heights_are_forgotten(town, book, monkeypatch):
    monkeypatch.setattr(beacons, "MAX_HEIGHTS", 3)
    for height in range(1, 8):
        book.feed(1, Height(height), share(town, 1))
    assert asyncio.run(book.shares(Height(4), 0)) == {}
    assert sorted(asyncio.run(book.shares(Height(7), 0))) == [1]


def test_what_enclaves_took_is_known_and_nothing_else_is_shown_to_them(town, book):
    right, wrong = share(town, 1), share(town, 1, b"another block")
    book.feed(1, AT, b"a share, so that the height is one of ours")
    assert book.fits(AT, right)
    assert book.fits(AT, wrong)
    book.judged(AT, right, good=2, bad=1)
    assert book.fits(AT, right)
    assert not book.fits(AT, wrong)


def test_one_enclave_alone_is_not_believed(town, book, monkeypatch):
    looked = []
    monkeypatch.setattr(beacons.bls, "verify", lambda *_: looked.append(1))
    book.feed(1, AT, b"a share")
    book.judged(AT, b"wrong", good=1, bad=1)
    assert book.fits(AT, b"right")
    assert not looked


def whole(town, message=MESSAGE):
    root = town.ledger.hall.root(CERTIFICATE)
    chosen = sorted(town.parties)[: root.degree + 1]
    shares = {at: G1.decode(share(town, at, message)) for at in chosen}
    return G1.encode(interpolate_points(G1, shares))


def test_once_they_found_one_wrong_the_node_looks_first(town, book):
    right, wrong = whole(town), whole(town, b"another block")
    book.feed(1, AT, b"a share")
    book.judged(AT, wrong, good=0, bad=3)
    assert not book.fits(AT, wrong)
    assert not book.fits(AT, b"\xff" * 48)
    assert book.fits(AT, right)
    assert not book.fits(AT, wrong)


def test_a_height_that_is_not_remembered_takes_no_memory(town, book):
    book.judged(AT, b"shown", good=4, bad=0)
    book.judged(AT, b"shown", good=0, bad=4)
    assert not book._known
    assert not book._doubted
