"""The one place that reads the machine's clock; all others are given it.

How long something takes is never read here: that is `asyncio.get_running_loop().time()`.
"""

import time
from collections.abc import Callable

from keymoot.base.units import UnixNanos

Clock = Callable[[], UnixNanos]
"""Gives the time in nanoseconds since 1970."""


def system_clock() -> UnixNanos:
    return UnixNanos(time.time_ns())
