"""One figure, and how figures are taken: medians of repeated runs."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `goal` is None for floors and side figures."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: str = "lower"

    @property
    def met(self) -> bool:
        if self.goal is None:
            return True
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal

    def at(self, pace: float) -> "Row":
        """Give the figure as a machine of pace 1 would have it; counts and ratios stay."""
        if self.unit in ("s", "ms", "µs"):
            return replace(self, value=self.value / pace)
        return replace(self, value=self.value * pace) if self.unit == "per second" else self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def median_seconds(
    work: Callable[[], Any],
    runs: int,
    warm: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Time single calls and give the median; by the wall, or by another clock."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(runs):
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)
