"""Ask a contract without effect: on a snapshot, with no key and no randomness.

Where nobody has signed a query, its `from` is a claim. A method that declares it
(`believes_from`) takes the claim as its sender, and from then on nothing confidential
opens, in it or in whatever it calls. All other methods have no sender then.

Confidential state opens to views alone, since they write nothing: whatever a method would
write first, to be let in, is undone after a query, and what it said is not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address
from keymoot.base.secret import Secret
from keymoot.base.transaction import AccessEntry
from keymoot.base.units import Gas, Wei
from keymoot.contracts.framework.context import BlockEnvironment, Mode
from keymoot.contracts.framework.contract import Method
from keymoot.contracts.framework.registry import Active, Registry
from keymoot.runtime import gas
from keymoot.runtime.committee_pages import version_of
from keymoot.runtime.gas import GasMeter, WatchedMeter
from keymoot.runtime.machine import CallMachine
from keymoot.store.errors import NoStateKeys
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys, Version
from keymoot.store.state import State

QUERY_GAS = 50_000_000
"""Gas of one query."""

_NOBODYS_KEY = b"the key of no state".ljust(32, b".")
"""Seals nothing anywhere, so what is read with it is empty; not a chain's in memory either."""

_MARGIN_PERCENT = 25
"""What an estimate adds, since state may change before the transaction runs."""

UNSEEN_GAS = 2_000_000
"""What an estimate adds where a call failed behind a secret: nobody may know what it needs."""


_NO_PAYER = (
    "insufficient funds for gas * price + value: in a query this method has no sender, "
    "so nobody pays its value: send a transaction"
)


class CannotRun(Refused):
    """No transaction could do this; its class says why."""


class CannotPay(CannotRun, code="INSUFFICIENT_FUNDS"):
    """The sender has less than the call would take, or there is no sender."""


class AllowanceExceeded(CannotRun, code="GAS_LIMIT"):
    """It needs more gas than it may use."""


class AllowanceTooLow(CannotRun, code="INTRINSIC_GAS"):
    """The gas that it may use does not pay for its own bytes."""


class AsksSecrets(NoStateKeys, code="ASKS_SECRETS"):
    """A view asked for confidential state, which opens in an enclave."""


@dataclass(frozen=True, slots=True)
class Query:
    """A call without effect.

    Attributes:
        claimed: Who would send it; a claim, never a proof.
        gas: The most that it may use, as a transaction's gas; None for as much as a query may.
        fee: Wei that the sender would pay for each unit of gas; None where not said.
        listed: The access list that its transaction would have.
        signer: Who has signed it, as `signed_query.check` has found.
    """

    to: Address
    data: bytes = b""
    value: Wei = Wei(0)
    claimed: Address | None = None
    gas: Gas | None = None
    fee: Wei | None = None
    listed: tuple[AccessEntry, ...] = ()
    signer: Address | None = None


def call(
    state: State,
    block: BlockEnvironment,
    contracts: Registry,
    keys: StateKeys | None,
    query: Query,
    watch: Callable[[], None] | None = None,
) -> bytes:
    """Run a call on the state after `block` and give what it returns.

    Whenever gas is charged, and at the end, `watch` is called; what it raises ends the query.
    AsksSecrets: there are no keys here, and an enclave could say more.
    """
    _check_means(state, query, query.gas or Gas(0))
    active = contracts.at(block.height)
    method = _method(active, query)
    sender = query.signer
    if sender is None and (query.to not in active or _believes(method)):
        sender = query.claimed
    if sender is None and query.to in active and query.value:
        # A payment that nobody makes buys nothing.
        raise CannotPay(_NO_PAYER)
    # Not on a claim, and not behind a write that is undone: no method has its way to a secret.
    opens = method is not None and method.rules.view
    meter = _meter(query, watch)
    given = keys.at(version_of(state)) if opens and keys is not None else None
    machine = CallMachine(
        Journal(state), block, active, given, Mode.QUERY, meter, origin=query.signer
    )
    try:
        output = machine.call(sender, query.to, query.data, query.value)
    except Refused as error:
        if opens and keys is None and machine.asked_state:
            # Whatever the contract made of our refusal, it is no answer.
            raise AsksSecrets from error
        raise
    finally:
        if watch is not None:
            watch()
    if opens and keys is None and machine.asked_state:
        raise AsksSecrets
    return output


def estimate(state: State, block: BlockEnvironment, contracts: Registry, query: Query) -> Gas:
    """Say how much gas a transaction would need.

    The call is run with the claimed sender in a throw-away state under placeholder keys, in
    which every confidential cell is empty: nobody proved to be that sender. A method that
    uses keys or randomness comes only as far as these: if it has not failed by then, its
    declared ceiling is the answer.
    """
    _check_means(state, query, Gas(0))
    base = gas.intrinsic(query.data, query.listed)
    active = contracts.at(block.height)
    method = _method(active, query)
    placeholder = StateKeys(Secret(_NOBODYS_KEY), block.network).at(Version())
    meter = GasMeter(QUERY_GAS)
    machine = CallMachine(
        Journal(state), block, active, placeholder, Mode.QUERY, meter, origin=query.claimed
    )
    ceiling = None if method is None else method.rules.gas_ceiling
    if ceiling is None:
        unseen = _rehearse(machine, query)
        used = least = Gas(base + meter.used)
        if meter.used:
            used = Gas(used + used * _MARGIN_PERCENT // 100)
        if unseen:
            used = Gas(used + UNSEEN_GAS)
    else:
        used = least = Gas(base + ceiling)
        if query.claimed is not None:
            _rehearse(machine, query)
    if query.gas is not None:
        if query.gas < least:
            raise AllowanceExceeded(f"gas required exceeds allowance ({query.gas})")
        used = min(used, query.gas)
    _check_means(state, query, used)
    return used


def _rehearse(machine: CallMachine, query: Query) -> bool:
    """Tell whether a call fails behind a secret, where nobody knows whether it would."""
    try:
        machine.call(query.claimed, query.to, query.data, query.value)
    except Refused:
        if not machine.asked_secrets:
            raise
        return True
    return False


def _believes(method: Method | None) -> bool:
    return method is not None and method.rules.believes_from


def _method(contracts: Active, query: Query) -> Method | None:
    contract = contracts.get(query.to)
    return None if contract is None else contract.METHODS.get(query.data[:4])


def _meter(query: Query, watch: Callable[[], None] | None) -> GasMeter:
    limit = QUERY_GAS
    if query.gas is not None:
        needed = gas.intrinsic(query.data, query.listed)
        if query.gas < needed:
            message = f"intrinsic gas too low: gas {query.gas}, minimum needed {needed}"
            raise AllowanceTooLow(message)
        limit = min(query.gas - needed, QUERY_GAS)
    return GasMeter(limit) if watch is None else WatchedMeter(limit, watch)


def _check_means(state: State, query: Query, wanted: Gas) -> None:
    """Raise if the claimed sender has not what the call would take; balances are public."""
    cost = query.value + wanted * (query.fee or 0)
    if query.claimed is None or not cost:
        return
    has = state.account(query.claimed).balance
    if has < cost:
        raise CannotPay(
            f"insufficient funds for gas * price + value: have {has} wei, want {cost}; "
            "this is the ledger's own token, not the target chain's",
        )
