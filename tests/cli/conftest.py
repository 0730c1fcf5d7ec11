"""What tests of the command line stand on."""

from functools import partial
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from keymoot.agent import keystore
from tests.cli.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(autouse=True)
def _keystores_open_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare commands within this process the second that a keystore takes to make and to open.

    What is real is seen in `tests/agent/test_keystore.py`, and by commands in a process.
    """
    monkeypatch.setattr(
        keystore, "create_keyfile_json", partial(create_keyfile_json, iterations=1 << 10)
    )
