"""Vault's custody: signatures with keys that a certified state holds, sealed."""

from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.registry import built_in_registry
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave.signing import Mark
from keymoot.moot.genesis import Genesis
from keymoot.runtime.execute import Contracts
from keymoot.runtime.release import release
from keymoot.store.keys import StateKeys
from keymoot.store.state import State


@dataclass
class Releaser:
    """Signs what a certified state says is bound, and nothing else."""

    genesis: Genesis
    keys: StateKeys
    contracts: Contracts = field(default_factory=built_in_registry)

    def release(
        self, state: State, mark: Mark, time: UnixSeconds, request: Hash32, now: UnixSeconds
    ) -> bytes:
        """Give digest and signature of a request in Vault's custody.

        Args:
            state: The newest certified one.
            mark: Its block.
            time: Its block's.
            request: The request's name on the ledger.
            now: The later of that time and the clock.

        Raises:
            NotBound: unknown, refused, expired, paused or revoked.
        """
        genesis = self.genesis
        block = BlockEnvironment(
            network=genesis.network,
            chain_id=genesis.chain_id,
            height=mark.height,
            time=time,
            seed=mark.hash,
            base_fee=genesis.base_fee,
        )
        done = release(state, block, self.contracts, self.keys, request, now)
        # What leaves is checked once more: a faulty signature could tell the key.
        if recover(done.record.digest, done.signature) != done.account:
            raise Refused("the signature does not fit the wallet")
        return rlp.encode([done.record.digest, done.signature])
