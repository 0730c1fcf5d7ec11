"""Join engine, enclaves and gateway into one node.

This is the only place where the two meet: enclaves hand their network's state secret to the
node that they are part of, and the engine gets it as an object that opens and seals, once
the secret is there.
"""

import asyncio
import time
from dataclasses import dataclass
from importlib.metadata import version

import structlog

from keymoot.attest.commit import Commit
from keymoot.attest.validators import Ed25519Key
from keymoot.base.units import LEDGER_CHAIN_ID, UnixNanos
from keymoot.enclave.messages import Identity
from keymoot.engine.application import Finalized
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.local import LocalEngine
from keymoot.engine.mempool import Mempool
from keymoot.engine.start import begin, members_in, open_application, stored_genesis
from keymoot.gateway.services import NodeInfo, SeatInfo, Services
from keymoot.moot.genesis import BASE_FEE_WEI, EPOCH_SECONDS, Founder, Genesis, Member
from keymoot.node.config import DEFAULT_NODES, Config
from keymoot.node.existing import check_ledger_is_there, check_options
from keymoot.node.faucet import FAUCET_ACCOUNT, TEST_SUPPLY, Faucet
from keymoot.node.handover import Handover
from keymoot.node.moot import Moot
from keymoot.node.shares import ShareService
from keymoot.node.storage import StorageWatch
from keymoot.store.keys import StateKeys


def system_clock() -> UnixNanos:
    """Read the machine's clock."""
    return UnixNanos(time.time_ns())


@dataclass(frozen=True, slots=True)
class Node:
    """A node's parts, ready to run."""

    engine: LocalEngine
    moot: Moot
    shares: ShareService
    services: Services
    store: LmdbStore
    handover: Handover
    storage: StorageWatch

    async def run(self) -> None:
        """Make blocks and answer requests until cancelled, or until something breaks.

        Raises:
            ExceptionGroup: what broke.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.engine.run())
            tasks.create_task(self.shares.run())
            tasks.create_task(self.moot.run())
            tasks.create_task(self.moot.enter())
            tasks.create_task(self.handover.watch())
            tasks.create_task(self.storage.run())

    async def close(self) -> None:
        """End the enclaves and close the files."""
        await self.moot.close()
        self.engine.close()
        self.store.close()


async def build(config: Config) -> Node:
    """Start the enclaves and open the data folder; begin a network if it is new.

    Raises:
        Refused: an enclave or the folder cannot be used; the message says what to do.
    """
    check_ledger_is_there(config)
    store = LmdbStore(config.data)
    genesis = stored_genesis(store)
    fresh = genesis is None
    if genesis is None:
        members = tuple(range(1, (config.nodes or DEFAULT_NODES) + 1))
    else:
        members = members_in(store, genesis)
        check_options(config, genesis, len(members))
    moot = await Moot.start(config, members, fresh=fresh)
    try:
        if genesis is None:
            genesis = _new_genesis(moot, config)
            begin(store, genesis)
        joined = await moot.join(genesis.encode())
        # Whoever has the state secret sealed gives it at once; on a new network nobody has.
        keys = StateKeys(None, genesis.network)
        for secret, _ in joined:
            if secret is not None:
                keys.take(secret)
        handover = Handover(keys)
        app = open_application(store, genesis, keys)
        engine = LocalEngine(
            app, store, Mempool(), list(moot.seats), system_clock, config.block_seconds
        )
        engine.on_committed(_report_faults)
        ledger = Ledger(engine, system_clock)
        moot.attach(engine, ledger, handover.take)
        if not fresh:
            await moot.recover(genesis)
    except BaseException:
        await moot.close()
        raise
    shares = ShareService(ledger, moot, keys, store)
    faucet = Faucet(ledger).drip if genesis.development else None
    services = Services(ledger, shares, _info(moot), faucet)
    storage = StorageWatch(store, engine)
    return Node(engine, moot, shares, services, store, handover, storage)


def _new_genesis(moot: Moot, config: Config) -> Genesis:
    """Describe a development network of these enclaves."""
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=system_clock(),
        members=tuple(_member(seat.identity) for seat in moot.seats),
        allocations=((FAUCET_ACCOUNT, TEST_SUPPLY),),
        epoch_seconds=config.epoch_seconds or EPOCH_SECONDS,
    )


def _member(identity: Identity) -> Member:
    founder = Founder(
        identity.identity_key, identity.consensus_key, identity.sealing, identity.boot
    )
    return Member(Ed25519Key(identity.consensus_key), identity.identity_key, 1, founder)


def _report_faults(done: Finalized, _: Commit) -> None:
    for fault in done.faults:
        structlog.get_logger("keymoot.node").error("transaction.unexecutable", fault=fault)


def _info(moot: Moot) -> NodeInfo:
    def seats() -> tuple[SeatInfo, ...]:
        members = moot.committee
        known = [(one.index, one.identity) for one in moot.seats if one.index in members]
        return tuple(
            SeatInfo(seat, one.identity_key, one.measurement, one.quote) for seat, one in known
        )

    simulated = any(one.identity.simulated for one in moot.seats)
    return NodeInfo(version=version("keymoot"), simulated=simulated, seats=seats)
