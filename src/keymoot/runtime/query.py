"""Ask a contract without effect: on a snapshot, with no key and no randomness."""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address
from keymoot.base.secret import Secret
from keymoot.base.units import Gas, Wei
from keymoot.contracts.context import BlockEnvironment, Mode
from keymoot.runtime import gas
from keymoot.runtime.execute import Contracts
from keymoot.runtime.gas import GasMeter
from keymoot.runtime.machine import Machine
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.state import State

QUERY_GAS = 50_000_000
"""Gas of one query."""

_MARGIN_PERCENT = 25
"""What an estimate adds, since state may change before the transaction runs."""


def call(
    state: State,
    block: BlockEnvironment,
    contracts: Contracts,
    keys: StateKeys | None,
    to: Address,
    data: bytes,
    value: Wei = Wei(0),
    gas_limit: int = QUERY_GAS,
) -> bytes:
    """Run a call and give what it returns. It has no sender: nobody signed it.

    Raises:
        Refused: the contract said no, or the call needs a key, randomness or more gas.
    """
    meter = GasMeter(min(gas_limit, QUERY_GAS))
    machine = Machine(Journal(state), block, contracts, keys, Mode.QUERY, meter)
    return machine.call(None, to, data, value)


def estimate(
    state: State,
    block: BlockEnvironment,
    contracts: Contracts,
    sender: Address | None,
    to: Address | None,
    data: bytes,
    value: Wei,
) -> Gas:
    """Say how much gas a transaction would need.

    A method that uses keys or randomness is not run: its declared ceiling is the
    answer. Others are run with the claimed sender in a throw-away state under placeholder
    keys, in which every confidential cell is empty: nobody proved to be that sender.

    Raises:
        Refused: the call would fail.
    """
    base = gas.intrinsic(data)
    contract = contracts.get(to) if to is not None else None
    method = contract.METHODS.get(data[:4]) if contract is not None else None
    if method is not None and method.rules.gas_ceiling is not None:
        return Gas(base + method.rules.gas_ceiling)
    if to is None:
        raise Refused("this release has no EVM: contracts cannot be deployed yet")
    meter = GasMeter(QUERY_GAS)
    placeholder = StateKeys(Secret(bytes(32)), block.network, 0)
    machine = Machine(Journal(state), block, contracts, placeholder, Mode.QUERY, meter)
    machine.call(sender, to, data, value)
    used = base + meter.used
    return Gas(used if not meter.used else used + used * _MARGIN_PERCENT // 100)
