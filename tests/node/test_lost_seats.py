"""Seats whose folder was lost: the node has the others put them out, on a real ledger."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.moot import epoch, stock
from keymoot.node.changes import NoChange
from keymoot.node.standing import standing_json
from tests.enclave.delegate import Delegate
from tests.enclave.parliament import Parliament
from tests.enclave.test_changes import arrive
from tests.node.embedded import do, holder, node_of, until_turned


def lose_folder(parliament: Parliament, seat: int) -> None:
    """Delete a seat's folder; its enclave starts as another one."""
    one = parliament.delegates[seat]
    parliament.engine.unseat_signer(one)
    shutil.rmtree(one.folder)
    parliament.delegates[seat] = Delegate(seat, one.folder, parliament.said, parliament.take)
    parliament.delegates[seat].join(parliament.genesis, seat)


@pytest.fixture
def parliament(request, tmp_path: Path, monkeypatch) -> Iterator[Parliament]:
    monkeypatch.setattr(stock, "BATCH_SIZE", 2)
    monkeypatch.setattr(stock, "MIN_READY", 1)
    monkeypatch.setattr(epoch, "PATIENCE_BLOCKS", 2)
    monkeypatch.setattr(epoch, "PATIENCE_SECONDS", 0)
    made = Parliament(tmp_path, size=request.param)
    yield made
    made.close()


@pytest.mark.parametrize("parliament", [5, 8], indirect=True)
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


@pytest.mark.parametrize("parliament", [4], indirect=True)
def test_of_four_another_comes_as_the_lost_one_goes(parliament, monkeypatch):
    lose_folder(parliament, 2)
    node = node_of(parliament)

    async def add(seat: int) -> None:
        node._holders[seat] = holder(parliament.delegates[seat])

    monkeypatch.setattr(node, "add", add)
    with pytest.raises(NoChange, match="let another one join before"):
        do(parliament, node.changes.leave(2))
    arrive(parliament, 5)
    assert do(parliament, node.changes.join()) == 5
    do(parliament, node.changes.leave(2))
    do(parliament, node.changes.turn())
    until_turned(parliament, 0)
    assert parliament.assembly.hall.head.members == (1, 3, 4, 5)
    # and those four go on
    do(parliament, node.changes.turn())
    until_turned(parliament, 1)
