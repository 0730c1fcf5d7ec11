"""The table by selector."""

from keymoot.policy.chains.evm.powers.control import CONTROL
from keymoot.policy.chains.evm.powers.exchanges import EXCHANGES
from keymoot.policy.chains.evm.powers.markets import MARKETS
from keymoot.policy.chains.evm.powers.power import Power
from keymoot.policy.chains.evm.powers.tokens import TOKENS

POWERS = (*TOKENS, *CONTROL, *MARKETS, *EXCHANGES)
"""Every function that is known to hand value or control to somebody."""

_BY_SELECTOR = {power.function.selector: power for power in POWERS}


def power_of(selector: bytes) -> Power | None:
    """Give what a function is known to give away, or None."""
    return _BY_SELECTOR.get(selector)
