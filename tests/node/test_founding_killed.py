"""An enclave that is killed while its network is founded: the node begins the founding anew."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.node.running import PATIENCE_SECONDS, Running

MAKING = "making keys together"


def kill_one_while_it_founds(node: Running) -> None:
    """Kill an enclave once keys are being made."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if node.log.exists() and MAKING in node.log.read_text():
            os.kill(node.enclaves()[-1], signal.SIGKILL)
            return
        time.sleep(0.005)


def test_it_begins_anew_by_itself_and_says_so(tmp_path: Path) -> None:
    node = Running(tmp_path / "node")
    killer = threading.Thread(target=kill_one_while_it_founds, args=(node,))
    killer.start()
    try:
        node.start()
        killer.join()
        said = node.log.read_text()
        assert "the founding begins anew, with another id" in said
        assert said.count(f"{MAKING}: ") >= 2
        assert len(node.enclaves()) == 4
        node.network.committee()
        network = node.network.identity().network
        node.stop()
        node.start()
        assert node.network.identity().network == network
    finally:
        if node.process is not None:
            node.kill()


@pytest.mark.timeout(900)
def test_a_node_that_is_killed_while_it_founds_founds_when_it_is_started_again(
    tmp_path: Path,
) -> None:
    node = Running(tmp_path / "node")
    for seconds in (0.5, 1.5, 2.5):
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
