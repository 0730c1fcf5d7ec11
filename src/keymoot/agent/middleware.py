"""Middleware for AsyncWeb3: web3.py's own signs in the event loop, which would stand still.

    w3.middleware_onion.inject(SignAndSend.build(account), layer=0)

Only this module needs web3 (7 or 8), which the client install does not bring.
"""

import asyncio
from typing import Any

from web3 import AsyncWeb3
from web3._utils.async_transactions import async_fill_nonce, async_fill_transaction_defaults
from web3.middleware.base import Web3Middleware
from web3.middleware.signing import format_transaction
from web3.types import RPCEndpoint

from keymoot.agent.evm_account import EvmAccount


class SignAndSend(Web3Middleware):
    """Turns eth_sendTransaction from the account into a raw transaction, signed in a thread."""

    def __init__(self, account: EvmAccount, w3: "AsyncWeb3[Any]") -> None:
        super().__init__(w3)
        self._account = account
        self._web3 = w3

    @staticmethod
    def build(account: EvmAccount) -> Any:
        """Give what `middleware_onion.inject` takes."""
        return lambda w3: SignAndSend(account, w3)

    async def async_request_processor(self, method: RPCEndpoint, params: Any) -> Any:
        """Fill and sign what the account sends; pass on the rest. Raises as `Account` does."""
        if method != "eth_sendTransaction":
            return method, params
        filled = format_transaction(params[0])
        if filled.get("from") != self._account.address:
            return method, params
        filled = await async_fill_transaction_defaults(self._web3, filled)
        filled = await async_fill_nonce(self._web3, filled)
        signed = await asyncio.to_thread(self._account.sign_transaction, filled)
        return RPCEndpoint("eth_sendRawTransaction"), [signed.raw_transaction.to_0x_hex()]
