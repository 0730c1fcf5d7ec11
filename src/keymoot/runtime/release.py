"""The second step of custody: a release of what a certified state has bound, where keys are.

The rest is what a state says of requests, for whoever answers them.
"""

from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.contracts.builtin.keys import Keys, Question
from keymoot.contracts.builtin.wallets.asker import (
    AppNotGranted,
    Asker,
    credential_or_instance,
)
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import NotBound
from keymoot.contracts.builtin.wallets.objection import Objection
from keymoot.contracts.builtin.wallets.record import BOUND, OWNER, QUEUED, RequestRecord
from keymoot.contracts.builtin.wallets.requests import Released
from keymoot.contracts.builtin.wallets.requests import release as release_bound
from keymoot.contracts.framework.context import BlockEnvironment, Context, Mode
from keymoot.contracts.framework.errors import ContractError, NoCode
from keymoot.contracts.framework.registry import Registry
from keymoot.runtime.committee_pages import version_of
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import CallMachine
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
    contracts: Registry,
    keys: StateKeys,
    request: Hash32,
    now: UnixSeconds,
) -> Released:
    """Sign what a request was bound to, if it may still be answered; NotBound where it may not.

    The state is the newest certified one, as whoever has the keys executed it; `now` is the
    later of ledger time and our own clock.
    """
    meter = GasMeter(RELEASE_GAS)
    active = contracts.at(block.height)
    machine = CallMachine(
        Journal(state), block, active, keys.at(version_of(state)), Mode.RELEASE, meter
    )
    wallets = active.get(Wallets.ADDRESS)
    if not isinstance(wallets, Wallets):
        raise NoCode("Wallets")
    return release_bound(wallets, Context(machine, Wallets.ADDRESS, None), request, now)


def find_question(state: State, question: Hash32) -> Question | None:
    store = PublicStore(Journal(state), Keys.ADDRESS, FreeMeter(), writable=False)
    return Keys.questions.get(store, question)


def check_instance(state: State, key: Address, now: UnixSeconds) -> None:
    """Raise unless the instance of an app with a key still counts, as `instance_of` does."""
    instance_of(PublicStore(Journal(state), Apps.ADDRESS, FreeMeter(), writable=False), key, now)


def find_record(state: State, request: Hash32) -> RequestRecord | None:
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    return Wallets.records.get(store, request)


def stopped(state: State, record: RequestRecord, now: UnixSeconds) -> Objection | None:
    """Say why what was answered before is not shown again; None where nothing stops it.

    The signature left long ago, and nobody can take it back. Whoever was stopped since does
    not get it here.
    """
    if record.kind == OWNER:
        return None
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    wallet = Wallets.wallets.get(store, record.wallet)
    if wallet is None or wallet.paused:
        return Objection(NotBound.code, "the wallet is paused")
    apps = PublicStore(Journal(state), Apps.ADDRESS, FreeMeter(), writable=False)
    try:
        grant = credential_or_instance(store, apps, record.wallet, record.requester, now)
    except (AppNotGranted, ContractError) as error:
        return Objection(error.code, str(error))
    if isinstance(grant, Asker):
        return None
    if grant is None or grant.revoked or now > grant.expires_at:
        return Objection(NotBound.code, "the credential was revoked or has expired")
    return None


def status_of(record: RequestRecord | None, now: UnixSeconds) -> str:
    """Give a request's status word before its answer is fetched."""
    if record is None:
        return WAITING
    if record.status in (BOUND, QUEUED) and now > record.expires_at:
        return EXPIRED
    if record.status == QUEUED:
        return WAITING
    return record.status
