"""A dealing is kept once: what the state holds of it is taken from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import BrokenStorage
from keymoot.base.units import Height
from keymoot.engine.dealings import SHARED_BYTES, dealing_in, put_dealing
from keymoot.engine.undo import KEPT_BLOCKS, PastViews, old_values, put_undo
from keymoot.store.table import Batch, MemoryTable

KEY = b"b" + bytes(64)
CONTENT = bytes(range(256)) * 200
DEALING = b"before" * 20 + CONTENT + b"behind"
AT = Height(1)


class Chain:
    """Blocks that write, the first with a dealing."""

    def __init__(self, writes: Batch) -> None:
        self.table, self.height, self.past = MemoryTable(), Height(0), PastViews()
        self.add(writes, {})
        self.table.apply(self.put(writes))

    def put(self, writes: Batch) -> Batch:
        batch: Batch = {}
        put_dealing(batch, AT, 0, DEALING, writes)
        return batch

    def add(self, writes: Batch, more: Batch) -> None:
        self.height = Height(self.height + 1)
        batch = {**writes, **more}
        put_undo(batch, self.height, old_values(self.table, writes))
        self.table.apply(batch)

    def dealing(self) -> bytes | None:
        kept = self.height - KEPT_BLOCKS <= AT
        after = self.past.view(self.table, self.height, AT) if kept else None
        return dealing_in(self.table, AT, 0, after)

    def stored(self) -> int:
        return sum(len(value) for key, value in self.table.items() if key[:1] == b"D")


def test_it_is_whole_as_long_as_the_state_after_its_block_is_kept() -> None:
    chain = Chain({b"a": b"1", KEY: CONTENT})
    assert chain.stored() < len(DEALING) - len(CONTENT) + len(KEY) + 20
    assert chain.dealing() == DEALING
    chain.add({KEY: CONTENT[::-1]}, {})
    assert chain.dealing() == DEALING
    chain.add({KEY: None}, {})
    while chain.height < AT + KEPT_BLOCKS:
        assert chain.dealing() == DEALING
        chain.add({b"a": bytes([chain.height % 250 + 1])}, {})
    assert chain.dealing() == DEALING
    chain.add({}, {})
    assert chain.dealing() is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        CONTENT[: SHARED_BYTES - 1],
        CONTENT[:-1] + b"x",
        CONTENT + b"behind and more",
        b"x" + CONTENT,
    ],
    ids=["nothing", "too short", "another end", "longer", "another start"],
)
def test_what_the_state_does_not_hold_word_for_word_is_kept_whole(value: bytes | None) -> None:
    chain = Chain({KEY: value})
    chain.add({KEY: None}, {})
    assert dealing_in(chain.table, AT, 0, None) == DEALING


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=3), st.binary(max_size=40))
def test_the_same_bytes_come_back(before: bytes, beat: bytes, behind: bytes) -> None:
    content = beat * SHARED_BYTES
    raw, table, batch = before + content + behind, MemoryTable({KEY: content}), {}
    put_dealing(batch, AT, 7, raw, {KEY: content})
    table.apply(batch)
    assert dealing_in(table, AT, 7, table) == raw
    assert dealing_in(table, AT, 8, table) is None


@pytest.mark.parametrize("raw", [b"\x80", b"\xc0", b"\xc2\x01\x02", b"\xc1\xc0", b"junk"])
def test_an_altered_one_is_the_disks_fault(raw: bytes) -> None:
    chain = Chain({KEY: CONTENT})
    key = next(key for key, _ in chain.table.items() if key[:1] == b"D")
    chain.table.apply({key: raw})
    with pytest.raises(BrokenStorage, match="a dealing of block 1 is altered"):
        chain.dealing()
