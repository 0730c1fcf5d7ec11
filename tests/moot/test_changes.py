"""Members come and go with an epoch's end; keys stay, and a chain of signatures tells who sits."""

from dataclasses import replace
from itertools import combinations

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.moot.admission import MAX_INVITED
from keymoot.moot.assembly import Assembly
from keymoot.moot.epoch import Stage
from keymoot.moot.handover import succession_page
from keymoot.moot.message import Kind
from keymoot.moot.pages import MemoryPages
from keymoot.moot.roots import ECDSA, ROOTS
from keymoot.moot.succession import Keeper, Members, NoSuccession, Succession, follow_all
from keymoot.moot.turn import read_turn, write_turn
from keymoot.threshold.polynomial import lagrange
from tests.moot.town import NETWORK, Town


def ready(size=4, seed=1):
    town = Town(size, seed)
    town.settle()
    return town


def publics(town):
    return [kind.group.encode(town.ledger.hall.root(kind.name).public) for kind in ROOTS]


def secret_of(shares, kind):
    """Interpolate a root's private key from shares, as only a test does."""
    group, seats = kind.group, sorted(shares)
    weights = lagrange(group.ORDER, seats)
    return group.add_scalars([group.scale(weights[at], shares[at].secret) for at in seats])


def founders(town):
    return Members.first(
        NETWORK,
        [
            Keeper(at, one.papers.public, one.papers.consensus)
            for at, one in town.parties.items()
            if at in town.ledger.hall.head.members
        ],
    )


def chain(town):
    count = town.ledger.turning.handover.latest.count
    pages = (town.pages.get(succession_page(at)) for at in range(1, count + 1))
    return [Succession.decode(raw) for raw in pages]


def check(town, members, number):
    """The assembly is this one, in this epoch, and works."""
    ledger = town.ledger
    assert ledger.hall.head.members == members
    assert ledger.turning.epoch.number == number
    assert ledger.turning.epoch.stage is Stage.LIVING
    assert not ledger.hall.head.cheats
    for kind in ROOTS:
        root = ledger.hall.root(kind.name)
        assert root.degree == kind.degree(ledger.hall.committee)
        shares = {at: town.parties[at].shares[kind.name] for at in members}
        for at, share in shares.items():
            assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
        for chosen in list(combinations(members, root.degree + 1))[:4]:
            some = {at: shares[at] for at in chosen}
            assert kind.group.equal(kind.group.base(secret_of(some, kind)), root.public)
    # presignatures are dealt by the present members, and members alone have parts of them
    assert ledger.stock.left()
    for batch in ledger.stock.page.ready:
        page = ledger.stock.batch(batch)
        assert set(page.holders) <= set(members)
        assert len(page.holders) >= ledger.stock.need()
    for at in town.parties:
        assert bool(town.parties[at].shares) == (at in members)


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
    before, first = publics(town), founders(town)
    old = {
        kind.name: {at: town.parties[at].shares[kind.name] for at in first.identities}
        for kind in ROOTS
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
    # who knows the genesis follows to the present members
    present = follow_all(first, chain(town))[-1]
    assert present.identities == {at: town.parties[at].papers.public for at in members}
    assert present.link == town.ledger.turning.handover.latest.link


def test_a_chain_of_changes_is_followed_and_a_number_is_given_anew():
    town = ready()
    before, first = publics(town), founders(town)
    town.change([5])
    town.change([], [2])
    assert town.ledger.hall.head.members == (1, 3, 4, 5)
    gone = town.parties[2]
    town.change([2])
    check(town, (1, 2, 3, 4, 5), 3)
    assert town.ledger.hall.seat(2).identity != gone.papers.public
    assert publics(town) == before
    steps = follow_all(first, chain(town))
    assert [tuple(one.identities) for one in steps] == [
        (1, 2, 3, 4),
        (1, 2, 3, 4, 5),
        (1, 3, 4, 5),
        (1, 2, 3, 4, 5),
    ]
    # an epoch that changes nobody makes no link
    town.turn()
    town.settle()
    assert town.ledger.turning.epoch.number == 4
    assert town.ledger.turning.handover.latest.count == 3


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


# -- votes


def test_without_enough_votes_a_newcomer_is_not_heard_and_gets_no_dealing():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 2])
    town.settle()
    assert not [one for one in town.log if one.kind is Kind.JOIN]
    # nor when it asks all the same
    town.vote(Kind.ADMIT, town.parties[5].papers.public, [3])
    join = next(one for one in town.duties() if one.kind is Kind.JOIN)
    again = ready()
    again.arrive(5)
    again.say(join)
    assert "invited" in str(again.refused[-1][1])
    # what was asked in the name of another is not heard either
    forged = join.signed(town.parties[1].papers.identity)
    town.say(forged)
    assert "identity" in str(town.refused[-1][1])
    again.admit(5, [1, 2])
    again.turn()
    again.settle()
    check(again, (1, 2, 3, 4), 1)
    assert not again.ledger.turning.admitting.page.invited


def test_a_seat_votes_once_and_for_a_few():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 1])
    assert "already" in str(town.refused[-1][1])
    for at in range(MAX_INVITED):
        town.vote(Kind.ADMIT, bytes([at]) * 32, [1])
    assert "at most" in str(town.refused[-1][1])
    assert len(town.ledger.turning.admitting.page.invited) == MAX_INVITED


def test_votes_and_wishes_of_an_epoch_cannot_be_said_again_in_the_next():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 2])
    town.part(4)
    town.vote(Kind.PART, bytes([1]), [2, 3])
    said = [one for one in town.log if one.kind in (Kind.ADMIT, Kind.PART)]
    town.arrive(6)
    town.admit(6)
    town.settle()
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 6), 1)
    before = len(town.refused)
    town.say(*said)
    assert len(town.refused) == before + len(said)
    assert not town.ledger.turning.admitting.page.invited
    assert not town.ledger.turning.admitting.page.leaving


