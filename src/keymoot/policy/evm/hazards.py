"""EVM transactions that move value around a rule: refused by name where no rule names them."""

from keymoot.base.transaction import EvmTransaction
from keymoot.policy.evm.powers.known import power_of
from keymoot.policy.evm.powers.power import REFUSED_BY_NAME
from keymoot.policy.evm.signature import SELECTOR_BYTES


def hazard_of(transaction: EvmTransaction) -> tuple[str, str] | None:
    """Give the reason word and a description, or None for an ordinary transaction."""
    if transaction.to is None:
        return "CONTRACT_CREATION", "creating a contract runs code that nobody decoded"
    found = power_of(transaction.data[:SELECTOR_BYTES])
    if found is None or found.kind not in REFUSED_BY_NAME:
        return None
    return found.kind, found.gives
