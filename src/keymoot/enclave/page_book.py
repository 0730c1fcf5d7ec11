"""The committee's pages at the newest certified state and above it, kept by name.

Looking for tasks reads many pages after every block, and few of them have changed: a page is
read from the trie once, and again only after a block that wrote it was certified. What a block
above wrote is taken from its changes.
"""

from functools import lru_cache

from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.committee.pages import STOCK
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.store.blobs import ENTRY_BYTES
from keymoot.store.entry import unpack
from keymoot.store.errors import ReadOnly
from keymoot.store.public import public_slot
from keymoot.store.state import SlotValue, State, StateChanges

PAGES_BYTES = 33_554_432
"""What the remembered pages may take; all are read anew when it is more."""


class PageBook:
    """Pages of every state from the newest certified one on."""

    def __init__(self, certified: Height) -> None:
        self._certified = certified
        self._known: dict[Bytes32, bytes | None] = {}
        self._size_bytes = 0
        self.revision = 0
        """Counts what was written to other pages than the stock's list; bindings write that."""
        # Of each block above it, what it wrote to the committee's pages.
        self._above: dict[Height, dict[Bytes32, SlotValue]] = {}

    def add(self, height: Height, changes: StateChanges) -> None:
        self._above[height] = changes.slots.get(Nodes.ADDRESS, {})

    def settle(self, certified: Height) -> None:
        for height in range(self._certified + 1, certified + 1):
            for slot, write in self._above.pop(Height(height)).items():
                self.revision += slot != _slot_of(STOCK.name)
                if slot in self._known:
                    self._forget(slot)
                    self._keep(slot, _content(write))
        self._certified = certified

    def get(self, name: str, state: State, height: Height) -> bytes | None:
        """Give a page of `state`, which is the one of `height`, or None."""
        slot = _slot_of(name)
        if height < self._certified:
            return state.entry(Nodes.ADDRESS, slot)
        for at in range(height, self._certified, -1):
            write = self._above[Height(at)].get(slot)
            if write is not None:
                return _content(write)
        if slot not in self._known:
            # No block above the certified one wrote it: it is as it is there.
            self._keep(slot, state.entry(Nodes.ADDRESS, slot))
        return self._known[slot]

    def _keep(self, slot: Bytes32, content: bytes | None) -> None:
        size = len(content or b"") + ENTRY_BYTES
        if self._size_bytes + size > PAGES_BYTES:
            self._known.clear()
            self._size_bytes = 0
        self._known[slot] = content
        self._size_bytes += size

    def _forget(self, slot: Bytes32) -> None:
        self._size_bytes -= len(self._known.pop(slot) or b"") + ENTRY_BYTES


class StatePages:
    """The committee's pages in one state; nothing can be written."""

    def __init__(self, book: PageBook, state: State, height: Height) -> None:
        self._book, self._state, self._height = book, state, height

    def get(self, name: str) -> bytes | None:
        return self._book.get(name, self._state, self._height)

    def set(self, name: str, content: bytes | None) -> None:  # noqa: ARG002
        """Refuse: only blocks write.

        Raises:
            ReadOnly: always.
        """
        raise ReadOnly


@lru_cache(maxsize=4_096)
def _slot_of(name: str) -> Bytes32:
    return public_slot(Nodes.pages.slot_key(name.encode()))


def _content(write: SlotValue) -> bytes | None:
    return unpack(write.value, write.blob) if write.value else None
