"""A wish for a transaction of Solana, decoded; before anything is decided."""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.base.base58 import encode as base58
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, SolanaAddress
from keymoot.base.request import SIGN_SOLANA_TRANSACTION
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.solana.address import NAMESPACE
from keymoot.policy.chains.solana.instruction import Instructions, SystemTransfer, read_instructions
from keymoot.policy.chains.solana.message import (
    SolanaMessage,
    TableLookups,
    UnsupportedVersion,
    decode_message,
)
from keymoot.policy.refusal import NeverSigned

LAMPORTS_PER_SIGNATURE = 5_000
"""What every signature costs: Solana's base fee."""

MAX_UNITS = 1_400_000
"""Compute units of one transaction at most; taken where it names no limit of its own."""

_PRICE_UNIT = 1_000_000
"""Prices count millionths of a lamport."""


@dataclass(frozen=True, slots=True)
class SolanaIntent:
    """A transaction that a wallet is asked to sign, alone.

    Attributes:
        wallet: The wallet's address: it pays, and nobody else signs.
        digest: Keccak-256 of the message; only a name.
        message: What Ed25519 signs.
        does: Its instructions; every transfer among them needs a rule.
        slot: None: no later transaction replaces this one.
    """

    method: ClassVar[str] = SIGN_SOLANA_TRANSACTION
    network: ClassVar[str] = NAMESPACE
    """A message does not name its cluster."""

    wallet: SolanaAddress
    transaction: SolanaMessage
    does: Instructions
    digest: Hash32
    message: bytes
    slot: None = None

    @property
    def max_fee(self) -> int:
        """Lamports that signatures and the price per unit may take at most."""
        units = MAX_UNITS if self.does.unit_limit is None else self.does.unit_limit
        priority = -(-(self.does.unit_price or 0) * units // _PRICE_UNIT)
        return LAMPORTS_PER_SIGNATURE * self.transaction.signers + priority

    @property
    def value(self) -> int:
        return sum(
            transfer.amount
            for transfer in self.does.transfers
            if isinstance(transfer, SystemTransfer)
        )

    def decoded(self) -> dict[str, Json]:
        version = self.transaction.version
        shown: dict[str, Json] = {
            "version": "legacy" if version is None else version,
            "feePayer": self.wallet.base58,
            "recentBlockhash": base58(self.transaction.recent_blockhash),
            "value": str(self.value),
            "maxFee": str(self.max_fee),
            "instructions": [transfer.decoded() for transfer in self.does.transfers],
        }
        budget = {"unitLimit": self.does.unit_limit, "unitPrice": self.does.unit_price}
        return shown | {name: str(set_) for name, set_ in budget.items() if set_ is not None}


def read_message(payload: bytes, wallet: SolanaAddress) -> SolanaIntent:
    """Decode a wish; raise NeverSigned for other payers, signers and instructions."""
    # 1. The bytes, in their one form.
    try:
        message = decode_message(payload)
    except (UnsupportedVersion, TableLookups) as error:
        raise NeverSigned(error.code, f"not signed: {error}", "payload") from error
    except Malformed as error:
        why = f"not a message of Solana: {error}"
        raise NeverSigned("MALFORMED_TRANSACTION", why, "payload") from error
    # 2. The wallet pays, and signs alone.
    if message.accounts[0] != wallet:
        why = f"{message.accounts[0].base58} pays the fee: the wallet {wallet.base58} has to"
        raise NeverSigned("WRONG_PAYER", why, "accounts[0]")
    if message.signers != 1:
        why = f"{message.signers} accounts sign: the wallet signs alone, or not at all"
        raise NeverSigned("OTHER_SIGNERS", why, "header")
    # 3. Every instruction is known.
    return SolanaIntent(wallet, message, read_instructions(message), keccak256(payload), payload)
