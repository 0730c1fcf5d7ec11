"""What a wish asks to be signed, decoded by its method; before anything is decided."""

from keymoot.base.fixed import Fixed
from keymoot.policy.chains.chain import Intent
from keymoot.policy.chains.registry import chain_of, chain_with
from keymoot.policy.refusal import NeverSigned, method_not_signed

__all__ = ["Intent", "NeverSigned", "read_intent"]


def read_intent(method: str, payload: bytes, account: Fixed) -> Intent:
    """Decode a wish; raise NeverSigned where no policy of the wallet's chain could allow it."""
    chain = chain_of(account)
    kind = chain.kinds.get(method)
    if kind is not None:
        intent: Intent = kind.read(payload, account)
        return intent
    if chain_with(method) is not None:
        raise method_not_signed(method, f"this wallet has {chain.key}")
    raise method_not_signed(method, "it would sign what nobody decoded")
