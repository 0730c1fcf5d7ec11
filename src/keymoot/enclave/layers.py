"""The state at each height that an enclave knows, over the one that its host has on disk.

The host writes a block when it is certified, or a block late, or more. So what each block
wrote stays in memory until two things hold: a certificate covers the block, and the host has
said that it has it. From then on the enclave asks for the state of that height: the base.
A read finds the newest write at or below its height, and goes to the host at the base if there
is none. The host may lie about what it has: it would be asked for what it cannot give.

Blocks and queries read in threads of their own. What was written moves to the host's disk
between two reads, never within one.
"""

import threading
from collections.abc import Sequence

from keymoot.base.units import Height
from keymoot.enclave.remote import Host
from keymoot.store.nodes import decode_node, next_on_path
from keymoot.store.table import Batch, PathTable

ENTRY_BYTES = 256
"""What keeping an entry costs beside its bytes."""

MAX_UNASKED_BLOCKS = 32
"""So many blocks stay here, where nothing is read from the host, before it is asked."""


class Layers:
    """What the blocks above the base have written."""

    def __init__(self, base: Height, host: Host) -> None:
        self.base = base
        self._host = host
        # The newest certified block, and the one of which the host was asked last.
        self._certified = self._asked = base
        self._blocks: dict[Height, Batch] = {}
        # Of each key its writes, by height, oldest first.
        self._writes: dict[bytes, list[tuple[Height, bytes | None]]] = {}
        self.size_bytes = 0
        # Whoever reads may find that the host is to be asked first.
        self.lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, height: Height, writes: Batch) -> None:
        with self.lock:
            self._blocks[height] = writes
            for key, value in writes.items():
                self._writes.setdefault(key, []).append((height, value))
            self.size_bytes += batch_bytes(writes)

    def certify(self, certified: Height) -> None:
        """Have a later block as certified.

        What is on the host's disk is asked before the next read, or when much has come together.
        """
        self._certified = certified
        if len(self) > MAX_UNASKED_BLOCKS:
            self.settle()

    def settle(self) -> None:
        """Move the base up to what the host has by its own word, at most to what is certified."""
        with self.lock:
            self._asked = self._certified
            self._move(min(self._host.newest(), self._certified))

    def _move(self, base: Height) -> None:
        for height in range(self.base + 1, base + 1):
            writes = self._blocks.pop(Height(height))
            for key in writes:
                left = self._writes[key]
                del left[0]
                if not left:
                    del self._writes[key]
            self.size_bytes -= batch_bytes(writes)
        self.base = Height(max(self.base, base))

    def table(self, height: Height) -> "LayeredTable":
        """Give the table as of a height; one below the base is the host's alone."""
        return LayeredTable(self, height)

    def find(self, key: bytes, height: Height) -> tuple[bool, bytes | None]:
        """Tell whether a block up to `height` wrote an entry here, and what."""
        for at, value in reversed(self._writes.get(key, ())):
            if at <= height:
                return True, value
        return False, None

    def below(self, height: Height) -> PathTable:
        """Give the host's table that a height stands on."""
        if self._asked < self._certified:
            self.settle()
        return self._host.table(min(self.base, height))


class LayeredTable(PathTable):
    def __init__(self, layers: Layers, height: Height) -> None:
        self._layers, self._height = layers, height

    def get(self, key: bytes) -> bytes | None:
        with self._layers.lock:
            written, value = self._layers.find(key, self._height)
            return value if written else self._layers.below(self._height).get(key)

    def path(self, prefix: bytes, nibbles: bytes, start: int) -> Sequence[bytes]:
        """Give the nodes along a path: what was written lies above what was not."""
        with self._layers.lock:
            return self._path(prefix, nibbles, start)

    def _path(self, prefix: bytes, nibbles: bytes, start: int) -> Sequence[bytes]:
        layers: list[bytes] = []
        at, wanted = start, True
        while wanted:
            written, raw = self._layers.find(prefix + nibbles[:at], self._height)
            if not written:
                return [*layers, *self._layers.below(self._height).path(prefix, nibbles, at)]
            if raw is None:
                break
            layers.append(raw)
            child, at = next_on_path(decode_node(raw), nibbles, at)
            wanted = child is not None
        return layers


def batch_bytes(batch: Batch) -> int:
    """Give what a batch takes in memory, about."""
    return sum(len(key) + len(value or b"") + ENTRY_BYTES for key, value in batch.items())
