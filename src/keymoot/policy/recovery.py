"""What an owner may withdraw, whatever the policy says: only to the recovery address."""

from keymoot.base.fixed import Fixed
from keymoot.policy.chains.chain import Intent
from keymoot.policy.chains.registry import chain_of, kind_of
from keymoot.policy.refusal import Refusal, not_a_withdrawal


def check_withdrawal(intent: Intent, recovery: Fixed, max_fee: int | None = None) -> Refusal | None:
    """Tell why an owner's wish is no withdrawal to `recovery`; None if it is one.

    Its fee is at most `max_fee` of the chain's least unit; None: what is usual there.
    """
    if chain_of(intent.wallet) is not chain_of(recovery):
        return not_a_withdrawal("method", "a withdrawal is a transaction to the recovery address")
    return kind_of(intent).check_withdrawal(intent, recovery, max_fee)