def test_members_put_one_out_that_says_nothing():
    town = ready(5)
    town.silent = {2}
    town.part(2, [1, 3, 4])
    assert town.ledger.turning.admitting.page.leaving == ()
    town.part(2, [5])
    assert town.ledger.turning.admitting.page.leaving == (2,)
    town.turn()
    for _ in range(3):
        town.pass_time(12)
    town.settle()
    assert town.ledger.hall.head.members == (1, 3, 4, 5)


def test_never_fewer_than_four():
    town = ready(5)
    for seat in (3, 1, 5):
        town.part(seat)
    town.settle()
    town.turn()
    town.settle()
    # who wanted to first may go
    check(town, (1, 2, 4, 5), 1)
    town.change([], [1])
    check(town, (1, 2, 4, 5), 2)


def test_seats_and_keys_that_are_taken_are_refused():
    town = ready()
    town.change([], [])
    for seat, why in ((4, "not vacant"), (0, "numbers from"), (65, "numbers from")):
        town.arrive(9)
        town.admit(9)
        join = next(one for one in town.duties() if one.kind is Kind.JOIN)
        town.say(replace(join, seat=seat).signed(town.parties[9].papers.identity))
        assert why in str(town.refused[-1][1])
    town.say(join)
    assert set(town.ledger.turning.admitting.page.joining) == {9}
    # another one with the consensus key of a member
    town.arrive(6)
    town.parties[6].candidate.papers = replace(
        town.parties[6].papers, consensus=town.parties[1].papers.consensus
    )
    town.admit(6)
    town.settle()
    assert "consensus key" in str(town.refused[-1][1])
    # a member cannot be invited to a second seat
    town.vote(Kind.ADMIT, town.parties[1].papers.public, [2])
    assert "sits already" in str(town.refused[-1][1])


# -- faults


@pytest.mark.parametrize("silent", [{1}, {5}])
def test_a_silent_member_or_newcomer_among_enough_does_not_stop_it(silent):
    town = ready()
    before = publics(town)
    town.arrive(5)
    town.admit(5, [2, 3, 4])
    town.settle()
    town.silent = silent
    town.turn()
    town.settle()
    for _ in range(4):
        town.pass_time(12)
    assert town.ledger.hall.head.members == (1, 2, 3, 4, 5)
    assert publics(town) == before
    town.silent = set()
    town.settle()
    town.pass_time(12)
    check(town, (1, 2, 3, 4, 5), 1)


def test_newcomers_that_never_hold_are_dropped_and_the_next_attempt_is_without_them():
    town = ready()
    for seat in (5, 6, 7):
        town.arrive(seat)
        town.admit(seat)
    town.settle()
    # two of three go: with f=2 the assembly of seven would need one of them
    town.silent = {5, 6, 7}
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    epoch = town.ledger.turning.epoch
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, Stage.LIVING, 1)
    assert not town.ledger.turning.admitting.page.joining
    assert not town.ledger.turning.admitting.page.invited
    assert town.ledger.stock.left()
    # what was said for them does not serve again
    town.say(*(one for one in town.log if one.kind in (Kind.ADMIT, Kind.JOIN)))
    assert not town.ledger.turning.admitting.page.joining
    town.turn()
    town.settle()
    assert town.ledger.hall.head.members == (1, 2, 3, 4)
    assert town.ledger.turning.epoch.number == 1


def test_newcomers_that_hold_stay_admitted_when_others_did_not():
    town = ready()
    for seat in (5, 6, 7):
        town.arrive(seat)
        town.admit(seat)
    town.settle()

    def spoil(seat, kind, body):
        return None if kind is Kind.HELD and seat in (1, 5, 6) else body

    town.spoil = spoil
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    assert town.ledger.turning.epoch.attempt == 1
    assert set(town.ledger.turning.admitting.page.joining) == {7}
    town.spoil = lambda seat, kind, body: body
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 4, 7), 1)


def test_a_lying_newcomer_is_named_and_comes_in_no_more():
    from keymoot.moot.keygen import write_verdict
    from keymoot.threshold import dealing as dealings
    from keymoot.threshold.dice import Dice

    town = ready()
    town.arrive(5)
    town.admit(5)
    town.settle()

    def spoil(seat, kind, body):
        if seat == 5 and kind is Kind.RESHARE_VERDICT:
            number, attempt, _ = read_turn(body)
            turn, given = town.ledger.turning.turn(), town.ledger.turning.dealings(number)
            to, secret = turn.recipients(0), town.parties[5].keys.next
            one = dealings.complain(to, 1, 5, secret, given[1][0], Dice(town.secret()))
            return write_turn(number, attempt, write_verdict([(0, one)]))
        return None if seat == 5 else body

    town.spoil = spoil
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {5}
    assert town.ledger.turning.epoch.number == 1


def test_a_leaver_that_deals_a_bad_share_is_named_by_a_newcomer():
    from keymoot.base import rlp

    town = ready(5)

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = read_turn(body)
            item = rlp.decode(content)
            flat = item[0][1][-1]
            flat[5] = flat[5][:-1] + bytes([flat[5][-1] ^ 1])
            return write_turn(number, attempt, rlp.encode(item))
        return body

    town.spoil = spoil
    town.change([6], [2])
    town.pass_time(12)
    assert {(one.seat, one.what) for one in town.ledger.hall.head.cheats} == {
        (2, "dealt a bad share")
    }
    assert town.ledger.hall.head.members == (1, 3, 4, 5, 6)


# -- starts in the middle


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


# -- succession


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


# -- presignatures


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
