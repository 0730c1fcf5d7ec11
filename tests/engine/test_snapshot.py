"""Snapshots: complete, checked up to the root, and nothing beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.engine import snapshot
from keymoot.engine.snapshot import chunks, restore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import BrokenState
from tests.engine.house import House, founded
from tests.engine.test_means import owners_call
from tests.runtime.people import OWNER, RECOVERY


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(snapshot, "CHUNK_BYTES", 600)
    async with founded(tmp_path / "data") as made:
        for n in range(4):
            await owners_call(made, "create", bytes([n]) * 32, RECOVERY, value=10**18)
        yield made


async def test_a_state_comes_back_whole(house: House) -> None:
    root = house.ledger.state().root
    taken = list(chunks(house.store.snapshot()))
    assert len(taken) > 3
    table = MemoryTable()
    table.apply(restore(taken, root))
    here, there = house.ledger.state(), State(table, root)
    assert there.account(OWNER.address) == here.account(OWNER.address)
    kept = {k: v for k, v in house.store.snapshot().scan(b"", b"") if k[:1] in b"asb"}
    assert dict(table.items()) == kept


async def test_a_missing_altered_or_foreign_entry_is_refused(house: House) -> None:
    root = house.ledger.state().root
    taken = list(chunks(house.store.snapshot()))
    for at in range(len(taken)):
        with pytest.raises(BrokenState):
            restore(taken[:at] + taken[at + 1 :], root)
        pairs = rlp.decode(taken[at])
        pairs[0][1] = pairs[0][1][:-1] + bytes([pairs[0][1][-1] ^ 1])
        with pytest.raises(BrokenState):
            restore([*taken[:at], rlp.encode(pairs), *taken[at + 1 :]], root)
    with pytest.raises(Malformed, match="not part of the state"):
        restore([*taken, rlp.encode([[b"b" + bytes(64), b"smuggled"]])], root)
    with pytest.raises(Malformed):
        restore([*taken, b"\xc1"], root)
