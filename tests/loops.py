"""Event loops of tests whose subject waits: their time is their own, which no load moves."""

from random import Random

from keymoot.base.units import UnixNanos
from keymoot.testing.loop import VirtualLoop

START = UnixNanos(1_800_000_000 * 10**9)


def own_time() -> VirtualLoop:
    """Give a loop whose clock goes on when everybody waits; work for threads it does itself."""
    return VirtualLoop(Random(1), START)
