"""Put a crowd of wallets into a stopped node's state.

A million creations through blocks would take the better part of an hour; the crowd is
written by the same trie, with the records that Wallets itself would have written, and the
next block continues on that root. For measurements only: a replay from genesis would
notice at once.
"""

import gc

from keymoot.engine.application import Committed
from keymoot.engine.start import open_application, stored_genesis

from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.wallet import BY_ASSEMBLY, Book, Wallet
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.keep import open_keep
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine import archive
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.store.entry import pack
from keymoot.store.keys import StateKeys
from keymoot.store.public import public_slot
from keymoot.store.state import Changes, Slot, State
from keymoot.store.trie import NodeCache
from tests.node.running import Running

AT_ONCE = 1_000_000


def crowd(node: Running, count: int) -> None:
    """Add `count` wallets to the state of a stopped node."""
    platform = SimulatedPlatform(read_fuse(node.fuse, node.data), measure(own_package()))
    keep = open_keep(node.config.enclave_folder(1), platform)
    store = LmdbStore(node.data)
    genesis = stored_genesis(store)
    app = open_application(store, genesis, StateKeys(keep.state, genesis.network))
    root, cache = app.committed.root, NodeCache(2_000_000)
    book = Slot(*pack(Book(quota=10**18).encode()))
    gc.disable()  # nothing here is garbage before the end
    for start in range(0, count, AT_ONCE):
        slots = {}
        for n in range(start, min(start + AT_ONCE, count)):
            name = WalletId(keccak256(b"crowd" + n.to_bytes(8, "big")))
            wallet = Wallet(
                owner=Address(name[:20]),
                recovery=Address(name[12:]),
                account=Address(name[6:26]),
                paused=False,
                policy_version=0,
                policy_hash=Hash32(bytes(32)),
                created_at=UnixSeconds(1),
                custody=BY_ASSEMBLY,
            )
            slots[public_slot(Wallets.wallets.slot_key(name))] = Slot(*pack(wallet.encode()))
            slots[public_slot(Wallets.books.slot_key(name))] = book
        with store.snapshot() as table:
            changes = Changes(slots={Wallets.ADDRESS: slots})
            root, batch = State(table, root, cache).updated(changes)
        store.write(batch)
    gc.enable()
    batch = {}
    done = app.committed
    archive.put_committed(batch, Committed(done.height, root, done.block, done.results_hash))
    store.write(batch)
    store.close()
