"""Runs from seeds: what must never happen does not, and what has to happen in some run does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keymoot.testing.notes import SOMETIMES, Notes, summed
from keymoot.testing.simulation import SimulationFailed, simulate
from tests import examples

pytestmark = pytest.mark.long

SEEDS = examples.of(quick=(7, 15, 16, 17), thorough=range(20))
"""The few have all in them that has to happen; after a change of what runs do, it may be others."""
MANY = 10_000

_FOUND: dict[int, Notes] = {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed(seed: int, tmp_path: Path) -> None:
    _FOUND[seed] = simulate(seed, tmp_path).notes
    assert _FOUND[seed].counts["signatures"]


def test_all_that_has_to_happen_happens_in_some_seed() -> None:
    if len(_FOUND) < len(SEEDS):
        pytest.skip("the seeds ran in another process, or not all of them")
    counts = summed(list(_FOUND.values()))
    assert [what for what in SOMETIMES if not counts[what]] == []


def test_a_seed_gives_the_same_blocks_in_another_process() -> None:
    assert _told("1") == _told("2")


def _told(hash_seed: str) -> str:
    """Give the hash of the last block of a run, in a Python that orders sets differently."""
    run = subprocess.run(
        [sys.executable, "-m", "keymoot.testing", "15"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = re.findall(r"^seed 15: .*", run.stdout, re.MULTILINE)
    return found


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_ten_thousand_seeds(tmp_path: Path) -> None:
    done, failed = [], []
    for seed in range(MANY):
        try:
            done.append(simulate(seed, tmp_path / str(seed)).notes)
        except SimulationFailed as error:
            failed.append(str(error))
    assert failed == []
    counts = summed(done)
    assert [what for what in SOMETIMES if not counts[what]] == []
