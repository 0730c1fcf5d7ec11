"""A network in memory with real clients, and what tests want to know of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keymoot.testing.clients import URL, Served, served
from keymoot.testing.network import memory


def committee_status(net: Served) -> Any:
    """Give what the network says of its members."""
    return net.network.call("keymoot_assembly")


def epoch(net: Served) -> int:
    return net.world.machine.epochs.current.number


def turn(net: Served) -> None:
    """Have the epoch end, and wait until the next one has begun."""
    before = epoch(net)
    net.wait(net.world.changes.turn())
    net.until(lambda: epoch(net) > before, "the next epoch")


def until_seated(net: Served) -> None:
    """Wait until all members are known by their present starts."""
    net.wait(net.world.until_ready())


@contextmanager
def in_memory(
    folder: Path, seed: int = 7, url: str = URL, batch: int = 8, **settings: Any
) -> Iterator[Served]:
    """Run a network beside a block; nothing in it may be a defect of the gateway."""
    with memory(seed, folder, batch=batch, **settings) as world, served(world, url) as net:
        yield net
        assert net.defects == []
