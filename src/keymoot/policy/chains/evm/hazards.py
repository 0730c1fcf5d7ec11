"""Calls that give value or control around a rule: refused by name where no rule names them."""

from keymoot.policy.chains.evm.powers.known import power_of
from keymoot.policy.chains.evm.powers.power import REFUSED_BY_NAME
from keymoot.policy.chains.evm.signature import SELECTOR_BYTES


def hazard_of(data: bytes) -> tuple[str, str] | None:
    """Give the reason word and a description of this calldata, or None for an ordinary call."""
    power = power_of(data[:SELECTOR_BYTES])
    if power is None or power.kind not in REFUSED_BY_NAME:
        return None
    return power.kind, power.gives
