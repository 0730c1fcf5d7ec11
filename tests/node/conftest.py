"""The network in memory on which the tests of a node tell their stories."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.testing.network import World, memory


@pytest.fixture
def size() -> int | None:
    """How many enclaves it has; None for four."""
    return None


@pytest.fixture
def world(tmp_path: Path, size: int | None) -> Iterator[World]:
    with memory(7, tmp_path, batch=2, nodes=size) as made:
        yield made
