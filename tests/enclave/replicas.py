"""A replica that executes what a host has."""

from keymoot.base.units import Height
from keymoot.enclave.replica import Replica
from tests.enclave.blocks import (
    Blocks,
)


def run(replica: Replica, source: Blocks, to: int | None = None, every: int = 1) -> None:
    """Execute blocks up to `to`, and have each `every`th certified."""
    for height in range(replica.tip.height + 1, (to or source.height) + 1):
        executed = replica.execute(source.blocks[Height(height)])
        assert executed.header == source.done[Height(height)].header
        if height % every == 0:
            replica.certified(Height(height), executed.header.hash)
