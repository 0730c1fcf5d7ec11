"""Join engine, enclave and gateway into one node.

This is the only place where the two meet: the enclave hands its network's state secret to
the node that it is part of, and the engine gets it as an object that opens and seals.
"""

import asyncio
import time
from dataclasses import dataclass
from importlib.metadata import version

from keymoot.attest.validators import Ed25519Key
from keymoot.base.units import UnixNanos
from keymoot.enclave.client import EnclaveClient
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import Mempool
from keymoot.engine.start import open_application, stored_genesis
from keymoot.gateway.services import NodeInfo, Services
from keymoot.node.config import Config
from keymoot.node.faucet import FAUCET_ACCOUNT, TEST_SUPPLY, Faucet
from keymoot.node.shares import ShareService
from keymoot.runtime.genesis import BASE_FEE_WEI, LOCAL_CHAIN_ID, Genesis, Member
from keymoot.store.keys import StateKeys


def system_clock() -> UnixNanos:
    """Read the machine's clock."""
    return UnixNanos(time.time_ns())


@dataclass(frozen=True, slots=True)
class Node:
    """A node's parts, ready to run."""

    engine: LocalEngine
    enclave: EnclaveClient
    shares: ShareService
    services: Services
    store: LmdbStore

    async def run(self) -> None:
        """Make blocks and answer requests until cancelled, or until something breaks.

        Raises:
            ExceptionGroup: what broke.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.engine.run())
            tasks.create_task(self.shares.run())
            tasks.create_task(self._watch())

    async def close(self) -> None:
        """End the enclave and close the files."""
        await self.enclave.close()
        self.engine.close()
        self.store.close()

    async def _watch(self) -> None:
        status = await self.enclave.ended()
        raise EnclaveEnded(status)


class EnclaveEnded(Exception):
    """The enclave's process ended; without it the node can do nothing."""

    def __init__(self, status: int) -> None:
        """Carry the exit status."""
        super().__init__(f"the enclave's process ended with status {status}: start the node again")


async def build(config: Config) -> Node:
    """Start the enclave and open the data folder; begin a network if it is new.

    Raises:
        Refused: the enclave or the folder cannot be used; the message says what to do.
    """
    enclave = await EnclaveClient.start(config.enclave_folder, config.data, config.fuse)
    try:
        store = LmdbStore(config.data)
        genesis = stored_genesis(store) or _new_genesis(enclave)
        secret, generation = await enclave.join(genesis.encode())
        keys = StateKeys(secret, genesis.network, generation)
        engine = LocalEngine(
            open_application(store, genesis, keys), store, Mempool(), [enclave], system_clock
        )
    except BaseException:
        await enclave.close()
        raise
    ledger = Ledger(engine, system_clock)
    shares = ShareService(ledger, enclave, keys)
    faucet = Faucet(ledger).drip if genesis.development else None
    services = Services(ledger, shares, _info(enclave), faucet)
    return Node(engine, enclave, shares, services, store)


def _new_genesis(enclave: EnclaveClient) -> Genesis:
    """Describe a development network of this one enclave."""
    identity = enclave.identity
    if identity is None:
        raise RuntimeError("the enclave was not greeted")
    member = Member(Ed25519Key(identity.consensus_key), identity.identity_key, 1)
    return Genesis(
        chain_id=LOCAL_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=system_clock(),
        members=(member,),
        allocations=((FAUCET_ACCOUNT, TEST_SUPPLY),),
    )


def _info(enclave: EnclaveClient) -> NodeInfo:
    identity = enclave.identity
    if identity is None:
        raise RuntimeError("the enclave was not greeted")
    return NodeInfo(
        version=version("keymoot"),
        simulated=identity.simulated,
        identity_key=identity.identity_key,
        measurement=identity.measurement,
        quote=identity.quote,
    )
