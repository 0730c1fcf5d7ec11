"""Tests that are stories: what happens on a network in memory, in its own time."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from keymoot.testing.network import World


def story(told: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Have a test run on the loop of the `world` that it takes."""

    @wraps(told)
    def run(world: World, **others: Any) -> None:
        world.run(told(world=world, **others))

    return run


def while_it_runs(told: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Have a test run on its `world` once the node there can sign."""

    async def whole(world: World, **others: Any) -> None:
        async with world.running():
            await told(world=world, **others)

    return story(wraps(told)(whole))
