"""Tables as of earlier heights are what they were."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import BrokenStorage
from keymoot.base.units import Height
from keymoot.engine.undo import KEPT_BLOCKS, PastViews, StateNotKept, old_values, put_undo
from keymoot.store.table import Batch, MemoryTable

KEYS = [b"a" + bytes([n]) for n in range(12)] + [b"s" * 33, b"b" * 130]
BATCHES = st.lists(
    st.dictionaries(
        st.sampled_from(KEYS), st.one_of(st.none(), st.binary(min_size=1, max_size=40)), max_size=6
    ),
    min_size=300,
    max_size=300,
)


class Chain:
    """Blocks that only write, and every state that there was."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        self.height = Height(0)
        self.states: list[dict[bytes, bytes]] = [{}]

    def add(self, writes: Batch) -> None:
        self.height = Height(self.height + 1)
        batch = dict(writes)
        put_undo(batch, self.height, old_values(self.table, writes))
        self.table.apply(batch)
        self.states.append({key: value for key, value in self.table.items() if key[:1] != b"U"})

    def undo_count(self) -> int:
        return sum(key[:1] == b"U" for key, _ in self.table.items())


@settings(max_examples=10, deadline=None)
@given(BATCHES)
def test_every_kept_state_is_what_it_was(batches: list[Batch]) -> None:
    chain, past, poor = Chain(), PastViews(), PastViews(cached_bytes=400)
    for number, writes in enumerate(batches, 1):
        chain.add(writes)
        if number % 100:
            continue
        for height in range(max(0, number - KEPT_BLOCKS), number + 1):
            then = chain.states[height]
            for one in (past, poor) if height % 40 == 0 else (past,):
                view = one.view(chain.table, chain.height, Height(height))
                assert {key: view.get(key) for key in KEYS} == {key: then.get(key) for key in KEYS}


def test_no_more_entries_are_kept_than_states_can_be_asked_for() -> None:
    chain = Chain()
    for number in range(KEPT_BLOCKS + 44):
        chain.add({b"a": bytes([number % 251 + 1])})
    assert chain.undo_count() == KEPT_BLOCKS
    past = PastViews()
    assert past.view(chain.table, chain.height, Height(44)).get(b"a") == chain.states[44][b"a"]
    with pytest.raises(StateNotKept, match=f"from 44 to {KEPT_BLOCKS + 44}"):
        past.view(chain.table, chain.height, Height(43))
    with pytest.raises(StateNotKept):
        past.view(chain.table, chain.height, Height(KEPT_BLOCKS + 45))


def test_the_newest_state_is_the_table_itself() -> None:
    chain = Chain()
    chain.add({b"a": b"1"})
    assert PastViews().view(chain.table, chain.height, chain.height) is chain.table


def test_a_view_is_of_its_height_whatever_is_written_later() -> None:
    chain, past = Chain(), PastViews()
    chain.add({b"a": b"1"})
    chain.add({b"a": b"2"})
    before = MemoryTable(dict(chain.table.items()))
    view = past.view(before, Height(2), Height(1))
    chain.add({b"a": b"3"})
    past.view(chain.table, Height(3), Height(1)).get(b"a")
    assert view.get(b"a") == b"1"


@pytest.mark.parametrize("raw", [None, b"\x80", b"\xc1\xc0", b"junk"])
def test_a_missing_or_altered_entry_is_the_disks_fault(raw: bytes | None) -> None:
    chain = Chain()
    chain.add({b"a": b"1"})
    chain.table.apply({b"U" + (1).to_bytes(8, "big"): raw})
    with pytest.raises(BrokenStorage, match="block 1 wrote over"):
        PastViews().view(chain.table, Height(1), Height(0)).get(b"a")
