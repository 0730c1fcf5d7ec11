"""Members come and go with an epoch's end, whoever starts anew meanwhile; keys stay."""

import pytest

from keymoot.base.units import Height
from keymoot.moot.assembly import Assembly
from keymoot.moot.epoch import Stage
from keymoot.moot.pages import MemoryPages
from keymoot.moot.roots import ECDSA, ROOTS
from tests.moot.members import check, publics, ready, secret_of
from tests.moot.town import NETWORK


@pytest.mark.parametrize(
    ("size", "joining", "leaving", "members"),
    [
        (4, [5], [], (1, 2, 3, 4, 5)),
        (5, [], [3], (1, 2, 4, 5)),
        (4, [9], [2], (1, 3, 4, 9)),
        (4, [5, 6, 7], [], (1, 2, 3, 4, 5, 6, 7)),
        (7, [], [1, 4, 6], (2, 3, 5, 7)),
        (4, [5, 6, 7, 8], [1, 2, 3, 4], (5, 6, 7, 8)),
    ],
)
def test_members_come_and_go_and_the_keys_stay(size, joining, leaving, members):
    town = ready(size)
    before = publics(town)
    old = {
        kind.name: {at: town.parties[at].shares[kind.name] for at in town.parties} for kind in ROOTS
    }
    town.change(joining, leaving)
    check(town, members, 1)
    assert publics(town) == before
    # old shares and new ones together are shares of nothing
    for kind in ROOTS:
        root = town.ledger.hall.root(kind.name)
        some = {at: town.parties[at].shares[kind.name] for at in members[: root.degree + 1]}
        taken = next(iter(some))
        other = next(at for at in old[kind.name] if at not in some or at == taken)
        mixed = {at: one for at, one in some.items() if at != taken}
        mixed[other] = old[kind.name][other]
        assert not kind.group.equal(kind.group.base(secret_of(mixed, kind)), root.public)
    seats = town.ledger.hall.seats()
    assert {at: one.identity for at, one in seats.items()} == {
        at: town.parties[at].papers.public for at in members
    }


def test_a_number_is_given_anew():
    town = ready()
    before = publics(town)
    town.change([5])
    town.change([], [2])
    assert town.ledger.hall.head.members == (1, 3, 4, 5)
    gone = town.parties[2]
    town.change([2])
    check(town, (1, 2, 3, 4, 5), 3)
    assert town.ledger.hall.seat(2).identity != gone.papers.public
    assert publics(town) == before


def test_pages_named_are_all_there_are_to_begin_with():
    """Whoever begins at a proven state goes on like one who has seen everything."""
    town = ready()
    town.change([5], [2])
    view = MemoryPages(
        {name: raw for name in town.ledger.names() if (raw := town.pages.get(name)) is not None}
    )
    town.views[1] = Assembly(view, NETWORK)
    town.restart(3)
    town.change([6])
    check(town, (1, 3, 4, 5, 6), 2)


@pytest.mark.parametrize("stage", [Stage.LIVING, Stage.DEALING, Stage.VERDICTS, Stage.HOLDING])
@pytest.mark.parametrize("seat", [2, 5])
def test_members_and_newcomers_start_anew_in_the_middle(stage, seat):
    town = ready()
    before = publics(town)
    town.arrive(5)
    town.admit(5)
    town.settle()
    if stage is not Stage.LIVING:
        town.turn()
    while town.ledger.turning.epoch.stage is not stage:
        town.say(*town.duties())
    town.restart(seat)
    if stage is Stage.LIVING:
        town.settle()
        town.turn()
    town.settle()
    town.pass_time(12)
    check(town, (1, 2, 3, 4, 5), 1)
    assert publics(town) == before


@pytest.mark.parametrize(
    ("size", "joining", "leaving", "seat"), [(4, [5, 6], [], 6), (6, [], [1, 2], 3)]
)
def test_a_start_computes_what_a_committee_of_another_size_dealt(size, joining, leaving, seat):
    town = ready(size)
    town.change(joining, leaving)
    held = {name: share.secret.expose() for name, share in town.parties[seat].shares.items()}
    town.restart(seat)
    assert not town.parties[seat].shares
    town.settle()
    found = {name: share.secret.expose() for name, share in town.parties[seat].shares.items()}
    assert found == held


def test_an_old_start_of_a_newcomer_cannot_come_again():
    town = ready()
    town.arrive(5)
    town.admit(5)
    town.settle()
    town.restart(5)
    first = town.log[-1]
    town.restart(5)
    town.say(first)
    assert "started anew since" in str(town.refused[-1][1])
    town.settle()
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 4, 5), 1)


@pytest.mark.parametrize("stage", [Stage.LIVING, Stage.DEALING, Stage.HOLDING])
def test_a_generation_in_the_middle_takes_nobody_in(stage):
    town = ready()
    before = publics(town)
    town.arrive(5)
    town.admit(5)
    town.settle()
    if stage is not Stage.LIVING:
        town.turn()
    while town.ledger.turning.epoch.stage is not stage:
        town.say(*town.duties())
    town.say(town.recovery({1, 2, 3, 4}))
    town.settle()
    assert not town.ledger.turning.admitting.page.joining
    assert town.ledger.turning.epoch.number == 0
    # invited anew it comes in
    town.admit(5)
    town.settle()
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 4, 5), 1)
    assert publics(town) == before


def test_no_presignature_is_bound_twice_across_changes():
    town = ready()
    bound = []

    def take():
        name = town.ledger.take(Height(town.height), town.time)
        for view in town.views.values():
            assert view.take(Height(town.height), town.time) == name
        if name is not None:
            bound.append((name.batch, name.place))

    for joining, leaving in (([5], []), ([], [2]), ([2, 6], [4])):
        take()
        town.change(joining, leaving)
        take()
        take()
        town.settle()
    assert len(bound) == len(set(bound)) == 9
    held = {
        (seat, number, place)
        for seat, party in town.parties.items()
        for (_, number), batch in party.presigner._presignatures.items()
        for place in batch
    }
    members = town.ledger.hall.head.members
    ready_now = {number for number in town.ledger.stock.page.ready}
    assert {number for _, number, _ in held} <= ready_now | set(town.ledger.stock.page.open)
    assert {seat for seat, _, _ in held} <= set(members)
    assert town.parties[1].shares[ECDSA].root.degree == town.ledger.hall.committee.ecdsa_degree
