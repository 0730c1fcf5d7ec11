"""The examples that are whole programs run, and end as they say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]


def test_the_attested_yield_optimiser_earns_and_obeys_no_stranger() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.yields"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused: NO_RULE" in done.stdout
    assert "the thief has 0.00" in done.stdout
    assert "SIMULATED" in done.stderr
