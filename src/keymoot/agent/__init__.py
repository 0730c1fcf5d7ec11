"""The agent's side: accounts without a key, and the owner's calls.

from keymoot.agent import Account, AsyncAccount, PolicyRefused, SocketAccount, SolanaAccount
"""

from typing import TYPE_CHECKING, Any

from keymoot.policy.errors import PolicyRefused

if TYPE_CHECKING:
    from keymoot.agent.account import Account
    from keymoot.agent.async_account import AsyncAccount
    from keymoot.agent.socket_account import SocketAccount
    from keymoot.agent.solana import SolanaAccount

__all__ = ["Account", "AsyncAccount", "PolicyRefused", "SocketAccount", "SolanaAccount"]


def __getattr__(name: str) -> Any:
    """Load eth_account only when an account is wanted: it takes a while, the CLI has none."""
    if name == "Account":
        from keymoot.agent.account import Account  # noqa: PLC0415

        return Account
    if name == "AsyncAccount":
        from keymoot.agent.async_account import AsyncAccount  # noqa: PLC0415

        return AsyncAccount
    if name == "SocketAccount":
        from keymoot.agent.socket_account import SocketAccount  # noqa: PLC0415

        return SocketAccount
    if name == "SolanaAccount":
        from keymoot.agent.solana import SolanaAccount  # noqa: PLC0415

        return SolanaAccount
    raise AttributeError(name)
