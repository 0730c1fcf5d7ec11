"""The lowest versions that pyproject.toml declares are enough to sign."""

import sys
from pathlib import Path

import pytest

from tests.ecosystem.fresh import ROOT, fresh, wheel

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]

SIGNING = (
    "tests/agent/test_account.py",
    "tests/agent/test_credential.py",
    "tests/agent/test_delivery.py",
    "tests/agent/test_dictionary.py",
    "tests/agent/test_keystore.py",
    "tests/agent/test_owner.py",
    "tests/agent/test_share.py",
    "tests/agent/test_transport.py",
    "tests/crypto",
    "tests/threshold/test_derived.py",
    "tests/threshold/test_ecdsa.py",
    "tests/threshold/test_frost.py",
)
TEST_TOOLS = ("pytest", "pytest-timeout", "pytest-asyncio", "hypothesis")


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the lowest versions have wheels for Python 3.11"
)
def test_the_lowest_declared_versions_sign(tmp_path: Path) -> None:
    made = fresh(tmp_path / "env")
    made.install("--resolution", "lowest-direct", "-r", "pyproject.toml")
    made.install("--no-deps", str(wheel(tmp_path)))
    made.install(*TEST_TOOLS)
    options = ["-q", "-c", "/dev/null", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    done = made.run("-m", "pytest", *options, "--rootdir", str(ROOT), *map(str, _paths()))
    assert done.returncode == 0, done.stdout
    shown = made.run("-m", "keymoot.cli", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "wallet" in shown.stdout


def _paths() -> list[Path]:
    return [ROOT / one for one in SIGNING]
