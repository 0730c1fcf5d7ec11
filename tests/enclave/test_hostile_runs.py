"""Hosts that schedule everything, in many short runs: what must never happen does not.

`make soak` does thousands of them. A run that fails says its seed and every step it took.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.enclave.hostile.run import Run
from tests.enclave.hostile.stage import Stage

STEPS = 25
SEEDS = 12
SOAKED = 2_000


def counted(stage: Stage, folder: Path, seeds: range, steps: int) -> Counter[str]:
    """Do a run for each seed; give how often what happened."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        with pytest.MonkeyPatch.context() as patch:
            at = folder / str(seed)
            notes = Run(stage.copy(at / "network"), at, seed, patch).run(steps)
        counts += notes.counts
        counts["generations"] += len({generation for generation, _ in notes.certified})
    return counts


def test_no_schedule_breaks_a_rule(stage: Stage, tmp_path: Path) -> None:
    counts = counted(stage, tmp_path, range(SEEDS), STEPS)
    # Runs in which nothing happens prove nothing.
    for what, least in {
        "certificates": 5 * SEEDS,
        "generations": SEEDS + 5,
        "ecdsa": 2 * SEEDS,
        "frost": SEEDS,
        "vault": SEEDS,
        "derived": 3,
        "dealings": 3 * SEEDS,
        "said RESHARE": SEEDS // 2,
        "said HELD": 2,
        "ended": SEEDS,
    }.items():
        assert counts[what] >= least, (what, counts)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1_000, 1_000 + SOAKED, 50))
def test_thousands_of_schedules_break_no_rule(stage: Stage, tmp_path: Path, first: int) -> None:
    counts = counted(stage, tmp_path, range(first, first + 50), 2 * STEPS)
    assert counts["certificates"] > 300


def test_a_seed_gives_the_same_run(stage: Stage, tmp_path: Path) -> None:
    """So that what one machine finds can be looked at on another."""

    def trace(name: str) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            at = tmp_path / name
            run = Run(stage.copy(at / "network"), at, 7, patch)
            run.run(15)
        return run.trace

    assert trace("one") == trace("other")
