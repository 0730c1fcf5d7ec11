"""For all tests: no property has a deadline, and no module leaves many files open.

A machine may be three times slower. And all tests share one process: what one module leaves
open, the others have to do without.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("keymoot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("keymoot")

MAX_LEFT_OPEN = 100
"""Clients that pool connections keep a few; what leaks, leaks with every test."""


@pytest.fixture(scope="module", autouse=True)
def _few_files_left_open() -> Iterator[None]:
    before = _open_files()
    yield
    if _open_files() - before > MAX_LEFT_OPEN:
        gc.collect()
        left = _open_files() - before
        assert left <= MAX_LEFT_OPEN, f"this module leaves {left} files open"


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
