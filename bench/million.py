"""Put a crowd of wallets into a stopped node's state.

A million creations through blocks would take the better part of an hour; the crowd is
written by the same trie, with the records that Wallets itself would have written. One more
block, which nobody executed, carries that state; its certificate is forged, with the fuses of
enough simulated CPUs. For measurements only: a replay from genesis would notice at once.
"""

import gc
from dataclasses import replace

from demo.broken import share_of
from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import Gas, Height, UnixSeconds
from keymoot.committee.certified import certificate_message
from keymoot.committee.roots import CERTIFICATE
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, Book, Wallet
from keymoot.crypto.keccak import keccak256
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.sealed_state import open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.chain_store import CertifiedBlock, CertifiedRun, ChainStore, StoredBlock
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.runtime.committee_pages import committee_in
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.receipt import bloom
from keymoot.store.entry import pack
from keymoot.store.header import Header
from keymoot.store.public import public_slot
from keymoot.store.state import SlotValue, State, StateChanges
from keymoot.store.trie import EMPTY_ROOT, NodeCache
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.root import Share
from tests.node.running import Running

AT_ONCE = 1_000_000


def crowd(node: Running, count: int) -> None:
    """Add `count` wallets to the state of a stopped node."""
    store = LmdbStore(node.data)
    genesis = stored_genesis(store)
    chain = open_chain(store, genesis)
    root = _fill(store, chain.tip.state_root, count)
    newest = chain.block(chain.tip.height)
    header = replace(
        newest.header,
        parent_hash=newest.header.hash,
        state_root=root,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bloom(()),
        height=Height(newest.height + 1),
        gas_used=Gas(0),
    )
    done = CertifiedBlock(StoredBlock(header, ()), Outcome(header, (), {}))
    chain.write(chain.batch(CertifiedRun((done,), _certificate(node, chain, header))))
    chain.close()
    store.close()


def _fill(store: LmdbStore, root: Hash32, count: int) -> Hash32:
    """Write the wallets; give the root of the state that has them."""
    cache, book = NodeCache(2_000_000), SlotValue(*pack(Book(quota=10**18).encode()))
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
                custody=BY_COMMITTEE,
            )
            slots[public_slot(Wallets.wallets.slot_key(name))] = SlotValue(*pack(wallet.encode()))
            slots[public_slot(Wallets.books.slot_key(name))] = book
        with store.snapshot() as table:
            changes = StateChanges(slots={Wallets.ADDRESS: slots})
            root, batch = State(table, root, cache).updated(changes)
        store.write(batch)
    gc.enable()
    return root


def _certificate(node: Running, chain: ChainStore, header: Header) -> bytes:
    """Forge a block's certificate, as whoever has the fuses of enough CPUs can."""
    network = chain.genesis.network
    machine = committee_in(chain.state(), network)
    root, measured = machine.state.root(CERTIFICATE), measure(own_package())
    message = certificate_message(network, header.generation, header.height, header.hash)
    signed = {}
    for seat in range(1, root.degree + 2):
        platform = SimulatedPlatform(read_fuse(node.config.fuse_of(seat), node.data), measured)
        epoch = open_sealed_state(node.config.enclave_folder(seat), platform).epoch
        secret = share_of(machine, CERTIFICATE, seat, epoch)
        signed[seat] = bls.sign(Share(seat, secret, root), message)
    return G1.encode(interpolate_points(G1, signed))
