"""Members come and go with an epoch's end, whoever starts anew meanwhile; keys stay."""

import pytest

from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.roots import ECDSA, ROOTS
from tests.committee.members import check, publics, ready, secret_of
from tests.committee.network import NETWORK

pytestmark = pytest.mark.long


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
    net = ready(size)
    before = publics(net)
    old = {
        kind.name: {at: net.participants[at].shares[kind.name] for at in net.participants}
        for kind in ROOTS
    }
    net.change(joining, leaving)
    check(net, members, 1)
    assert publics(net) == before
    # old shares and new ones together are shares of nothing
    for kind in ROOTS:
        root = net.ledger.state.root(kind.name)
        some = {at: net.participants[at].shares[kind.name] for at in members[: root.degree + 1]}
        taken = next(iter(some))
        other = next(at for at in old[kind.name] if at not in some or at == taken)
        mixed = {at: one for at, one in some.items() if at != taken}
        mixed[other] = old[kind.name][other]
        assert not kind.group.equal(kind.group.base(secret_of(mixed, kind)), root.public)
    seats = net.ledger.state.seats()
    assert {at: one.identity for at, one in seats.items()} == {
        at: net.participants[at].identity.public for at in members
    }


def test_a_number_is_given_anew():
    net = ready()
    before = publics(net)
    net.change([5])
    net.change([], [2])
    assert net.ledger.state.record.members == (1, 3, 4, 5)
    gone = net.participants[2]
    net.change([2])
    check(net, (1, 2, 3, 4, 5), 3)
    assert net.ledger.state.seat(2).identity != gone.identity.public
    assert publics(net) == before


def test_pages_named_are_all_there_are_to_begin_with():
    """Whoever begins at a proven state goes on like one who has seen everything."""
    net = ready()
    net.change([5], [2])
    view = MemoryPages(
        {name: raw for name in net.ledger.names() if (raw := net.pages.get(name)) is not None}
    )
    net.views[1] = CommitteeMachine(view, NETWORK)
    net.restart(3)
    net.change([6])
    check(net, (1, 3, 4, 5, 6), 2)


@pytest.mark.parametrize(
    "stage", [EpochStage.LIVING, EpochStage.DEALING, EpochStage.VERDICTS, EpochStage.HOLDING]
)
@pytest.mark.parametrize("seat", [2, 5])
def test_members_and_newcomers_start_anew_in_the_middle(stage, seat):
    net = ready()
    before = publics(net)
    net.arrive(5)
    net.admit(5)
    net.settle()
    if stage is not EpochStage.LIVING:
        net.turn()
    while net.ledger.epochs.current.stage is not stage:
        net.send(*net.tasks())
    net.restart(seat)
    if stage is EpochStage.LIVING:
        net.settle()
        net.turn()
    net.settle()
    net.pass_time(12)
    check(net, (1, 2, 3, 4, 5), 1)
    assert publics(net) == before


@pytest.mark.parametrize(
    ("size", "joining", "leaving", "seat"), [(4, [5, 6], [], 6), (6, [], [1, 2], 3)]
)
def test_a_start_computes_what_a_committee_of_another_size_dealt(size, joining, leaving, seat):
    net = ready(size)
    net.change(joining, leaving)
    held = {name: share.secret.expose() for name, share in net.participants[seat].shares.items()}
    net.restart(seat)
    assert not net.participants[seat].shares
    net.settle()
    found = {name: share.secret.expose() for name, share in net.participants[seat].shares.items()}
    assert found == held


def test_an_old_start_of_a_newcomer_cannot_come_again():
    net = ready()
    net.arrive(5)
    net.admit(5)
    net.settle()
    net.restart(5)
    first = net.log[-1]
    net.restart(5)
    net.send(first)
    assert "started anew since" in str(net.refused[-1][1])
    net.settle()
    net.turn()
    net.settle()
    check(net, (1, 2, 3, 4, 5), 1)


@pytest.mark.parametrize("stage", [EpochStage.LIVING, EpochStage.DEALING, EpochStage.HOLDING])
def test_a_generation_in_the_middle_takes_nobody_in(stage):
    net = ready()
    before = publics(net)
    net.arrive(5)
    net.admit(5)
    net.settle()
    if stage is not EpochStage.LIVING:
        net.turn()
    while net.ledger.epochs.current.stage is not stage:
        net.send(*net.tasks())
    net.send(net.recovery({1, 2, 3, 4}))
    net.settle()
    assert not net.ledger.epochs.membership.page.joining
    assert net.ledger.epochs.current.number == 0
    # invited anew it comes in
    net.admit(5)
    net.settle()
    net.turn()
    net.settle()
    check(net, (1, 2, 3, 4, 5), 1)
    assert publics(net) == before


def test_no_presignature_is_bound_twice_across_changes():
    net = ready()
    bound = []

    def take():
        name = net.ledger.take(Height(net.height), net.time)
        for view in net.views.values():
            assert view.take(Height(net.height), net.time) == name
        if name is not None:
            bound.append((name.batch, name.place))

    for joining, leaving in (([5], []), ([], [2]), ([2, 6], [4])):
        take()
        net.change(joining, leaving)
        take()
        take()
        net.settle()
    assert len(bound) == len(set(bound)) == 9
    held = {
        (seat, number, place)
        for seat, participant in net.participants.items()
        for (_, number), batch in participant.presign._presignatures.items()
        for place in batch
    }
    members = net.ledger.state.record.members
    ready_now = {number for number in net.ledger.stock.page.ready}
    assert {number for _, number, _ in held} <= ready_now | set(net.ledger.stock.page.open)
    assert {seat for seat, _, _ in held} <= set(members)
    assert net.participants[1].shares[ECDSA].root.degree == net.ledger.state.committee.ecdsa_degree
