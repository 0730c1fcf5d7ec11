"""The chain as an enclave executes it, on a state that its host keeps and may lie about.

It begins at a block that somebody else has checked, and from there on believes nothing but
what it executed itself: each read is checked up to the root that it computed. What blocks did
is held here until they are certified; what may leave, and when, is decided by others.

The first thing that does not fit ends a replica: every later call raises the same error. To go
on, the enclave starts anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from keymoot.base.errors import (
    BrokenStorage,
    Defect,
    Fault,
    KeymootError,
    Malformed,
    Refused,
)
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.statekey.version import version_in
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.registry import Registry
from keymoot.enclave.layers import Layers, batch_bytes
from keymoot.enclave.page_book import PageBook, StatePages
from keymoot.enclave.remote import Host
from keymoot.runtime.block import Block, Executed, NetworkConstants, Tip
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.blobs import BlobCache
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.trie import NodeCache

CACHED_NODES = 30_000
"""Nodes of the trie that stay in memory, about 30 MB."""

CACHED_BLOB_BYTES = 33_554_432
"""Long values that stay in memory."""

ASKED_NODES, ASKED_BLOB_BYTES = 4_000, 4_194_304
"""The same for queries: what strangers ask for does not drive out what blocks need."""

MAX_TAIL_BYTES = 134_217_728
"""What blocks may take in memory before they are certified and the host has written them."""

MAX_TAIL_BLOCKS = 4_096
"""How many such blocks there may be."""

KEPT_BLOCKS = 16
"""Blocks whose outcomes stay to be given again, beside all that the newest certificate covers."""

KEPT_BYTES = 33_554_432
"""What these may take in memory."""

_RECEIPT_BYTES = 1_024
"""What keeping a receipt costs beside its output and logs."""


class Diverged(Fault, code="DIVERGED"):
    """What the host shows does not continue what was executed here."""


class TailTooLong(Refused, code="TAIL_TOO_LONG"):
    def __init__(self, blocks: int, size_bytes: int) -> None:
        super().__init__(
            f"{blocks} blocks of {size_bytes} bytes wait for a certificate or for the host's "
            f"disk, at most {MAX_TAIL_BLOCKS} of {MAX_TAIL_BYTES} may: write what is certified, "
            "and show the certificate of a later block"
        )


class NotKept(Refused, code="NOT_KEPT"):
    def __init__(self, height: Height, low: Height, high: Height) -> None:
        super().__init__(f"block {height} was asked for, blocks {low} to {high} are known here")


class Replica:
    """One start's chain of executed blocks."""

    def __init__(
        self,
        begun: Tip,
        chain: NetworkConstants,
        keys: StateKeys,
        host: Host,
        contracts: Registry | None = None,
    ) -> None:
        """Begin at a block that is certified, or at the genesis; nothing is read yet.

        The keys lack the secret until the ledger has one; the host has the state of `begun` on its
        disk. The contracts are the built-in ones if none are given.
        """
        self._begun, self._tip = begun, begun
        # The newest certificate covers the blocks above `_before`, up to `_certified`.
        self._before = self._certified = begun.height
        self._keys = keys
        contracts = built_in_registry() if contracts is None else contracts
        self._transition = StateTransition(chain, contracts, keys)
        self._layers = Layers(begun.height, host)
        self._nodes, self._blobs = NodeCache(CACHED_NODES), BlobCache(CACHED_BLOB_BYTES)
        self._asked = NodeCache(ASKED_NODES), BlobCache(ASKED_BLOB_BYTES)
        self._book = PageBook(begun.height)
        # By height, the oldest first: the last few certified ones and all that are not.
        self._executed: dict[Height, Executed] = {}
        self._sizes: dict[Height, int] = {}
        self._over: KeymootError | None = None

    @property
    def tip(self) -> Tip:
        return self._tip

    def can_execute(self) -> bool:
        """Tell whether the state secrets are here that the next block needs."""
        with self.guard():
            return self._keys.at(version_in(self.pages_at(self._tip.height))).held

    def execute(self, block: Block) -> Executed:
        """Execute the next block.

        Raises:
            TailTooLong: not now; the same block may be shown again later.
            Diverged: it does not follow the tip, or is no block that one may execute.
            BrokenStorage: a read from the host did not fit.
            Defect: our own code failed.
        """
        with self.guard():
            self._check_tail()
            height = self._tip.height
            try:
                executed = self._transition.execute(self.state(height), self._tip, block)
            except (Refused, Malformed) as error:
                raise Diverged(f"block {height + 1} is not executed: {error}") from error
            # What our code did not expect holds its whole call stack; no enclave logs it.
            executed = replace(executed, faults=())
            height = executed.header.height
            self._executed[height] = executed
            self._sizes[height] = _size(executed)
            self._layers.add(height, executed.writes)
            self._book.add(height, executed.changes)
            self._tip = executed.tip
            return executed

    def certified(self, height: Height, name: Hash32) -> None:
        """Have a block, and all before it, as certified: whoever calls has checked that.

        What they wrote is forgotten as far as the host says that it is on its disk.
        """
        with self.guard():
            executed = self._executed.get(height)
            if executed is None or height <= self._certified or executed.header.hash != name:
                raise Diverged(f"block {height} of this hash does not wait for a certificate here")
            self._layers.certify(height)
            self._book.settle(height)
            self._before, self._certified = self._certified, height
            self._trim()

    def executed(self, height: Height) -> Executed:
        """Give what executing a block gave: one that is not certified, or was lately."""
        with self.guard():
            block = self._executed.get(height)
            if block is None:
                raise NotKept(height, self._low(), self._tip.height)
            return block

    def outcome(self, height: Height) -> bytes:
        """Give the bytes that leave for a block; the same whenever asked."""
        if height > self._certified:
            raise NotKept(height, self._low(), self._certified)
        return Outcome.of(self.executed(height)).encode()

    def state(self, height: Height) -> State:
        """Give the state after a block: from where the replica began, or of one that is kept.

        Read it under `guard`.
        """
        return State(self._layers.table(height), self._root(height), self._nodes, blobs=self._blobs)

    def state_for_queries(self) -> State:
        """Give the newest certified state to another thread, which may read it as long as it will.

        What it reads is checked as ever, and what does not fit ends that query and not the
        replica: nothing was executed on it.
        """
        height = self._certified
        nodes, blobs = self._asked
        return State(self._layers.table(height), self._root(height), nodes, blobs=blobs)

    @property
    def revision(self) -> int:
        """Rises with the certified state where the committee's pages change; see `PageBook`."""
        return self._book.revision

    @property
    def pages(self) -> StatePages:
        """The committee's pages in the newest certified state; most cost no read of the trie."""
        return self.pages_at(self._certified)

    def pages_at(self, height: Height) -> StatePages:
        """Give the committee's pages after a block that is kept. Read them under `guard`."""
        return StatePages(self._book, self.state(height), height)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Read what this replica gave; what does not fit ends it."""
        if self._over is not None:
            raise self._over.with_traceback(None)
        try:
            yield
        except (BrokenStorage, Diverged, Defect) as error:
            self._over = error
            raise
        except KeymootError:
            raise
        except Exception as error:
            self._over = Defect("the replica met what its code did not expect; start it anew")
            raise self._over from error

    def _root(self, height: Height) -> Hash32:
        if height == self._begun.height and height > self._before - KEPT_BLOCKS:
            return self._begun.state_root
        return self.executed(height).header.state_root

    def _check_tail(self) -> None:
        blocks, size = self._tail()
        if blocks < MAX_TAIL_BLOCKS and size < MAX_TAIL_BYTES:
            return
        # The host may have written since the newest certificate.
        self._layers.settle()
        blocks, size = self._tail()
        if blocks >= MAX_TAIL_BLOCKS or size >= MAX_TAIL_BYTES:
            raise TailTooLong(blocks, size)

    def _tail(self) -> tuple[int, int]:
        """Count the blocks that wait, for a certificate or for the host; and their bytes."""
        waiting = [self._sizes[height] for height in self._executed if height > self._certified]
        size = max(sum(waiting), self._layers.size_bytes)
        return max(len(waiting), len(self._layers)), size

    def _trim(self) -> None:
        kept = 0
        for height in sorted((old for old in self._executed if old <= self._before), reverse=True):
            kept += self._sizes[height]
            if height <= self._before - KEPT_BLOCKS or kept > KEPT_BYTES:
                del self._executed[height], self._sizes[height]

    def _low(self) -> Height:
        return min(self._executed, default=Height(self._tip.height + 1))


def _size(executed: Executed) -> int:
    """Give what keeping a block takes in memory, about."""
    size = batch_bytes(executed.writes)
    for receipt in executed.receipts:
        size += _RECEIPT_BYTES + len(receipt.output)
        size += sum(len(log.data) + _RECEIPT_BYTES for log in receipt.logs)
    return size
