"""Hyperliquid's own SDK over a wallet of the network (`hyperliquid-python-sdk` 0.24).

    from keymoot.adapters.hyperliquid import exchange
    venue = exchange(Account.connect("perps"), base_url=constants.TESTNET_API_URL)
    venue.order("BTC", True, 0.01, 65_000, {"limit": {"tif": "Gtc"}})

The SDK asks its wallet to sign a hash, which says nothing to a policy. So the wallet that it gets
here signs nothing: it notes the hash in a placeholder. Just before the action is posted, the
network is asked to sign the action itself, and its signature is posted only if it is over that very
hash. The SDK's code is as it is.
"""

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


def exchange(account: Account, base_url: str | None = None, **options: Any) -> Any:
    """Give the SDK's `Exchange`, all of whose actions are signed by the network or refused.

    Args:
        account: A wallet whose policy has rules of the method hyperliquid_signAction.
        base_url: As the SDK has it: the mainnet's address is the mainnet, all others are testnets.
        options: The other arguments of the SDK's `Exchange`.

    Its calls raise as the SDK's do, and besides:

    Raises:
        PolicyRefused, and the others of `Account.sign_transaction`.
        NotAsAsked: the SDK made another hash of the action; nothing was posted.
    """
    sdk = import_module("hyperliquid.exchange")
    kind = type("Exchange", (_Signed, sdk.Exchange), {"MAINNET": sdk.MAINNET_API_URL})
    return kind(Placeholder(account), base_url, **options)


class _Signed:
    """What is put before the SDK's `Exchange`."""

    MAINNET: str
    base_url: str
    wallet: Placeholder
    vault_address: str | None
    expires_after: int | None

    def _post_action(self, action: dict[str, Any], signature: dict[str, Any], nonce: int) -> Any:
        """Have the action signed, in the place of the placeholder."""
        by_user = action.get("type") in _BY_USER
        signed = self.wallet.account.sign_hyperliquid_action(
            action,
            nonce,
            None if by_user else self.vault_address,
            None if by_user else self.expires_after,
            network=MAINNET if self.base_url == self.MAINNET else TESTNET,
        )
        if int.from_bytes(signed.message_hash, "big") != int(signature["r"], 16):
            raise NotAsAsked(str(action.get("type")))
        own = {"r": hex(signed.r), "s": hex(signed.s), "v": signed.v}
        return super()._post_action(action, own, nonce)  # type: ignore[misc]

    def post(self, url_path: str, payload: Any = None) -> Any:
        """Post as the SDK does, but no placeholder."""
        told = payload.get("signature") if isinstance(payload, dict) else None
        if isinstance(told, dict) and int(str(told.get("s", "0x1")), 16) == _NO_SIGNATURE:
            raise NotAsAsked("a placeholder")
        return super().post(url_path, payload)  # type: ignore[misc]
