"""One world for all: making its keys takes a moment."""

import pytest

from tests.proof.world import World


@pytest.fixture
def world() -> World:
    return World()
