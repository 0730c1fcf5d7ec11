"""Seats whose folder was lost: the node has the others put them out, on a real ledger."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.moot import epoch, stock
from keymoot.node.standing import standing_json
from tests.enclave.delegate import Delegate
from tests.enclave.parliament import Parliament
from tests.node.embedded import do, node_of, until_turned


def lose_folder(parliament: Parliament, seat: int) -> None:
    """Delete a seat's folder; its enclave starts as another one."""
    one = parliament.delegates[seat]
    parliament.engine.unseat_signer(one)
    shutil.rmtree(one.folder)
    parliament.delegates[seat] = Delegate(seat, one.folder, parliament.said, parliament.take)
    parliament.delegates[seat].join(parliament.genesis, seat)


@pytest.fixture(params=[5, 8])
def parliament(request, tmp_path: Path, monkeypatch) -> Iterator[Parliament]:
    monkeypatch.setattr(stock, "BATCH_SIZE", 2)
    monkeypatch.setattr(stock, "MIN_READY", 1)
    monkeypatch.setattr(epoch, "PATIENCE_BLOCKS", 2)
    monkeypatch.setattr(epoch, "PATIENCE_SECONDS", 0)
    made = Parliament(tmp_path, size=request.param)
    yield made
    made.close()


def test_the_others_put_a_seat_out_whose_folder_was_lost(parliament):
    lose_folder(parliament, 2)
    node = node_of(parliament)
    do(parliament, node.changes.leave(2))
    told = standing_json(node)
    assert told["lost"] == [2]
    assert told["leaving"]["2"]["settled"]
    do(parliament, node.changes.turn())
    until_turned(parliament, 0)
    do(parliament, node.changes.tend())
    members = parliament.assembly.hall.head.members
    assert members == tuple(at for at in range(1, parliament.size + 1) if at != 2)
    assert standing_json(node)["lost"] == []
