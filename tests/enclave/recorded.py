"""A stretch of a chain, taken down so that any process can execute it again."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.presign import ledger as stock
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.enclave.replica import CACHED_BLOB_BYTES, CACHED_NODES
from keymoot.runtime.block import Block, Executed, NetworkConstants, Tip
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.blobs import BlobCache
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import NodeCache
from tests.enclave.network import Network
from tests.runtime.people import RECOVERY, Scenario, payment

REQUESTS = 10
"""Requests of one block, of which the last is refused."""


@dataclass(frozen=True)
class Recorded:
    """Blocks, the state before them, and the headers that the network's enclaves agreed on."""

    chain: NetworkConstants
    secrets: tuple[tuple[Bytes32, bytes], ...]
    tip: Tip
    table: dict[bytes, bytes]
    blocks: tuple[Block, ...]
    hashes: tuple[Hash32, ...]
    batches: tuple[int, int]
    """What rules about the size and the number of batches it was made under."""

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps(self))


def record(network: Network, scenario: Scenario, blocks: int) -> Recorded:
    """Have blocks full of requests decided, and what members say in between; take all down."""
    branch, genesis = network.branch, network.genesis
    first = branch.certified
    for at in range(blocks):
        wishes = [payment(nonce, nonce) for nonce in range(REQUESTS * at, REQUESTS * (at + 1))]
        wishes[-1] = payment(1, REQUESTS * at, to=RECOVERY)
        raws = [network.request(scenario, wish.unsigned_bytes())[0] for wish in wishes]
        network.said[:] = raws + network.said
        network.settle()
    heights = [Height(at) for at in range(first + 1, branch.certified + 1)]
    return Recorded(
        NetworkConstants(genesis.network, genesis.chain_id, genesis.base_fee),
        tuple((name, one.expose()) for name, one in network.keys._secrets.items()),
        branch.tip(first),
        dict(branch.tables[first].items()),
        tuple(Block.decode(branch.blocks[at]) for at in heights),
        tuple(branch.headers[at].hash for at in heights),
        (stock.BATCH_SIZE, stock.MIN_READY),
    )


class Replay:
    """One execution of what was recorded, with the caches of an enclave's replica."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        self.tip, self.table = recorded.tip, MemoryTable(recorded.table)
        self._keys = StateKeys(None, recorded.chain.network)
        for name, secret in recorded.secrets:
            self._keys.take(Secret(secret), name)
        self._nodes, self._blobs = NodeCache(CACHED_NODES), BlobCache(CACHED_BLOB_BYTES)
        self._contracts = built_in_registry()

    def execute(self, block: Block) -> Executed:
        """Execute the next block; `keep` what it wrote before the one after it."""
        state = State(self.table, self.tip.state_root, self._nodes, blobs=self._blobs)
        transition = StateTransition(self.recorded.chain, self._contracts, self._keys)
        return transition.execute(state, self.tip, block)

    def keep(self, executed: Executed) -> None:
        self.table.apply(executed.writes)
        self.tip = executed.tip

    def hashes(self) -> Iterator[Hash32]:
        """Execute all blocks; give the hashes of their headers."""
        for block in self.recorded.blocks:
            executed = self.execute(block)
            self.keep(executed)
            yield executed.header.hash


def load(path: Path) -> Recorded:
    found = pickle.loads(path.read_bytes())  # noqa: S301  written by `save`
    assert isinstance(found, Recorded)
    return found


def tell(path: str) -> None:
    """Print the hashes of a file's headers; twice, now with what the first time left in memory."""
    taken = load(Path(path))
    stock.BATCH_SIZE, stock.MIN_READY = taken.batches
    for _ in range(2):
        print("".join(one.hex() for one in Replay(taken).hashes()))
