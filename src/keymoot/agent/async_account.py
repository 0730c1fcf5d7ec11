"""An account for programs that run in an event loop: signatures are awaited.

    acct = AsyncAccount(Account.connect("yield"))
    signed = await acct.sign_transaction({…})

A signature takes the network a moment, in which the loop goes on; each is asked for in a thread of
its own, which both kinds of account are safe for. Where the awaiting task is cancelled, the wish
goes on: asked again with the same `idempotency_key` it gives the same answer.

For AsyncWeb3 see `keymoot.agent.middleware`, which takes the account itself.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from eth_account.datastructures import SignedMessage, SignedTransaction
from eth_account.messages import SignableMessage
from eth_typing import ChecksumAddress

from keymoot.agent.evm_account import EvmAccount


class AsyncAccount:
    """The async twin of an account; it raises what that one does."""

    def __init__(self, account: EvmAccount) -> None:
        """Take an `Account` or a `SocketAccount`."""
        self.account = account

    @property
    def address(self) -> ChecksumAddress:
        return self.account.address

    def __repr__(self) -> str:
        return f"AsyncAccount({self.account!r})"

    async def sign_transaction(
        self, transaction_dict: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> SignedTransaction:
        """As `EvmAccount.sign_transaction`."""
        return await asyncio.to_thread(
            self.account.sign_transaction, transaction_dict, idempotency_key=idempotency_key
        )

    async def sign_message(
        self, signable_message: SignableMessage, *, idempotency_key: str | None = None
    ) -> SignedMessage:
        """As `EvmAccount.sign_message`."""
        return await asyncio.to_thread(
            self.account.sign_message, signable_message, idempotency_key=idempotency_key
        )

    async def sign_typed_data(
        self, full_message: dict[str, Any], *, idempotency_key: str | None = None
    ) -> SignedMessage:
        """As `EvmAccount.sign_typed_data`, of the document as a whole."""
        return await asyncio.to_thread(
            self.account.sign_typed_data,
            full_message=full_message,
            idempotency_key=idempotency_key,
        )

    async def sign_payload(
        self, method: str, payload: bytes, *, idempotency_key: str | None = None
    ) -> SignedMessage:
        """As `EvmAccount.sign_payload`."""
        return await asyncio.to_thread(
            self.account.sign_payload, method, payload, idempotency_key=idempotency_key
        )
