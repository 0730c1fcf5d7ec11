"""Vault's custody: signatures with keys that a certified state holds, sealed."""

from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.committee.genesis import Genesis
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.registry import Registry
from keymoot.crypto.secp256k1 import recover
from keymoot.enclave.refusals import FaultySignature
from keymoot.enclave.signing import BlockMark
from keymoot.runtime.release import release
from keymoot.store.keys import StateKeys
from keymoot.store.state import State


@dataclass
class Releaser:
    """Signs what a certified state says is bound, and nothing else."""

    genesis: Genesis
    keys: StateKeys
    contracts: Registry = field(default_factory=built_in_registry)

    def release(
        self, state: State, mark: BlockMark, time: UnixSeconds, request: Hash32, now: UnixSeconds
    ) -> bytes:
        """Give digest and signature of a request in Vault's custody.

        The mark and the time are those of `state`, the newest certified one; `now` is the later of
        that time and the clock.
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
            raise FaultySignature
        return rlp.encode([done.record.digest, done.signature])
