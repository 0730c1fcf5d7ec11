"""A wish for an EVM transaction, decoded; before anything is decided."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.request import SIGN_TRANSACTION
from keymoot.base.strict_json import Json
from keymoot.base.transaction import EvmTransaction, UnsupportedType, decode_unsigned
from keymoot.base.units import ChainId, Nonce
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.chains.evm.address import EIP155
from keymoot.policy.chains.evm.calldata import Calldata
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import NeverSigned

MAX_SHOWN_DATA_BYTES = 256
"""Calldata shown in a decoded wish; its length is shown in any case."""

_TYPES_BY_NAME = {3: "blob transactions (type 3)", 4: "EIP-7702 authorizations (type 4)"}


@dataclass(frozen=True)
class EvmIntent:
    """A transaction that a wallet is asked to sign.

    Attributes:
        wallet: The wallet's own address on the target chain.
        to: Whom the transaction calls or pays: it is never one that creates a contract.
        chain: The target chain; never None or 0 here.
        digest: What would be signed.
        message: Empty: an ECDSA key signs the digest.
    """

    method: ClassVar[str] = SIGN_TRANSACTION

    wallet: Address
    transaction: EvmTransaction
    to: Address
    chain: ChainId
    digest: Hash32
    message: bytes = b""

    @property
    def network(self) -> str:
        return f"{EIP155}:{self.chain}"

    @cached_property
    def calldata(self) -> Calldata:
        return Calldata(self.transaction.data)

    @property
    def slot(self) -> tuple[ChainId, Nonce]:
        return self.chain, self.transaction.nonce

    @property
    def max_fee(self) -> int:
        """Gas times the highest fee per gas; fees of a rollup's first layer are outside."""
        return self.transaction.gas * self.transaction.max_fee

    @property
    def value(self) -> int:
        return self.transaction.value

    def decoded(self) -> dict[str, Json]:
        tx = self.transaction
        shown: dict[str, Json] = {
            "type": tx.kind,
            "chain": self.network,
            "nonce": tx.nonce,
            "to": checksummed(self.to),
            "value": str(tx.value),
            "gas": str(tx.gas),
            "maxFee": str(self.max_fee),
            "dataLength": len(tx.data),
        }
        if tx.data:
            shown["data"] = "0x" + tx.data[:MAX_SHOWN_DATA_BYTES].hex()
        return shown


def read_transaction(payload: bytes, wallet: Address) -> EvmIntent:
    """Decode a wish; raise NeverSigned for whatever is not protected and of type 0, 1 or 2."""
    try:
        transaction = decode_unsigned(payload)
    except UnsupportedType as error:
        what = _TYPES_BY_NAME.get(error.kind, f"transactions of type {error.kind}")
        message = f"{what} are never signed: send type 0, 1 or 2"
        raise NeverSigned("TRANSACTION_TYPE", message, "type") from error
    except Malformed as error:
        message = f"not an unsigned transaction: {error}"
        raise NeverSigned("MALFORMED_TRANSACTION", message, "payload") from error
    if transaction.chain_id is None or transaction.chain_id == 0:
        message = "a transaction without a chain id counts on every chain: set chainId (EIP-155)"
        raise NeverSigned("UNPROTECTED", message, "chainId")
    if transaction.to is None:
        message = "creating a contract runs code that nobody decoded: it is never signed"
        raise NeverSigned("CONTRACT_CREATION", message, "to")
    return EvmIntent(
        wallet, transaction, transaction.to, transaction.chain_id, signing_hash(transaction)
    )
