"""For all tests: their order, how often a property is tried, one network, few files left open.

All tests share one process: what one module leaves open, the others have to do without.
"""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import examples, remembered
from tests.loops import own_time

if TYPE_CHECKING:
    from tests.node.running import Running

examples.register()
remembered.register()

AGE_BLOCKS = 300
"""How old the shared node is where there is time: its first states are gone, and few know that."""
MAX_LEFT_OPEN = 100
"""Clients that pool connections keep a few; what leaks, leaks with every test."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one file more at a time than there are cores: nodes and clients wait now and then."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: so all cores end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give a test whose subject waits a loop with a clock of its own, which no load moves."""
    marked = item.get_closest_marker("own_time") is not None
    return {"loop": own_time if marked else asyncio.new_event_loop}


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Running]":
    """Run one node, which keeps all it ever had, for all tests that neither stop nor change it.

    Each brings an owner and wallets of its own, and counts nothing that others may add to. A test
    whose subject is a node's beginning, end, options or seats runs one for itself.
    """
    from tests.node.running import new_blocks, running

    with running(tmp_path_factory.mktemp("node"), options=["--keep-dealings"]) as found:
        new_blocks(found, examples.of(quick=0, thorough=AGE_BLOCKS))
        yield found


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
