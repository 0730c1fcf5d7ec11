"""Where the committee's state is kept: named pages of bytes.

On the ledger a page is a cell of the contract Nodes, with a proof; in an enclave it is
an entry of a dictionary that began with proven pages and follows the blocks. The same code
turns both.
"""

from collections.abc import Iterator
from typing import Protocol

from keymoot.base.errors import Malformed
from keymoot.store.entry import MAX_BLOB_BYTES


class Pages(Protocol):
    """Pages by name."""

    def get(self, name: str) -> bytes | None: ...

    def set(self, name: str, content: bytes | None) -> None:
        """Write a page; None removes it."""
        ...


class MemoryPages:
    """Pages in a dictionary."""

    def __init__(self, pages: dict[str, bytes] | None = None) -> None:
        self._pages = dict(pages or {})

    def get(self, name: str) -> bytes | None:
        return self._pages.get(name)

    def set(self, name: str, content: bytes | None) -> None:
        if content is None:
            self._pages.pop(name, None)
        else:
            self._pages[name] = content

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        yield from sorted(self._pages.items())


class DraftPages:
    """Changes over other pages, kept or thrown away as one."""

    def __init__(self, below: Pages) -> None:
        self._below = below
        self._changed: dict[str, bytes | None] = {}
        self._read: dict[str, bytes | None] = {}

    def get(self, name: str) -> bytes | None:
        if name in self._changed:
            return self._changed[name]
        # A message looks at the same few pages again and again; below nothing changes meanwhile.
        if name not in self._read:
            self._read[name] = self._below.get(name)
        return self._read[name]

    def set(self, name: str, content: bytes | None) -> None:
        """Raise Malformed where it is longer than a cell of the ledger, wherever it is kept."""
        if content is not None and len(content) > MAX_BLOB_BYTES:
            raise Malformed(f"a page has at most {MAX_BLOB_BYTES} bytes, got {len(content)}", name)
        self._changed[name] = content

    def keep(self) -> None:
        for name, content in self._changed.items():
            self._below.set(name, content)
        self._changed.clear()
        self._read.clear()
