"""State: updates of the trie, confidential against public cells."""

import random
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.row import Row
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Wei
from keymoot.contracts import ConfidentialMap, Context, Contract, PublicMap, call, uint64
from keymoot.crypto.keccak import keccak256
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.runtime.chain import MemoryChain
from keymoot.store.state import SlotValue, State, StateChanges
from keymoot.store.trie import EMPTY_ROOT, NodeCache
from tests.runtime.people import OWNER, Scenario, calldata

ENTRIES, UPDATES, RUNS = 100_000, 1_000, 9
CELLS = 200


class Cells(Contract):
    """Gets and sets many cells in one call, of either kind."""

    ADDRESS = Address(b"cells".ljust(20, b"\0"))

    open_cells = PublicMap("open", Bytes32, bytes)
    sealed_cells = ConfidentialMap("sealed", Bytes32, bytes)

    @call
    def public(self, ctx: Context, start: uint64) -> None:
        for n in range(CELLS):
            key = Bytes32((start + n).to_bytes(32, "big"))
            store = ctx.public_store()
            self.open_cells.set(store, key, (self.open_cells.get(store, key) or b"v" * 40)[::-1])

    @call
    def confidential(self, ctx: Context, start: uint64) -> None:
        for n in range(CELLS):
            key = Bytes32((start + n).to_bytes(32, "big"))
            store = ctx.confidential_store()
            found = self.sealed_cells.get(store, key) or b"v" * 40
            self.sealed_cells.set(store, key, found[::-1])


def measure() -> list[Row]:
    return [*_updates(), *_cells()]


def _updates() -> list[Row]:
    who, rng = Address(b"w" * 20), random.Random(1)

    def slot(n: int) -> Bytes32:
        return Bytes32(keccak256(n.to_bytes(8, "big")))

    with tempfile.TemporaryDirectory() as folder:
        store, cache = LmdbStore(Path(folder)), NodeCache()
        with store.snapshot() as table:
            first = {slot(n): SlotValue(b"\1" + n.to_bytes(8, "big")) for n in range(ENTRIES)}
            root, batch = State(table, EMPTY_ROOT, cache).updated(StateChanges(slots={who: first}))
        store.write(batch)
        times = []
        for _ in range(RUNS):
            names = rng.sample(range(ENTRIES), UPDATES)
            changes = StateChanges(
                slots={who: {slot(n): SlotValue(b"\1" + rng.randbytes(9)) for n in names}}
            )
            with store.snapshot() as table:
                start = time.perf_counter()
                root, batch = State(table, root, cache).updated(changes)
                store.write(batch)
                times.append(time.perf_counter() - start)
        store.close()
    return [Row("1,000 updates on 100,000 entries, committed", median(times) * 1e3, "ms", 150)]


def _cells() -> list[Row]:
    scenario = Scenario.__new__(Scenario)
    scenario.chain = MemoryChain({Cells.ADDRESS: Cells()}, {OWNER.address: Wei(10**24)})
    times: dict[str, list[float]] = {"public": [], "confidential": []}
    for _ in range(RUNS + 2):
        for name, taken in times.items():
            raw = scenario.raw(OWNER, Cells.ADDRESS, calldata(Cells, name, 0), gas=20_000_000)
            start = time.perf_counter()
            assert scenario.chain.send(raw).status == 1
            taken.append(time.perf_counter() - start)
    public, confidential = (median(times[name][2:]) for name in ("public", "confidential"))
    return [
        Row("public get and set through ctx, committed", public / CELLS * 1e6, "µs"),
        Row("confidential get and set through ctx, committed", confidential / CELLS * 1e6, "µs"),
        Row("confidential / public", confidential / public, "ratio", 2),
    ]
