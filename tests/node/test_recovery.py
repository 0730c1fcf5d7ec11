"""A recovery among enclaves of which one is broken: the others begin a generation without it."""

import asyncio

import pytest

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.node.membership import recovery
from keymoot.node.membership.recovery import (
    HEAL_LOOKS,
    HEAL_PATIENCE,
    StallCounter,
    generation_after,
)
from keymoot.node.supervisor import asking
from tests.examples import some
from tests.node.stories import story

NETWORK, BEFORE = NetworkId(b"n" * 32), Hash32(b"g" * 32)


async def says_no(*_):
    raise Refused("no")


async def speaks_nonsense(*_):
    raise Malformed("what?")


async def is_silent(*_):
    await asyncio.sleep(600)


async def signs_nothing(*_):
    return b"x" * 64


LIES = [says_no, speaks_nonsense, is_silent, signs_nothing]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
@story
async def test_one_that_is_broken_does_not_stop_the_others(world, monkeypatch, lie):
    monkeypatch.setattr(asking, "RECOVERY_SECONDS", 1.0)
    async with world.running():
        before = world.machine.state.record.generation
        monkeypatch.setattr(world.process(2), "endorse", lie)
        await world.membership.recovery.order()
        await world.until(lambda: world.machine.state.record.recoveries)
        state = world.machine.state
        assert state.record.generation != before
        # It is left out, and says with which keys it started, as any other start does.
        await world.until_ready()


@story
async def test_with_two_that_say_no_there_is_none(world, monkeypatch):
    async with world.running():
        for seat in (2, 3):
            monkeypatch.setattr(world.process(seat), "endorse", says_no)
        with pytest.raises(Refused, match="2 of 4 enclaves agree"):
            await world.membership.recovery.order()


@pytest.mark.parametrize("ends", some([2, 4, 3], 2))
@story
async def test_enclaves_that_end_together_come_back_and_go_on(world, ends):
    async with world.running():
        height = world.ledger.height()
        for seat in range(1, ends + 1):
            world.process(seat).kill()
        await world.until(lambda: not any(one.alive for one in world.enclaves.seats[:ends]))
        await world.until_ready()
        assert world.machine.state.record.recoveries >= 1
        assert world.ledger.height() > height


@story
async def test_one_that_ends_comes_back_without_a_recovery(world):
    async with world.running():
        world.process(3).kill()
        await world.until(lambda: world.holder(3).restarts)
        await world.until_ready()
        assert world.machine.state.record.recoveries == 0


@story
async def test_a_whole_node_that_starts_again_recovers(world):
    async with world.running():
        network, height = world.ledger.network, world.ledger.height()
    async with world.running():
        assert world.ledger.network == network
        assert world.ledger.height() > height
        assert world.machine.state.record.recoveries == 1


@story
async def test_the_order_counts_that_its_block_was_not_certified(world, monkeypatch):
    """A named start ends before it signs the block of the order: the next one follows on it."""
    monkeypatch.setattr(recovery, "HEAL_PATIENCE", 2)
    async with world.running():
        order = recovery.order_for

        async def order_and_die(*arguments):
            made = await order(*arguments)
            monkeypatch.setattr("keymoot.node.membership.recovery.order_for", order)
            for seat in (1, 2):
                world.process(seat).kill()
            return made

        monkeypatch.setattr("keymoot.node.membership.recovery.order_for", order_and_die)
        await world.membership.recovery.order()
        await world.until(lambda: world.machine.state.record.recoveries == 2)
        await world.until_ready()


def order_on(previous: Hash32, base: int = 1) -> tuple[bytes, Hash32]:
    terms = RecoveryOrder(NETWORK, previous, base, Hash32(b"b" * 32), {})
    body = SignedRecoveryOrder(terms, {}).encode()
    return NodeMessage(NETWORK, previous, 0, Kind.RECOVER, body).encode(), terms.digest()


def test_orders_follow_on_each_other_and_others_do_not_count():
    first, one = order_on(BEFORE)
    second, two = order_on(one)
    beside, _ = order_on(BEFORE, base=2)
    tick = NodeMessage(NETWORK, BEFORE, 1, Kind.TICK, b"").encode()
    assert generation_after(BEFORE, []) == BEFORE
    assert generation_after(BEFORE, [tick, b"\x02paid", first, b"\x4enonsense", tick]) == one
    # Of two on the same generation the first one counts.
    assert generation_after(BEFORE, [first, beside]) == one
    assert generation_after(BEFORE, [first, second]) == two
    assert generation_after(BEFORE, [second]) == BEFORE


def looks(stillness: StallCounter, count: int, **what: bool) -> list[bool]:
    return [stillness.observe(7, **what) for _ in range(count)]


def test_a_ledger_that_stands_still_is_healed_soon_where_all_run():
    stillness = StallCounter()
    found = looks(stillness, HEAL_LOOKS + 1, short=True, whole=True)
    assert found == [False] * HEAL_LOOKS + [True]
    # Its block may take a while: there is no second order at once.
    assert not any(looks(stillness, HEAL_PATIENCE - 1, short=True, whole=True))
    assert looks(stillness, 1, short=True, whole=True) == [True]


def test_who_does_not_start_is_waited_for_a_while():
    stillness = StallCounter()
    assert not any(looks(stillness, HEAL_PATIENCE, short=True, whole=False))
    assert looks(stillness, 1, short=True, whole=False) == [True]


def test_a_ledger_that_goes_on_needs_no_healing():
    stillness = StallCounter()
    assert not any(looks(stillness, 100, short=False, whole=True))
    assert not any(stillness.observe(height, short=True, whole=True) for height in range(100))
