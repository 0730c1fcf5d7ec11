"""Join engine, enclaves and gateway into one node.

The enclaves execute blocks and keep every secret; the engine orders blocks, and stores what
enclaves say they did. No key of the network's state is in this process.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from keymoot.base.strict_json import Json
from keymoot.base.units import LEDGER_CHAIN_ID, UnixNanos
from keymoot.enclave.answer import Answer
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.messages import Identity
from keymoot.engine.folder import begin, founded, members_in, open_chain, stored_genesis
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.mempool import Mempool
from keymoot.engine.sequencer import Sequencer
from keymoot.gateway.services import NodeInfo, SeatInfo, Services
from keymoot.moot.genesis import BASE_FEE_WEI, EPOCH_SECONDS, Founder, Genesis, Member
from keymoot.node.config import DEFAULT_NODES, Config
from keymoot.node.existing import check_ledger_is_there, check_options
from keymoot.node.faucet import FAUCET_ACCOUNT, TEST_SUPPLY, Faucet
from keymoot.node.moot import Moot
from keymoot.node.queries import EnclaveQueries
from keymoot.node.shares import ShareService
from keymoot.node.status import assembly_json
from keymoot.node.storage import StorageWatch


def system_clock() -> UnixNanos:
    """Read the machine's clock."""
    return UnixNanos(time.time_ns())


@dataclass(frozen=True, slots=True)
class Node:
    """A node's parts, ready to run."""

    sequencer: Sequencer[Answer]
    moot: Moot
    shares: ShareService
    services: Services
    store: LmdbStore
    storage: StorageWatch

    async def run(self) -> None:
        """Make blocks and answer requests until cancelled, or until something breaks.

        Raises:
            ExceptionGroup: what broke.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sequencer.run())
            tasks.create_task(self.shares.run())
            tasks.create_task(self.moot.run())
            tasks.create_task(self.storage.run())

    async def close(self) -> None:
        """End the enclaves and close the files."""
        await self.moot.close()
        self.sequencer.chain.close()
        self.store.close()


async def build(config: Config) -> Node:
    """Start the enclaves and open the data folder; begin a network if it is new.

    A network whose founding did not end is begun anew: its founders' starts are gone.

    Raises:
        Refused: an enclave or the folder cannot be used; the message says what to do.
    """
    check_ledger_is_there(config)
    store = LmdbStore(config.data)
    genesis = stored_genesis(store) if founded(store) else None
    fresh = genesis is None
    if genesis is None:
        members, former = tuple(range(1, (config.nodes or DEFAULT_NODES) + 1)), tuple[int, ...]()
    else:
        members, former = members_in(store, genesis)
        check_options(config, genesis, len(members))
    moot = await Moot.start(config, members, former, fresh=fresh)
    try:
        if genesis is None:
            genesis = _new_genesis(moot, config)
            begin(store, genesis)
        await moot.join(genesis.encode())
        chain = open_chain(store, genesis, keeps_dealings=config.keep_dealings)
        sequencer: Sequencer[Answer] = Sequencer(
            chain, Mempool(), system_clock, config.block_seconds
        )
        ledger = Ledger(sequencer, system_clock)
        await moot.attach(ledger)
        if not fresh:
            await moot.recover()
    except BaseException:
        await moot.close()
        raise
    shares = ShareService(ledger, moot, store, _describe(moot))
    sequencer.write_beside(shares.collected.beside)
    sequencer.on_answers(shares.collected.hear)
    faucet = Faucet(ledger).drip if genesis.development else None
    queries = EnclaveQueries(lambda: moot.seats)
    services = Services(ledger, shares, queries, _info(moot), faucet)
    return Node(sequencer, moot, shares, services, store, StorageWatch(store, sequencer))


def _new_genesis(moot: Moot, config: Config) -> Genesis:
    """Describe a development network of these enclaves."""
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=system_clock(),
        members=tuple(_member(one.identity) for one in moot.seats),
        allocations=((FAUCET_ACCOUNT, TEST_SUPPLY),),
        epoch_seconds=config.epoch_seconds or EPOCH_SECONDS,
        measurements=(measure(own_package()),),
    )


def _member(identity: Identity) -> Member:
    founder = Founder(identity.identity_key, identity.sealing, identity.boot)
    return Member(identity.identity_key, founder)


def _describe(moot: Moot) -> Callable[[], dict[str, Json]]:
    return lambda: assembly_json(moot.assembly(), moot.ledger, moot)


def _info(moot: Moot) -> NodeInfo:
    def seats() -> tuple[SeatInfo, ...]:
        members = moot.committee
        known = [(one.seat, one.identity) for one in moot.seats if one.seat in members]
        return tuple(
            SeatInfo(seat, one.identity_key, one.measurement, one.quote) for seat, one in known
        )

    simulated = any(one.identity.simulated for one in moot.seats)
    return NodeInfo(version=version("keymoot"), simulated=simulated, seats=seats)
