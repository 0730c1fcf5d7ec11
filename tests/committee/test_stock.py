"""The stock: dealt ahead, bound once, burned when too few hold it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.phases import BATCH_PATIENCE
from keymoot.committee.presign.inventory import Inventory
from keymoot.committee.presign.ledger import MIN_READY, PROBATION
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.reshare.record import EpochStage
from tests.committee.network import CommitteeNetwork
from tests.examples import of

BATCH_SIZE = 4
"""As `conftest` sets it."""


@pytest.fixture(scope="module")
def settled():
    return CommitteeNetwork.at_rest()


def ready():
    return CommitteeNetwork.at_rest()


def take(net, count):
    """Bind as the ledger and every enclave do."""
    found = []
    for _ in range(count):
        net.height += 1
        taken = {
            machine.take(Height(net.height), UnixSeconds(net.time))
            for machine in (net.ledger, *net.views.values())
        }
        assert len(taken) == 1
        found.append(taken.pop())
    return found


def test_no_batch_is_opened_before_there_are_roots():
    net = CommitteeNetwork()
    while not net.ledger.state.ready:
        assert net.ledger.stock.page == Inventory()
        net.send(*net.tasks())
    assert net.ledger.stock.page.open


def test_it_fills_by_itself(settled):
    stock = settled.ledger.stock
    assert stock.left() == MIN_READY * BATCH_SIZE
    for number in stock.page.ready:
        assert len(stock.batch(number).holders) >= stock.need()
    for participant in settled.participants.values():
        assert sum(map(len, participant.presign._presignatures.values())) == MIN_READY * BATCH_SIZE


def test_a_presignature_is_bound_once():
    net = ready()
    names = take(net, 2 * BATCH_SIZE)
    assert len(set(names)) == 2 * BATCH_SIZE
    assert None not in names
    assert take(net, 1) == [None]
    net.send(net.message(1, Kind.TICK, b""))
    net.settle()
    more = take(net, BATCH_SIZE)
    assert not set(more) & set(names)


def test_a_seat_gives_its_part_out_once_and_in_its_generation():
    net = ready()
    (name,), generation = take(net, 1), net.ledger.state.record.generation
    for participant in net.participants.values():
        assert participant.presign.take(Hash32(b"x" * 32), name) is None
        assert participant.presign.take(generation, name) is not None
        assert participant.presign.take(generation, name) is None


def test_demand_raises_the_target():
    net = ready()
    take(net, 2 * BATCH_SIZE)
    net.send(net.message(1, Kind.TICK, b""))
    net.settle()
    assert net.ledger.stock.left() > MIN_READY * BATCH_SIZE
    net.pass_time(100)
    take(net, 4 * BATCH_SIZE)


def test_a_start_takes_its_seat_out_and_too_few_holders_burn_a_batch():
    net = ready()
    before = net.ledger.stock.page.ready
    net.restart(1)
    assert all(1 not in net.ledger.stock.batch(number).holders for number in before)
    net.restart(2)
    assert not set(before) & set(net.ledger.stock.page.ready)
    net.settle()
    assert net.ledger.stock.left() == MIN_READY * BATCH_SIZE
    assert net.participants[1].shares.keys() == net.participants[3].shares.keys()


def test_after_a_burned_batch_the_next_is_bound_from_its_first():
    net = ready()
    first, second = net.ledger.stock.page.ready
    take(net, 1)
    net.restart(1)
    assert take(net, BATCH_SIZE)[-1] == PresignatureId(second, 0)
    net.send(net.message(1, Kind.TICK, b""))
    net.settle()
    net.restart(2)
    ready_now = net.ledger.stock.page.ready
    assert not {first, second} & set(ready_now)
    names = take(net, net.ledger.stock.left())
    assert names == [PresignatureId(at, n) for at in ready_now for n in range(BATCH_SIZE)]


def test_another_batch_that_is_burned_moves_no_cursor():
    net = ready()
    net.silent = {1, 2}
    names = take(net, BATCH_SIZE + 1)
    opened = net.ledger.stock.page.open
    assert opened
    net.pass_time(61)
    assert opened != net.ledger.stock.page.open
    assert not set(names) & set(take(net, BATCH_SIZE - 1))


def test_what_a_dead_start_says_is_refused():
    net = ready()
    old = net.participants[1]
    net.restart(1)
    late = net.message(1, Kind.ACK, NumberedBody(0).encode())
    net.participants[1], new = old, net.participants[1]
    assert net.refusal(net.message(1, Kind.ACK, NumberedBody(0).encode())) == "NotSeated"
    net.participants[1] = new
    assert net.refusal(late) == "Unwanted"
    # nor is what a seat says to another network
    tick = replace(net.message(1, Kind.TICK, b""), network=NetworkId(b"x" * 32))
    assert net.refusal(tick.signed(new.session.signing)) == "WrongGeneration"


@pytest.mark.parametrize("size", [4, 7])
def test_silent_dealers_are_replaced(size):
    net = CommitteeNetwork.at_rest(size)
    faults = net.ledger.state.committee.faults
    take(net, MIN_READY * BATCH_SIZE)
    net.silent = set(range(1, faults + 1))
    for _ in range(6):
        net.pass_time(16)
    assert net.ledger.stock.left()


def test_dealings_come_once_and_in_their_round():
    net = ready()
    take(net, BATCH_SIZE)
    for seat in net.participants:
        assert net.refusal(net.message(seat, Kind.ACK, NumberedBody(0).encode())) == "Unwanted"
    assert net.refusal(net.message(1, Kind.FIRST, NumberedBody(10**6, b"").encode())) == "Unwanted"


def test_a_seat_that_says_twice_that_it_holds_shares_is_one():
    net = CommitteeNetwork()
    net.spoil = lambda seat, kind, body: None if kind is Kind.ACK and seat != 1 else body
    net.settle()
    assert net.ledger.stock.batch(0).holders == (1,)
    assert net.refusal(net.message(1, Kind.ACK, NumberedBody(0).encode())) == "Unwanted"
    assert net.ledger.stock.batch(0).holders == (1,)


@pytest.mark.parametrize("kind", [Kind.FIRST, Kind.SECOND])
def test_one_that_has_dealt_or_is_out_deals_no_more(kind):
    """Twice the same seat would stand for two: one dealer alone would know the secrets."""
    net, waiting = CommitteeNetwork(), {}

    def spoil(seat, said, body):
        if said is kind and seat != 1 and NumberedBody.decode(body).number == 0:
            waiting.setdefault(seat, body)
            return None
        return body

    net.spoil = spoil
    net.settle()
    # The others deal once it has waited long enough for those whose turn it is.
    net.pass_time(2 * BATCH_PATIENCE.seconds)
    assert dealers(net, kind) == (1,)
    own = next(one for one in net.log if (one.seat, one.kind) == (1, kind))
    other, third = sorted(waiting)[:2]
    for one in (net.ledger, *net.views.values()):
        one.state.caught(other, Height(net.height), "a test", out=True)
    later = Kind.ACK if kind is Kind.SECOND else Kind.SECOND
    for wrong in (
        own,
        net.message(other, kind, waiting[other]),
        net.message(third, later, waiting[third]),
        net.message(third, Kind.ACK, NumberedBody(0).encode()),
    ):
        refusals = len(net.refused)
        net.send(wrong)
        assert [type(one).__name__ for _, one in net.refused[refusals:]] == ["Unwanted"]
        assert dealers(net, kind) == (1,)
        assert not net.ledger.stock.batch(0).holders
    net.send(net.message(third, kind, waiting[third]))
    assert dealers(net, kind) == (1, third)


def dealers(net, kind):
    page = net.ledger.stock.batch(0)
    return page.first if kind is Kind.FIRST else page.second


def test_a_batch_that_too_few_can_still_finish_burns_at_once():
    net = ready()
    take(net, BATCH_SIZE)
    number = net.ledger.stock.page.open[0]
    net.restart(1)
    assert number in net.ledger.stock.page.open
    net.restart(2)
    assert number not in net.ledger.stock.page.open
    net.settle()
    assert net.ledger.stock.left()


@settings(max_examples=of(quick=6, thorough=12), deadline=None)
@given(st.data())
def test_no_presignature_serves_twice_whatever_happens(data):
    """Starts, recoveries, epochs, ticks and requests in any order: no name comes twice in a
    generation, no secret serves under two names, and none outlives its generation."""
    net = CommitteeNetwork(seed=data.draw(st.integers(0, 2**16)))
    net.settle()
    used, spent = set(), set()
    owners = {}
    for _ in range(data.draw(st.integers(2, 7))):
        what = data.draw(
            st.sampled_from(
                ["take", "restart", "recover", "recover some", "tick", "settle", "turn"]
            )
        )
        generation = net.ledger.state.record.generation
        if what == "take":
            for name in take(net, data.draw(st.integers(1, 40))):
                if name is None:
                    continue
                assert (generation, name) not in used
                used.add((generation, name))
                given = [one.presign.take(generation, name) for one in net.participants.values()]
                parts = {one.secrets[0].expose() for one in given if one is not None}
                assert not parts & spent
                spent |= parts
        elif what == "restart":
            net.restart(data.draw(st.integers(1, 4)))
        elif what.startswith("recover"):
            old = {
                secret.expose()
                for participant in net.participants.values()
                for batch in participant.presign._presignatures.values()
                for one in batch.values()
                for secret in one.secrets
            }
            anew = {1, 2, 3, 4} if what == "recover" else {1, 3}
            net.send(net.recovery({1, 2, 3, 4}, anew=anew))
            net.settle()
            new = {
                secret.expose()
                for participant in net.participants.values()
                for batch in participant.presign._presignatures.values()
                for one in batch.values()
                for secret in one.secrets
            }
            assert not old & new
        elif what == "tick":
            net.pass_time(5)
        elif what == "turn":
            number = net.ledger.epochs.current.number
            body = NumberedBody(number).encode()
            net.send(*(net.message(seat, Kind.END_EPOCH, body) for seat in net.participants))
            net.settle()
            # A seat that has just started anew may lack its shares; the attempt is dropped then.
            assert net.ledger.epochs.current.number in (number, number + 1)
        else:
            net.settle()
        for at, participant in net.participants.items():
            for batch, held in participant.presign._presignatures.items():
                for place, one in held.items():
                    for secret in one.secrets:
                        name = owners.setdefault((at, secret.expose()), (batch, place))
                        assert name == (batch, place)
    net.settle()
    for _ in range(2):
        net.pass_time(35)
    assert net.ledger.stock.left()
    assert net.ledger.epochs.current.stage is EpochStage.LIVING


def test_nobody_waits_twice_for_a_dealer_who_is_silent():
    net = ready()
    net.silent = {2}
    # The first batch that waits for him waits as long as it takes, ...
    while 2 not in net.ledger.stock.page.late:
        take(net, BATCH_SIZE)
        net.settle()
        net.pass_time(12)
    # ... and the ones after it are dealt by the others at once.
    for _ in range(4):
        number = net.ledger.stock.page.next
        take(net, BATCH_SIZE)
        net.settle()
        assert number % PROBATION
        assert number in net.ledger.stock.page.ready
    # When he is back, it is his turn again some time, and he is not late any more.
    net.silent = set()
    while 2 in net.ledger.stock.page.late:
        assert net.ledger.stock.page.next < 3 * PROBATION
        take(net, BATCH_SIZE)
        net.settle()
    assert not net.ledger.state.record.cheats
