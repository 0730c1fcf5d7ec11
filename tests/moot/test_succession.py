"""A chain of signatures tells who sits: what is signed, when, and what is no link."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.moot.epoch import Stage
from keymoot.moot.message import Kind
from keymoot.moot.succession import NoSuccession, Succession, follow_all
from keymoot.moot.turn import read_turn, write_turn
from tests.moot.members import chain, check, founders, ready


def to_succession(town, joining=5):
    town.arrive(joining)
    town.admit(joining)
    town.settle()
    town.turn()
    while town.ledger.turning.epoch.stage is not Stage.SUCCESSION:
        town.say(*town.duties())


def test_nobody_signs_before_the_new_members_hold():
    town = ready()
    to_succession(town)
    assert len(town.ledger.turning.epoch.votes) >= 4
    assert not [one for one in town.log if one.kind is Kind.SUCCESSION]


def test_what_was_signed_is_never_taken_back():
    """Else f liars could keep a link that the ledger has given up, and the next one would be
    a second one: whoever follows would not know which."""
    town = ready()
    to_succession(town)
    signed = [one for one in town.duties() if one.kind is Kind.SUCCESSION][:2]
    town.say(*signed)
    # neither time nor a generation ends the stage
    town.silent = {1, 2, 3, 4}
    terms = town.ledger.turning.handover.terms(town.ledger.turning.epoch)
    town.silent = {3, 4}
    for _ in range(6):
        town.time += 120
        town.say(town.message(1, Kind.TICK, b""))
    town.say(town.recovery({1, 2, 3, 4}))
    assert town.ledger.turning.epoch.stage is Stage.SUCCESSION
    assert town.ledger.turning.handover.terms(town.ledger.turning.epoch) == terms
    town.restart(5)
    town.silent = set()
    town.settle()
    check(town, (1, 2, 3, 4, 5), 1)
    assert chain(town)[-1].terms == terms


def test_a_forged_signature_counts_for_nothing():
    town = ready()
    to_succession(town)
    good = next(one for one in town.duties() if one.kind is Kind.SUCCESSION)
    number, attempt, content = read_turn(good.body)
    for bad in (bytes(64), content[:-1], content):
        other = 1 if good.seat != 1 else 2
        town.say(town.message(other, Kind.SUCCESSION, write_turn(number, attempt, bad)))
        assert "has not signed" in str(town.refused[-1][1])
    assert not town.ledger.turning.epoch.signatures


def test_a_link_that_does_not_follow_is_refused():
    town = ready()
    first = founders(town)
    town.change([5])
    town.change([], [1])
    links = chain(town)
    assert len(follow_all(first, links)) == 3
    link, later = links
    some = dict(list(link.signatures.items())[:2])
    liar = {**some, 4: bytes(64)}
    keepers = link.terms.keepers
    broken = {
        "out of order": [later],
        "twice": [link, link],
        "too few signed": [replace(link, signatures=some)],
        "one signed in another's name": [replace(link, signatures=liar)],
        "a stranger signed": [replace(link, signatures={**link.signatures, 9: some[min(some)]})],
        "others": [replace(link, terms=replace(link.terms, keepers=keepers[:4]))],
        "too small": [replace(link, terms=replace(link.terms, keepers=keepers[:3]))],
        "another epoch": [replace(link, terms=replace(link.terms, epoch=7))],
        "no epoch forward": [replace(link, terms=replace(link.terms, epoch=0))],
    }
    for why, given in broken.items():
        with pytest.raises(NoSuccession):
            follow_all(first, given)
            pytest.fail(why)
    stranger = replace(
        first, keepers=(replace(first.keepers[0], identity=Bytes32(b"x" * 32)), *first.keepers[1:])
    )
    with pytest.raises(NoSuccession):
        follow_all(replace(stranger, link=Hash32(b"y" * 32)), links)
    assert Succession.decode(link.encode()) == link
