"""The agent's side: an account without a key, and the owner's calls.

from keymoot.agent import Account, PolicyRefused
"""

from typing import TYPE_CHECKING, Any

from keymoot.policy.errors import PolicyRefused

if TYPE_CHECKING:
    from keymoot.agent.account import Account

__all__ = ["Account", "PolicyRefused"]


def __getattr__(name: str) -> Any:
    """Load eth_account only when an Account is wanted: it takes a while, the CLI has none."""
    if name == "Account":
        from keymoot.agent.account import Account  # noqa: PLC0415

        return Account
    raise AttributeError(name)
