"""The blocks of a stopped node, executed again by whoever has its state secret."""

from dataclasses import dataclass
from typing import Self

from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.genesis import Genesis
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.sealed_state import open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.runtime.block import Executed, NetworkConstants, Tip
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.testing.clients import Served
from tests.node.running import Running


@dataclass(frozen=True)
class Replaying:
    """A stopped node's disk, and the state secret of version 0."""

    genesis: Genesis
    store: LmdbStore
    chain: ChainStore
    keys: StateKeys

    @classmethod
    def of(cls, node: Running | Served, *, keeps_dealings: bool = False) -> Self:
        """Open it; only a network that nobody has left uses version 0 still."""
        if isinstance(node, Running):
            config, fuse = node.config, read_fuse(node.fuse, node.data)
        else:
            config, fuse = node.world.host.config, Secret(bytes((1,)) * 32)
        platform = SimulatedPlatform(fuse, measure(own_package()))
        secret = open_sealed_state(config.enclave_folder(1), platform).state
        store = LmdbStore(config.data)
        genesis = stored_genesis(store)
        assert genesis is not None
        chain = open_chain(store, genesis, keeps_dealings=keeps_dealings)
        return cls(genesis, store, chain, StateKeys(secret, genesis.network))

    def again(self, height: int, state: State, tip: Tip) -> Executed:
        """Execute a block on the state before it; what it says is what stands on the disk."""
        genesis = self.genesis
        stored = self.chain.block(Height(height))
        assert stored is not None
        chain = NetworkConstants(genesis.network, genesis.chain_id, genesis.base_fee)
        transition = StateTransition(chain, built_in_registry(), self.keys)
        executed = transition.execute(state, tip, stored.order())
        assert executed.header == stored.header
        assert executed.receipts == self.chain.receipts(Height(height))
        return executed

    def close(self) -> None:
        self.chain.close()
        self.store.close()
