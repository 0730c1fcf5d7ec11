"""A wish for an action on Hyperliquid, decoded; before anything is decided.

The payload is JSON of `action`, `nonce`, `vaultAddress`, `expiresAfter`, `network`. The keys of the
action stand in the order in which it was made, for the exchange hashes them in that order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.request import SIGN_HYPERLIQUID
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json, parse
from keymoot.policy.chains.evm.address import EIP155
from keymoot.policy.chains.evm.hyperliquid import read
from keymoot.policy.chains.evm.hyperliquid.digest import (
    SIGNATURE_CHAIN,
    agent_digest,
    user_digest,
)
from keymoot.policy.chains.evm.hyperliquid.kinds import CLASS_TRANSFER, SEND, WITHDRAW, Part
from keymoot.policy.chains.evm.hyperliquid.parts import READERS
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import NeverSigned
from keymoot.policy.shown import show

_T = TypeVar("_T")

MAINNET, TESTNET = "mainnet", "testnet"
NETWORKS: Final = (MAINNET, TESTNET)

MAX_ACTION_BYTES = 16_384
MAX_SHOWN_PARTS = 8

_ENVELOPE = {"action", "nonce", "vaultAddress", "expiresAfter", "network"}
_CHAINS = {MAINNET: "Mainnet", TESTNET: "Testnet"}

_PAYMENT = (
    ("string", "hyperliquidChain"),
    ("string", "destination"),
    ("string", "amount"),
    ("uint64", "time"),
)
USER_SIGNED: Final = {
    SEND: ("UsdSend", _PAYMENT, "time"),
    WITHDRAW: ("Withdraw", _PAYMENT, "time"),
    CLASS_TRANSFER: (
        "UsdClassTransfer",
        (
            ("string", "hyperliquidChain"),
            ("string", "amount"),
            ("bool", "toPerp"),
            ("uint64", "nonce"),
        ),
        "nonce",
    ),
}
"""The actions that are documents of their own: name, fields, and which of them is the nonce."""

_HAZARDS: Final = {
    "approveAgent": "it lets another key trade, without any rule",
    "approveBuilderFee": "it lets somebody take fees",
    "spotSend": "it sends tokens that no rule counts",
    "sendAsset": "it sends tokens that no rule counts",
    "vaultTransfer": "it gives money to a vault",
    "subAccountTransfer": "it moves money to another account",
    "subAccountSpotTransfer": "it moves money to another account",
    "convertToMultiSigUser": "it gives the account to other keys",
    "multiSig": "it acts for another account",
    "twapOrder": "its price is open",
}


@dataclass(frozen=True)
class ActionIntent:
    """An action that a wallet is asked to sign.

    Attributes:
        wallet: The wallet's address.
        kind: What rules call it (`kinds.KINDS`).
        action: What the exchange calls it.
        venue: MAINNET or TESTNET.
        nonce: Milliseconds, by the exchange's custom; it takes each once.
        vault: For whom it trades, where not for the wallet itself.
        expires_after: Last millisecond at which the exchange takes it, where it says one.
        parts: What needs a rule: each order, each cancel, or the action.
        digest: What is signed.
        network: An action names no chain.
        slot: None: no later action replaces this one.
    """

    method: ClassVar[str] = SIGN_HYPERLIQUID
    network: ClassVar[str] = EIP155

    wallet: Address
    kind: str
    action: str
    venue: str
    nonce: int
    vault: Address | None
    expires_after: int | None
    parts: tuple[Part, ...]
    digest: Hash32
    message: bytes = b""
    slot: None = None
    max_fee: int = 0
    value: int = 0

    def decoded(self) -> dict[str, Json]:
        """Show the first parts: a batch may have many."""
        parts: list[Json] = [
            {name: show(value) for name, value in part.fields.items()}
            for part in self.parts[:MAX_SHOWN_PARTS]
        ]
        told: dict[str, Json] = {
            "action": self.action,
            "network": self.venue,
            "nonce": str(self.nonce),
            "parts": parts,
            "count": len(self.parts),
        }
        if self.expires_after is not None:
            told["expiresAfter"] = str(self.expires_after)
        return told if self.vault is None else told | {"vault": checksummed(self.vault)}


def read_action(payload: bytes, wallet: Address) -> ActionIntent:
    """Decode a wish; raise NeverSigned for what is no action, and for those that no rule reads."""
    try:
        document = parse(payload, MAX_ACTION_BYTES)
        told = read.members(document, "payload", _ENVELOPE)
        return _read(told, wallet)
    except Malformed as error:
        message = f"this is no action of Hyperliquid that is signed here: {error.reason}"
        raise NeverSigned("MALFORMED_ACTION", message, error.path or "payload") from error


def _read(told: dict[str, Json], wallet: Address) -> ActionIntent:
    # 1. Which action it is.
    action = told["action"]
    if not isinstance(action, dict) or not isinstance(action.get("type"), str):
        raise Malformed("an object with a type is expected", "action")
    name = str(action["type"])
    known = READERS.get(name)
    if known is None:
        why = _HAZARDS.get(name, "no rule of this version reads it")
        message = f'the action "{shown(name)}" is never signed: {why}'
        raise NeverSigned("UNKNOWN_ACTION", message, "action.type")
    kind, reader = known
    # 2. Where, when, and for whom.
    venue = read.text(told["network"], "network", NETWORKS)
    nonce = read.whole(told["nonce"], "nonce")
    vault = _optional(told, "vaultAddress", read.address)
    expires = _optional(told, "expiresAfter", read.whole)
    # 3. What it does.
    parts = tuple(reader(action))
    # 4. The digest, of what was read.
    if kind in USER_SIGNED:
        digest = _by_user(kind, action, venue, nonce)
        if vault is not None or expires is not None:
            path = "vaultAddress" if vault is not None else "expiresAfter"
            raise Malformed("the user's own document does not say this: null is expected", path)
    else:
        digest = agent_digest(action, nonce, vault, expires, mainnet=venue == MAINNET)
    return ActionIntent(wallet, kind, name, venue, nonce, vault, expires, parts, digest)


def _by_user(kind: str, action: dict[str, Json], venue: str, nonce: int) -> Hash32:
    primary, fields, own_nonce = USER_SIGNED[kind]
    read.text(action["hyperliquidChain"], "action.hyperliquidChain", (_CHAINS[venue],))
    read.text(action["signatureChainId"], "action.signatureChainId", (SIGNATURE_CHAIN,))
    if read.whole(action[own_nonce], f"action.{own_nonce}") != nonce:
        raise Malformed("this is the nonce, and has to be that of the wish", f"action.{own_nonce}")
    return user_digest(primary, fields, action)


def _optional(told: dict[str, Json], name: str, reader: Callable[[Json, str], _T]) -> _T | None:
    return None if told[name] is None else reader(told[name], name)
