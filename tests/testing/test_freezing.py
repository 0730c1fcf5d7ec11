"""One enclave thaws and another freezes, while agents ask: signatures go on."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from keymoot.testing.network import World, memory
from keymoot.testing.people import PaymentRequest, WalletOwner
from tests.examples import some

pytestmark = pytest.mark.long

AGENTS = 2
LONGEST_GAP_SECONDS = 2.0
"""Longest time without any signature."""


async def story(world: World, frozen_seconds: float = 6.0) -> float:
    """Freeze one for a while.

    Freeze another as it thaws; give the longest time without a signature.
    """
    async with world.up() as node:
        await world.until_ready()
        owner = WalletOwner(world.rng)
        await owner.set_up(node, 10**9)
        given = [world.loop.time()]

        async def ask() -> None:
            while True:
                wish = PaymentRequest.of(node.membership.ledger, owner, 1, world.rng)
                found = await wish.answered(node, 60.0)
                assert found is not None
                assert found.digest == wish.digest
                given.append(world.loop.time())
                await asyncio.sleep(world.rng.uniform(0.2, 0.8))

        agents = [asyncio.ensure_future(ask()) for _ in range(AGENTS)]
        await asyncio.sleep(world.rng.uniform(1.0, 2.0))
        first, second = world.rng.sample(sorted(world.host.processes), 2)
        world.host.processes[first].freeze()
        await asyncio.sleep(frozen_seconds)
        world.host.processes[first].thaw()
        world.host.processes[second].freeze()
        await asyncio.sleep(frozen_seconds)
        world.host.processes[second].thaw()
        await asyncio.sleep(2.0)
        for one in agents:
            assert not one.done(), one
            one.cancel()
        given.append(world.loop.time())
        return max(after - before for before, after in pairwise(given))


def gap(seed: int, folder: Path) -> float:
    with memory(seed, folder) as world:
        return world.run(story(world))


@pytest.mark.parametrize("seed", some(range(3), 1))
def test_no_gap_is_longer_than_two_seconds(seed: int, tmp_path: Path) -> None:
    assert gap(seed, tmp_path) <= LONGEST_GAP_SECONDS


@pytest.mark.soak
def test_in_no_gap_of_200_seeds(tmp_path: Path) -> None:
    found = {seed: gap(seed, tmp_path / str(seed)) for seed in range(200)}
    assert {seed: one for seed, one in found.items() if one > LONGEST_GAP_SECONDS} == {}
