"""Shares that come late, seen by a node beside real enclaves: nobody is blamed for time."""

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from keymoot.node.beacons import Beacons, message_at, terms_now
from tests.enclave.conftest import small_batches
from tests.enclave.parliament import Parliament
from tests.enclave.test_changes import change

__all__ = ["small_batches"]


def book_of(one: Parliament) -> Beacons:
    """Keep a book as a node does; from the newest block on."""
    ledger = one.ledger
    book = Beacons(
        lambda: one.assembly.hall.committee,
        lambda height, generation: message_at(ledger, height, generation),
    )
    one.engine.on_committed(lambda done, _: book.note(done.block.header.height, terms_now(ledger)))
    return book


@pytest.fixture
def parliament(tmp_path, small_batches) -> Iterator[Parliament]:
    made = Parliament(tmp_path)
    yield made
    made.close()


def feed(book, one, height):
    for seat, delegate in one.delegates.items():
        if height in delegate.beacons:
            book.feed(seat, height, delegate.beacons[height])


def checked(book, one, height):
    feed(book, one, height)
    with capture_logs() as logs:
        found = asyncio.run(book.shares(height, 0, checked=True))
    return sorted(found), [line["event"] for line in logs]


def test_a_recovery_later_nobody_is_blamed(parliament):
    book = book_of(parliament)
    height = parliament.height_of(parliament.bind(parliament.play()))
    parliament.recover()
    assert checked(book, parliament, height) == ([1, 2, 3, 4], [])


def test_an_epoch_later_nobody_is_blamed(parliament):
    book = book_of(parliament)
    height = parliament.height_of(parliament.bind(parliament.play()))
    change(parliament, [5])
    assert checked(book, parliament, height) == ([1, 2, 3, 4], [])


def test_who_signed_another_message_is_named_an_epoch_and_a_recovery_later(parliament):
    book = book_of(parliament)
    play = parliament.play()
    other = parliament.height_of(parliament.bind(play))
    height = parliament.height_of(parliament.bind(play, 6))
    parliament.delegates[2].beacons[height] = parliament.delegates[2].beacons[other]
    change(parliament, [5])
    parliament.recover()
    assert checked(book, parliament, height) == ([1, 3, 4], ["beacon.bad_share"])


def test_a_beacon_of_before_a_recovery_is_still_known_by_its_root(parliament):
    book = book_of(parliament)
    height = parliament.height_of(parliament.bind(parliament.play()))
    right = parliament.beacon(height)
    parliament.recover()
    feed(book, parliament, height)
    # Somebody showed a wrong one, so the node looks before it asks enclaves.
    book.judged(height, b"wrong", good=0, bad=4)
    assert book.fits(height, right)
    assert not book.fits(height, b"wrong")


def test_a_height_whose_block_the_node_did_not_see_come_blames_nobody(parliament):
    height = parliament.height_of(parliament.bind(parliament.play()))
    book = book_of(parliament)
    parliament.recover()
    assert checked(book, parliament, height) == ([1, 2, 3, 4], ["beacon.late_shares"])
