"""Whoever executes a chain again has its headers, whatever he remembers and hashes by."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from keymoot.committee.messages import Kind
from keymoot.runtime.transactions import open_transaction
from tests.enclave.copies import copied
from tests.enclave.network import Network
from tests.enclave.recorded import Recorded, Replay, load, record

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys; from tests.enclave.recorded import tell; tell(sys.argv[1])"


@pytest.fixture(scope="module")
def file(founded: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    network = copied(founded, folder / "network")
    record(network, network.scenario(), 6).save(folder / "chain")
    return folder / "chain"


def test_the_chain_has_requests_refusals_and_dealings(file: Path) -> None:
    taken = load(file)
    kinds, codes = Counter[Kind](), Counter[str]()
    replay = Replay(taken)
    for block in taken.blocks:
        done = replay.execute(block)
        replay.keep(done)
        codes.update(one.error_code for one in done.receipts)
        for raw in block.transactions:
            opened = open_transaction(raw, taken.chain.chain_id, taken.chain.network)
            kinds.update([] if opened.message is None else [opened.message.kind])
    assert codes["NO_RULE"] == 6
    assert {Kind.FIRST, Kind.SECOND, Kind.ACK} <= kinds.keys()


def test_what_is_remembered_changes_no_header(file: Path) -> None:
    taken = load(file)
    for _ in range(2):
        assert tuple(Replay(taken).hashes()) == taken.hashes


def test_every_process_finds_the_headers_that_the_enclaves_agreed_on(file: Path) -> None:
    taken: Recorded = load(file)
    wanted = "".join(one.hex() for one in taken.hashes)
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(file)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [wanted, wanted]
