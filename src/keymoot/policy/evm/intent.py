"""What a wish asks to be signed, decoded; before anything is decided."""

from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.request import SIGN_MESSAGE, SIGN_TRANSACTION, SIGN_TYPED_DATA
from keymoot.base.strict_json import Json
from keymoot.base.transaction import EvmTransaction, UnsupportedType, decode_unsigned
from keymoot.base.units import ChainId
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.typed_data import hazard_of_typed_data

MAX_SHOWN_DATA_BYTES = 256
"""Calldata shown in a decoded wish; its length is shown in any case."""

_TYPES_BY_NAME = {3: "blob transactions (type 3)", 4: "EIP-7702 authorizations (type 4)"}


class NotSignable(Exception):
    """A wish that no policy could allow; carries its refusal."""

    def __init__(self, refusal: Refusal) -> None:
        """Carry the refusal."""
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that a wallet is asked to sign.

    Attributes:
        wallet: The wallet's own address on the target chain.
        chain: The target chain; never None or 0 here.
        digest: What would be signed.
    """

    wallet: Address
    transaction: EvmTransaction
    chain: ChainId
    digest: Hash32

    @property
    def max_fee_wei(self) -> int:
        """Gas times the highest fee per gas; fees of a rollup's first layer are outside."""
        return self.transaction.gas * self.transaction.max_fee

    def decoded(self) -> dict[str, Json]:
        """Show the transaction as JSON, amounts as decimal text."""
        tx = self.transaction
        shown: dict[str, Json] = {
            "type": tx.kind,
            "chain": f"eip155:{self.chain}",
            "nonce": tx.nonce,
            "to": None if tx.to is None else checksummed(tx.to),
            "value": str(tx.value),
            "gas": str(tx.gas),
            "maxFee": str(self.max_fee_wei),
            "dataLength": len(tx.data),
        }
        if tx.data:
            shown["data"] = "0x" + tx.data[:MAX_SHOWN_DATA_BYTES].hex()
        return shown


def read_intent(method: str, payload: bytes, wallet: Address) -> Intent:
    """Decode a wish.

    Raises:
        NotSignable: another method, an unsupported or unprotected transaction, or
            bytes that are none.
    """
    if method != SIGN_TRANSACTION:
        raise NotSignable(_other_method(method, payload))
    try:
        transaction = decode_unsigned(payload)
    except UnsupportedType as error:
        what = _TYPES_BY_NAME.get(error.kind, f"transactions of type {error.kind}")
        raise NotSignable(
            _refusal("TRANSACTION_TYPE", f"{what} are never signed: send type 0, 1 or 2", "type")
        ) from error
    except Malformed as error:
        raise NotSignable(
            _refusal("MALFORMED_TRANSACTION", f"not an unsigned transaction: {error}", "payload")
        ) from error
    if transaction.chain_id is None or transaction.chain_id == 0:
        raise NotSignable(
            _refusal(
                "UNPROTECTED",
                "a transaction without a chain id counts on every chain: set chainId (EIP-155)",
                "chainId",
            )
        )
    return Intent(wallet, transaction, transaction.chain_id, signing_hash(transaction))


def _other_method(method: str, payload: bytes) -> Refusal:
    if method == SIGN_TYPED_DATA:
        hazard = hazard_of_typed_data(payload)
        if hazard:
            return _refusal("PERMIT", f"{hazard} moves value around every rule", "primaryType")
    known = method in (SIGN_MESSAGE, SIGN_TYPED_DATA)
    why = "no rule of this version allows it" if known else "it would sign what nobody decoded"
    return _refusal("METHOD_NOT_ALLOWED", f"{method} is not signed: {why}", "method")


def _refusal(reason: str, message: str, path: str) -> Refusal:
    return Refusal(reason, REFUSED + message, path=path)
