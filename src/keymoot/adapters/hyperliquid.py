"""Hyperliquid's own SDK over a wallet of the network (`hyperliquid-python-sdk` 0.24).

    from keymoot.adapters.hyperliquid import exchange
    venue = exchange(Account.connect("perps"), base_url=constants.TESTNET_API_URL)
    venue.order("BTC", True, 0.01, 65_000, {"limit": {"tif": "Gtc"}})

The SDK asks its wallet to sign a hash, which says nothing to a policy. So the wallet that it gets
here signs nothing: it notes the hash in a placeholder. Just before the action is posted, the
network is asked to sign the action itself, and its signature is posted only if it is over that very
hash. The SDK's code is as it is.

Each action that can have an end (`expiresAfter`) gets a near one: the exchange takes an action
without one for two days, so whoever has it could keep it and post it when it hurts.
"""

import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from eth_account.messages import SignableMessage

from keymoot.adapters.errors import NotAsAsked
from keymoot.agent.account import Account
from keymoot.agent.typed_data import signable_digest

MAINNET, TESTNET = "mainnet", "testnet"

_BY_USER: Final = frozenset({"usdSend", "withdraw3", "usdClassTransfer"})
"""Actions whose document names neither a vault nor an end."""

_NO_SIGNATURE = 0
"""A placeholder's s, which no signature has; its r is the hash."""


class Placeholder:
    """A wallet for the SDK: it has an address, and gives back what it was to sign."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.address = account.address

    def sign_message(self, message: SignableMessage) -> dict[str, int]:
        digest = int.from_bytes(signable_digest(message), "big")
        return {"r": digest, "s": _NO_SIGNATURE, "v": 27}


EXPIRES_IN_SECONDS = 60
"""How far ahead an action's end is: a rule that wants one within minutes takes it."""


def now_ms() -> int:
    return int(time.time() * 1_000)


def exchange(
    account: Account,
    base_url: str | None = None,
    *,
    expires_in_seconds: int | None = EXPIRES_IN_SECONDS,
    clock: Callable[[], int] = now_ms,
    **options: Any,
) -> Any:
    """Give the SDK's `Exchange`, all of whose actions are signed by the network or refused.

    Args:
        account: A wallet whose policy has rules of the method hyperliquid_signAction.
        base_url: As the SDK has it: the mainnet's address is the mainnet, all others are testnets.
        expires_in_seconds: How long after its call an action may be posted, where
            `set_expires_after` has not named an end; None for as long as the exchange takes it,
            which is two days.
        clock: Milliseconds since 1970.
        options: The other arguments of the SDK's `Exchange`.

    Its calls raise as the SDK's do, and besides:

    Raises:
        PolicyRefused, and the others of `Account.sign_transaction`.
        NotAsAsked: the SDK made another hash of the action; nothing was posted.
    """
    sdk = import_module("hyperliquid.exchange")
    ours = {
        "MAINNET": sdk.MAINNET_API_URL,
        "_call": _Call(),
        "_expires_in_seconds": expires_in_seconds,
        "_clock": staticmethod(clock),
    }
    kind = type("Exchange", (_Signed, sdk.Exchange), ours)
    return kind(Placeholder(account), base_url, **options)


class _Call(threading.local):
    """The action that a thread is about: whether it is posted by now, and its end."""

    posting = False
    ends: int | None = None


class _Signed:
    """What is put before the SDK's `Exchange`."""

    MAINNET: str
    base_url: str
    wallet: Placeholder
    vault_address: str | None
    _call: _Call
    _clock: Callable[[], int]
    _expires_in_seconds: int | None
    _chosen: int | None = None

    @property
    def expires_after(self) -> int | None:
        """The end of an action, in milliseconds; the SDK reads it to sign, and again to post."""
        if not self._call.posting:
            self._call.ends = self._chosen
            if self._chosen is None and self._expires_in_seconds is not None:
                self._call.ends = self._clock() + 1_000 * self._expires_in_seconds
        return self._call.ends

    @expires_after.setter
    def expires_after(self, chosen: int | None) -> None:
        self._chosen = chosen

    def _post_action(self, action: dict[str, Any], signature: dict[str, Any], nonce: int) -> Any:
        """Have the action signed, in the place of the placeholder."""
        by_user = action.get("type") in _BY_USER
        call = self._call
        call.posting, call.ends = True, None if by_user else call.ends
        try:
            signed = self.wallet.account.sign_hyperliquid_action(
                action,
                nonce,
                None if by_user else self.vault_address,
                call.ends,
                network=MAINNET if self.base_url == self.MAINNET else TESTNET,
            )
            if int.from_bytes(signed.message_hash, "big") != int(signature["r"], 16):
                raise NotAsAsked(str(action.get("type")))
            own = {"r": hex(signed.r), "s": hex(signed.s), "v": signed.v}
            return super()._post_action(action, own, nonce)  # type: ignore[misc]
        finally:
            call.posting, call.ends = False, None

    def post(self, url_path: str, payload: Any = None) -> Any:
        """Post as the SDK does, but no placeholder."""
        told = payload.get("signature") if isinstance(payload, dict) else None
        if isinstance(told, dict) and int(str(told.get("s", "0x1")), 16) == _NO_SIGNATURE:
            raise NotAsAsked("a placeholder")
        return super().post(url_path, payload)  # type: ignore[misc]
