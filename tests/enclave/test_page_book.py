"""Pages of the committee that an enclave remembers.

Those of the trie, bounded, seldom walked for.
"""

from functools import cache

import pytest

from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.enclave import page_book
from keymoot.runtime.committee_pages import committee_in
from keymoot.store.blobs import BlobCache
from keymoot.store.errors import ReadOnly
from keymoot.store.public import public_slot
from keymoot.store.state import State
from keymoot.store.trie import NodeCache
from tests.enclave.blocks import (
    NETWORK,
    Blocks,
    OpenNodes,
    Socket,
)
from tests.enclave.replicas import run
from tests.runtime.people import OWNER, Scenario, calldata
from tests.runtime.transcript import found_committee, words

PAGES = [f"page/{n}" for n in range(6)]


@cache
def pages() -> Blocks:
    """Give blocks that write pages of the committee, long and short, and remove some."""
    source = Blocks()
    scenario = Scenario.__new__(Scenario)
    scenario.chain = source
    for at in range(40):
        content = b"" if at % 4 == 2 else bytes((at,)) * (at % 3 * 30 + 1)
        data = calldata(OpenNodes, "put", PAGES[at * at % 7 % 5].encode(), content)
        source.send_together([scenario.raw(OWNER, Nodes.ADDRESS, data)] if at % 3 else [])
    return source


def page_in(state: State, name: str) -> bytes | None:
    return state.entry(Nodes.ADDRESS, public_slot(Nodes.pages.slot_key(name.encode())))


def test_pages_are_those_of_the_trie_and_most_cost_no_walk() -> None:
    source = pages()
    channel = Socket(source)
    replica = source.replica(channel.remote())
    names, seen = PAGES, set()
    for height in range(1, source.height + 1):
        run(replica, source, to=height, every=4)
        for at in range(max(0, height - 9), height + 1):
            for name in names:
                wanted = page_in(source.state(Height(at)), name)
                assert replica.pages_at(Height(at)).get(name) == wanted, (at, name)
                seen.add((name, wanted))
    assert len(seen) > 3 * len(names)
    for name in names:
        replica.pages.get(name)
    asked = len(channel.asked)
    for name in names * 10:
        replica.pages.get(name)
    assert len(channel.asked) == asked
    with pytest.raises(ReadOnly):
        replica.pages.set("head", b"")


def test_a_page_is_read_from_the_trie_once() -> None:
    source = pages()
    channel = Socket(source)
    replica = source.replica(channel.remote())
    # No node and no long value is remembered here, so that every walk is a question.
    replica._nodes, replica._blobs = NodeCache(1), BlobCache(0)
    for name in PAGES:
        replica.pages.get(name)
    run(replica, source)
    before = len(channel.asked)
    for name in PAGES:
        assert replica.pages.get(name) == page_in(source.state(), name)
    assert len(channel.asked) == before


def test_a_committee_is_read_from_the_pages() -> None:
    source = Blocks()
    scenario = Scenario.__new__(Scenario)
    scenario.chain = source
    found_committee(scenario)
    for raw in words(scenario):
        source.send(raw)
    replica = source.replica(Socket(source).remote())
    run(replica, source, every=5)
    mine, true = CommitteeMachine(replica.pages, NETWORK), committee_in(source.state(), NETWORK)
    assert mine.state.record == true.state.record
    assert list(mine.names()) == list(true.names())


def test_remembered_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = pages()
    monkeypatch.setattr(page_book, "PAGES_BYTES", 700)
    replica = source.replica(Socket(source).remote())
    run(replica, source)
    for name in PAGES:
        assert replica.pages.get(name) == page_in(source.state(), name)
    assert 0 < len(replica._book._known) < len(PAGES)
    assert replica._book._size_bytes <= 700
