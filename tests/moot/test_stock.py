"""The stock: dealt ahead, bound once, burned when too few hold it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.batch import PATIENCE_SECONDS, PresignatureId
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.epoch import Stage as EpochStage
from keymoot.moot.inventory import Inventory
from keymoot.moot.message import Kind
from keymoot.moot.stock import MIN_READY, PROBATION
from tests.moot.town import Town

BATCH_SIZE = 4
"""As `conftest` sets it."""


@pytest.fixture(scope="module")
def settled():
    town = Town()
    town.settle()
    return town


def ready():
    town = Town()
    town.settle()
    return town


def take(town, count):
    """Bind as the ledger and every enclave do."""
    found = []
    for _ in range(count):
        town.height += 1
        taken = {
            assembly.take(Height(town.height), UnixSeconds(town.time))
            for assembly in (town.ledger, *town.views.values())
        }
        assert len(taken) == 1
        found.append(taken.pop())
    return found


def test_no_batch_is_opened_before_there_are_roots():
    town = Town()
    while not town.ledger.hall.ready:
        assert town.ledger.stock.page == Inventory()
        town.say(*town.duties())
    assert town.ledger.stock.page.open


def test_it_fills_by_itself(settled):
    stock = settled.ledger.stock
    assert stock.left() == MIN_READY * BATCH_SIZE
    for number in stock.page.ready:
        assert len(stock.batch(number).holders) >= stock.need()
    for party in settled.parties.values():
        assert sum(map(len, party.presigner._presignatures.values())) == MIN_READY * BATCH_SIZE


def test_a_presignature_is_bound_once():
    town = ready()
    names = take(town, 2 * BATCH_SIZE)
    assert len(set(names)) == 2 * BATCH_SIZE
    assert None not in names
    assert take(town, 1) == [None]
    town.say(town.message(1, Kind.TICK, b""))
    town.settle()
    more = take(town, BATCH_SIZE)
    assert not set(more) & set(names)


def test_a_seat_gives_its_part_out_once_and_in_its_generation():
    town = ready()
    (name,), generation = take(town, 1), town.ledger.hall.head.generation
    for party in town.parties.values():
        assert party.presigner.take(Hash32(b"x" * 32), name) is None
        assert party.presigner.take(generation, name) is not None
        assert party.presigner.take(generation, name) is None


def test_demand_raises_the_target():
    town = ready()
    take(town, 2 * BATCH_SIZE)
    town.say(town.message(1, Kind.TICK, b""))
    town.settle()
    assert town.ledger.stock.left() > MIN_READY * BATCH_SIZE
    town.pass_time(100)
    take(town, 4 * BATCH_SIZE)


def test_a_start_takes_its_seat_out_and_too_few_holders_burn_a_batch():
    town = ready()
    before = town.ledger.stock.page.ready
    town.restart(1)
    assert all(1 not in town.ledger.stock.batch(number).holders for number in before)
    town.restart(2)
    assert not set(before) & set(town.ledger.stock.page.ready)
    town.settle()
    assert town.ledger.stock.left() == MIN_READY * BATCH_SIZE
    assert town.parties[1].shares.keys() == town.parties[3].shares.keys()


def test_after_a_burned_batch_the_next_is_bound_from_its_first():
    town = ready()
    first, second = town.ledger.stock.page.ready
    take(town, 1)
    town.restart(1)
    assert take(town, BATCH_SIZE)[-1] == PresignatureId(second, 0)
    town.say(town.message(1, Kind.TICK, b""))
    town.settle()
    town.restart(2)
    ready_now = town.ledger.stock.page.ready
    assert not {first, second} & set(ready_now)
    names = take(town, town.ledger.stock.left())
    assert names == [PresignatureId(at, n) for at in ready_now for n in range(BATCH_SIZE)]


def test_another_batch_that_is_burned_moves_no_cursor():
    town = ready()
    town.silent = {1, 2}
    names = take(town, BATCH_SIZE + 1)
    opened = town.ledger.stock.page.open
    assert opened
    town.pass_time(61)
    assert opened != town.ledger.stock.page.open
    assert not set(names) & set(take(town, BATCH_SIZE - 1))


def test_what_a_dead_start_says_is_refused():
    town = ready()
    old = town.parties[1]
    town.restart(1)
    late = town.message(1, Kind.ACK, write_numbered(0))
    town.parties[1], new = old, town.parties[1]
    assert town.refusal(town.message(1, Kind.ACK, write_numbered(0))) == "NotSeated"
    town.parties[1] = new
    assert town.refusal(late) == "Unwanted"
    # nor is what a seat says to another network
    tick = replace(town.message(1, Kind.TICK, b""), network=NetworkId(b"x" * 32))
    assert town.refusal(tick.signed(new.boot.signing)) == "WrongGeneration"


@pytest.mark.parametrize("size", [4, 7])
def test_silent_dealers_are_replaced(size):
    town = Town(size)
    town.settle()
    faults = town.ledger.hall.committee.faults
    take(town, MIN_READY * BATCH_SIZE)
    town.silent = set(range(1, faults + 1))
    for _ in range(6):
        town.pass_time(16)
    assert town.ledger.stock.left()


def test_dealings_come_once_and_in_their_round():
    town = ready()
    take(town, BATCH_SIZE)
    for seat in town.parties:
        assert town.refusal(town.message(seat, Kind.ACK, write_numbered(0))) == "Unwanted"
    assert town.refusal(town.message(1, Kind.FIRST, write_numbered(10**6, b""))) == "Unwanted"


def test_a_seat_that_says_twice_that_it_holds_shares_is_one():
    town = Town()
    town.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    town.settle()
    assert town.ledger.stock.batch(0).holders == (1,)
    assert town.refusal(town.message(1, Kind.ACK, write_numbered(0))) == "Unwanted"
    assert town.ledger.stock.batch(0).holders == (1,)


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_one_that_has_dealt_or_is_out_deals_no_more(kind):
    """Twice the same seat would stand for two: one dealer alone would know the secrets."""
    town, waiting = Town(), {}

    def spoil(seat, said, body):
        if said is kind and seat != 1 and read_numbered(body)[0] == 0:
            waiting.setdefault(seat, body)
            return None
        return body

    town.spoil = spoil
    town.settle()
    # The others deal once it has waited long enough for those whose turn it is.
    town.pass_time(2 * PATIENCE_SECONDS)
    assert dealers(town, kind) == (1,)
    own = next(one for one in town.log if (one.seat, one.kind) == (1, kind))
    other, third = sorted(waiting)[:2]
    for one in (town.ledger, *town.views.values()):
        one.hall.caught(other, Height(town.height), "a test", out=True)
    later = Kind.ACK if kind is Kind.SECOND else Kind.SECOND
    for wrong in (
        own,
        town.message(other, kind, waiting[other]),
        town.message(third, later, waiting[third]),
        town.message(third, Kind.ACK, write_numbered(0)),
    ):
        refusals = len(town.refused)
        town.say(wrong)
        assert [type(one).__name__ for _, one in town.refused[refusals:]] == ["Unwanted"]
        assert dealers(town, kind) == (1,)
        assert not town.ledger.stock.batch(0).holders
    town.say(town.message(third, kind, waiting[third]))
    assert dealers(town, kind) == (1, third)


def dealers(town, kind):
    page = town.ledger.stock.batch(0)
    return page.first if kind is Kind.FIRST else page.second


def test_a_batch_that_too_few_can_still_finish_burns_at_once():
    town = ready()
    take(town, BATCH_SIZE)
    number = town.ledger.stock.page.open[0]
    town.restart(1)
    assert number in town.ledger.stock.page.open
    town.restart(2)
    assert number not in town.ledger.stock.page.open
    town.settle()
    assert town.ledger.stock.left()


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_no_presignature_serves_twice_whatever_happens(data):
    """Starts, recoveries, epochs, ticks and requests in any order: no name comes twice in a
    generation, no secret serves under two names, and none outlives its generation."""
    town = Town(seed=data.draw(st.integers(0, 2**16)))
    town.settle()
    used, spent = set(), set()
    owners = {}
    for _ in range(data.draw(st.integers(2, 7))):
        what = data.draw(
            st.sampled_from(
                ["take", "restart", "recover", "recover some", "tick", "settle", "turn"]
            )
        )
        generation = town.ledger.hall.head.generation
        if what == "take":
            for name in take(town, data.draw(st.integers(1, 40))):
                if name is None:
                    continue
                assert (generation, name) not in used
                used.add((generation, name))
                given = [one.presigner.take(generation, name) for one in town.parties.values()]
                parts = {one.secrets[0].expose() for one in given if one is not None}
                assert not parts & spent
                spent |= parts
        elif what == "restart":
            town.restart(data.draw(st.integers(1, 4)))
        elif what.startswith("recover"):
            old = {
                secret.expose()
                for party in town.parties.values()
                for batch in party.presigner._presignatures.values()
                for one in batch.values()
                for secret in one.secrets
            }
            anew = {1, 2, 3, 4} if what == "recover" else {1, 3}
            town.say(town.recovery({1, 2, 3, 4}, anew=anew))
            town.settle()
            new = {
                secret.expose()
                for party in town.parties.values()
                for batch in party.presigner._presignatures.values()
                for one in batch.values()
                for secret in one.secrets
            }
            assert not old & new
        elif what == "tick":
            town.pass_time(5)
        elif what == "turn":
            number = town.ledger.turning.epoch.number
            body = write_numbered(number)
            town.say(*(town.message(seat, Kind.TURN, body) for seat in town.parties))
            town.settle()
            # A seat that has just started anew may lack its shares; the attempt is dropped then.
            assert town.ledger.turning.epoch.number in (number, number + 1)
        else:
            town.settle()
        for at, party in town.parties.items():
            for batch, held in party.presigner._presignatures.items():
                for place, one in held.items():
                    for secret in one.secrets:
                        name = owners.setdefault((at, secret.expose()), (batch, place))
                        assert name == (batch, place)
    town.settle()
    for _ in range(2):
        town.pass_time(35)
    assert town.ledger.stock.left()
    assert town.ledger.turning.epoch.stage is EpochStage.LIVING


def test_nobody_waits_twice_for_a_dealer_who_is_silent():
    town = ready()
    town.silent = {2}
    # The first batch that waits for him waits as long as it takes, ...
    while 2 not in town.ledger.stock.page.late:
        take(town, BATCH_SIZE)
        town.settle()
        town.pass_time(12)
    # ... and the ones after it are dealt by the others at once.
    for _ in range(4):
        number = town.ledger.stock.page.next
        take(town, BATCH_SIZE)
        town.settle()
        assert number % PROBATION
        assert number in town.ledger.stock.page.ready
    # When he is back, it is his turn again some time, and he is not late any more.
    town.silent = set()
    while 2 in town.ledger.stock.page.late:
        assert town.ledger.stock.page.next < 3 * PROBATION
        take(town, BATCH_SIZE)
        town.settle()
    assert not town.ledger.hall.head.cheats
