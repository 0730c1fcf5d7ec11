"""The same blocks give the same roots, receipts and words on every Python."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tools.pythons import FOLDER, MINORS, environment

ROOT = Path(__file__).parents[2]


@cache
def told(python: str) -> list[str]:
    """Give the transcript's lines as an interpreter tells them."""
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [python, "-m", "tests.runtime.transcript"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=surroundings,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("minor", MINORS)
def test_every_python_says_the_same(minor: int) -> None:
    python = environment(minor, ROOT / FOLDER)
    if python is None:
        pytest.skip(f"no environment of Python 3.{minor} in {FOLDER}: `make pythons`")
    own, other = told(sys.executable), told(str(python))
    for at, (here, there) in enumerate(zip(own, other, strict=False)):
        assert here == there, f"line {at}"
    assert len(own) == len(other)


def test_the_transcript_has_what_could_differ() -> None:
    own = told(sys.executable)
    for word in ("BAD_POLICY", "BAD_ARGUMENTS", "CONDITION_FAILED", "POLICY_EXPIRED", "UNWANTED"):
        assert any(f'"{word}"' in line for line in own), word
    assert any("0999-01-01T00:00:00Z" in line for line in own)
    assert not any('"UNEXECUTABLE"' in line for line in own)
