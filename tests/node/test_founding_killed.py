"""An enclave that ends while its network is founded: the node begins the founding anew."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.examples import of
from tests.node.dying import VARIABLE
from tests.node.running import Running

MAKING = "making keys together"


def test_it_begins_anew_by_itself_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "execute:9:before:asked")
    node = Running(tmp_path / "node", "tests.node.dying")
    try:
        node.start()
        said = node.log.read_text()
        assert "the founding begins anew, with another id" in said
        assert said.count(f"{MAKING}: ") >= 2
        assert len(node.enclaves()) == 4
        node.network.committee()
        network = node.network.identity().network
        node.stop()
        node.module = "keymoot.cli"
        node.start()
        assert node.network.identity().network == network
    finally:
        if node.process is not None:
            node.kill()


@pytest.mark.skipif(
    of(quick=True, thorough=False), reason="quick: test_killed_steps kills a founding at a step"
)
@pytest.mark.timeout(900)
def test_a_node_that_is_killed_while_it_founds_founds_when_it_is_started_again(
    tmp_path: Path,
) -> None:
    node = Running(tmp_path / "node")
    for seconds in (1.5, 0.5, 2.5):
        starting = threading.Thread(target=_start, args=(node,))
        starting.start()
        while not node.log.exists() or node.process is None:
            time.sleep(0.005)
        time.sleep(seconds)
        os.killpg(node.process.pid, signal.SIGKILL)
        starting.join()
        node.process = None
    try:
        node.start()
        assert len(node.enclaves()) == 4
        node.network.committee()
    finally:
        if node.process is not None:
            node.kill()


def _start(node: Running) -> None:
    """Start it; it is killed while we wait."""
    try:
        node.start()
    except RuntimeError:
        return
