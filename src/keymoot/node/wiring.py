"""Join engine, enclaves and gateway into one node.

The enclaves execute blocks and keep every secret; the engine orders blocks, and stores what
enclaves say they did. No key of the network's state is in this process.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from keymoot.attest.simulated import VENDOR as SIMULATED
from keymoot.attest.vendors import VENDORS_OF
from keymoot.attest.verify import tag_of
from keymoot.base.units import LEDGER_CHAIN_ID
from keymoot.committee.genesis import (
    BASE_FEE_WEI,
    EPOCH_SECONDS,
    NO_HARDWARE_ADMITTED,
    Founder,
    Genesis,
    Member,
)
from keymoot.committee.mix import check_mix
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.engine.folder import begin, founded, members_in, open_chain, stored_genesis
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.mempool import Mempool
from keymoot.engine.sequencer import Sequencer
from keymoot.gateway.services import NodeInfo, SeatInfo, Services
from keymoot.node.admin.status import committee_json
from keymoot.node.answers.queries import EnclaveQueries
from keymoot.node.answers.shares import ShareService
from keymoot.node.clock import Clock
from keymoot.node.config import DEFAULT_NODES, Config
from keymoot.node.existing import check_ledger_is_there, check_options
from keymoot.node.faucet import FAUCET_ACCOUNT, TEST_SUPPLY, Faucet
from keymoot.node.feed.process import Launch
from keymoot.node.membership.changes import SeatChanges
from keymoot.node.membership.membership import Membership
from keymoot.node.membership.recovery import RecoveryStarter
from keymoot.node.membership.refused import RefusedNewcomers
from keymoot.node.membership.roster import Roster
from keymoot.node.membership.wanted import WantedSeats
from keymoot.node.storage import StorageWatch
from keymoot.node.supervisor.absent import Absent, Processes, close_all
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.tasks import Tasks, background


@dataclass(frozen=True, slots=True)
class Node:
    """A node that runs."""

    membership: Membership
    services: Services
    store: LmdbStore


@asynccontextmanager
async def started(
    config: Config, launch: Launch, clock: Clock, disk: Callable[[Path], LmdbStore] = LmdbStore
) -> AsyncIterator[Node]:
    """Run a node beside a block: from the enclaves' starts to their ends.

    A network begins if the data folder has none. One whose founding did not end is begun anew:
    its founders' starts are gone.

    Raises:
        Refused: an enclave or the folder cannot be used; the message says what to do.
        ExceptionGroup: what broke; the block is cancelled then.
    """
    check_ledger_is_there(config)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(closing(disk(config.data)))
        genesis = stored_genesis(store) if founded(store) else None
        absent = _expected(config, store, genesis)
        processes = await absent.start(launch)
        stack.push_async_callback(close_all, processes)
        if genesis is None:
            genesis = _new_genesis(processes, config, clock)
            _check_makers(genesis, processes)
            begin(store, genesis)
        raw = genesis.encode()
        joined = await absent.each(processes, lambda seat, process: process.join(raw, seat))
        chain = open_chain(store, genesis, keeps_dealings=config.keep_dealings)
        stack.enter_context(closing(chain))
        sequencer: Sequencer[RequestAnswer] = Sequencer(
            chain, Mempool(), clock, config.block_seconds
        )
        ledger = Ledger(sequencer, clock)
        wanted = WantedSeats.load(config.data)
        tasks = await stack.enter_async_context(background())
        membership = _membership(
            ledger, Enclaves(ledger, launch, clock, tasks), absent, wanted, tasks
        )
        shares = _shares(membership, store, tasks)
        await absent.each(joined, membership.enclaves.enter)
        if chain.record is not None:
            await membership.recovery.order()
        for work in (
            sequencer.run(),
            shares.run(),
            membership.changes.run(),
            membership.recovery.run(),
            absent.reconcile(membership.enclaves.add, lambda: membership.roster.committee.indices),
            StorageWatch(store, sequencer).run(),
        ):
            tasks.start(work)
        yield Node(membership, _services(membership, shares), store)


def _expected(config: Config, store: LmdbStore, genesis: Genesis | None) -> Absent:
    if genesis is None:
        return Absent(range(1, (config.nodes or DEFAULT_NODES) + 1), fresh=True)
    members, former = members_in(store, genesis)
    check_options(config, genesis, len(members))
    return Absent(members, former, fresh=False)


def _membership(
    ledger: Ledger, enclaves: Enclaves, absent: Absent, wanted: WantedSeats, tasks: Tasks
) -> Membership:
    roster, asking, refused = Roster(ledger), Asking(tasks), RefusedNewcomers()
    ledger.sequencer.on_written(refused.written)
    return Membership(
        ledger=ledger,
        roster=roster,
        enclaves=enclaves,
        absent=absent,
        asking=asking,
        changes=SeatChanges(ledger, roster, enclaves, asking, wanted),
        recovery=RecoveryStarter(ledger, roster, enclaves),
        refused=refused,
    )


def _shares(membership: Membership, store: LmdbStore, tasks: Tasks) -> ShareService:
    ledger = membership.ledger
    shares = ShareService(
        ledger,
        membership.enclaves,
        membership.roster,
        Asking(tasks),
        store,
        lambda: committee_json(membership),
    )
    ledger.sequencer.write_beside(shares.collected.beside)
    ledger.sequencer.on_answers(shares.collected.handle)
    return shares


def _services(membership: Membership, shares: ShareService) -> Services:
    ledger, enclaves = membership.ledger, membership.enclaves
    faucet = Faucet(ledger).drip if ledger.genesis.development else None
    queries = EnclaveQueries(lambda: enclaves.seats)
    return Services(ledger, shares, queries, _info(membership), faucet)


def _new_genesis(processes: Processes, config: Config, clock: Clock) -> Genesis:
    """Describe a development network of these enclaves."""
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=clock(),
        members=tuple(_member(processes[seat].identity) for seat in sorted(processes)),
        allocations=((FAUCET_ACCOUNT, TEST_SUPPLY),),
        epoch_seconds=config.epoch_seconds or EPOCH_SECONDS,
        measurements=tuple(sorted({measure(own_package()), *config.measurements})),
        admission=config.admission or NO_HARDWARE_ADMITTED,
    )


def _check_makers(genesis: Genesis, processes: Processes) -> None:
    """Raise VendorHoldsTooMuch where these founders would be refused: founding would never end."""
    demanded = genesis.admission.demands.most_per_maker
    if demanded:
        quotes = {seat: processes[seat].identity.quote for seat in sorted(processes)}
        # Of each format there is one maker.
        vendors = {
            seat: VENDORS_OF.get(tag_of(quote), (SIMULATED,))[0] for seat, quote in quotes.items()
        }
        check_mix(vendors, demanded, len(vendors))


def _member(identity: EnclaveGreeting) -> Member:
    founder = Founder(identity.identity_key, identity.sealing, identity.session)
    return Member(identity.identity_key, founder)


def _info(membership: Membership) -> NodeInfo:
    enclaves, roster = membership.enclaves, membership.roster

    def seats() -> tuple[SeatInfo, ...]:
        members = roster.committee
        known = [
            (enclave.seat, enclave.identity)
            for enclave in enclaves.seats
            if enclave.seat in members
        ]
        return tuple(
            SeatInfo(seat, identity.identity_key, identity.measurement, identity.quote)
            for seat, identity in known
        )

    simulated = any(enclave.identity.simulated for enclave in enclaves.seats)
    return NodeInfo(version=version("keymoot"), simulated=simulated, seats=seats)
