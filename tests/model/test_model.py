"""The rules of certificates: searched, and each missed when it is taken out.

The long searches run with `make model`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import of

CHECK = Path(__file__).parents[2] / "model" / "check.py"


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler: g++")
@pytest.mark.timeout(900)
def test_every_search_ends_as_it_must():
    done = subprocess.run(
        [sys.executable, CHECK, of(quick="--quick", thorough="--thorough")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every search ended as it must" in done.stdout
