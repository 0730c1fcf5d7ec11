"""The second step of custody: a release of what a certified state has bound, where keys are.

The rest is what a state says of requests, for whoever answers them.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import BlockEnvironment, Context, Mode
from keymoot.contracts.keys import Keys, Question
from keymoot.contracts.record import BOUND, OWNER, QUEUED, Record
from keymoot.contracts.requests import Released
from keymoot.contracts.requests import release as release_bound
from keymoot.contracts.wallets import Wallets
from keymoot.runtime.assembly import version_of
from keymoot.runtime.execute import Contracts
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import Machine
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State

RELEASE_GAS = 10_000_000
"""Bounds the work of one release; nobody pays it."""

WAITING, RELEASED, EXPIRED = "waiting", "released", "expired"


def release(
    state: State,
    block: BlockEnvironment,
    contracts: Contracts,
    keys: StateKeys,
    request: Hash32,
    now: UnixSeconds,
) -> Released:
    """Sign what a request was bound to, if it may still be answered.

    Args:
        state: The newest certified one, as whoever has the keys executed it.
        block: The environment of its block.
        contracts: The registry.
        keys: The state keys.
        request: The request's name on the ledger.
        now: The later of ledger time and our own clock.

    Raises:
        NotBound: unknown, refused, expired, paused or revoked.
        BrokenState: the state cannot be read.
    """
    meter = GasMeter(RELEASE_GAS)
    machine = Machine(
        Journal(state), block, contracts, keys.at(version_of(state)), Mode.RELEASE, meter
    )
    wallets = contracts[Wallets.ADDRESS]
    if not isinstance(wallets, Wallets):
        raise Refused("Wallets is not registered")
    return release_bound(wallets, Context(machine, Wallets.ADDRESS, None), request, now)


def find_question(state: State, question: Hash32) -> Question | None:
    """Read a question for a derived key; None if no block holds it."""
    store = PublicStore(Journal(state), Keys.ADDRESS, FreeMeter(), writable=False)
    found: Question | None = Keys.questions.get(store, Bytes32(question))
    return found


def find_record(state: State, request: Hash32) -> Record | None:
    """Give the record of a request, or None if no block has decided it."""
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    return Wallets.records.get(store, Bytes32(request))


def stopped(state: State, record: Record, now: UnixSeconds) -> str | None:
    """Say why what was answered before is not shown again; None where nothing stops it.

    The signature left long ago, and nobody can take it back. Whoever was stopped since does
    not get it here.
    """
    if record.kind == OWNER:
        return None
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    wallet = Wallets.wallets.get(store, Bytes32(record.wallet))
    if wallet is None or wallet.paused:
        return "the wallet is paused"
    found = Wallets.credentials.get(store, record.wallet + record.requester)
    if found is None or found.revoked or now > found.expires_at:
        return "the credential was revoked or has expired"
    return None


def status_of(record: Record | None, now: UnixSeconds) -> str:
    """Give a request's status word before its answer is fetched."""
    if record is None:
        return WAITING
    if record.status in (BOUND, QUEUED) and now > record.expires_at:
        return EXPIRED
    if record.status == QUEUED:
        return WAITING
    return record.status
