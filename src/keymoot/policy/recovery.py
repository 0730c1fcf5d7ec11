"""What an owner may withdraw, whatever the policy says: only to the recovery address."""

from keymoot.base.fixed import Address, SolanaAddress
from keymoot.policy.evm.intent import EvmIntent
from keymoot.policy.evm.withdrawal import check_evm_withdrawal
from keymoot.policy.intent import Intent
from keymoot.policy.refusal import Refusal, not_a_withdrawal
from keymoot.policy.solana.intent import SolanaIntent
from keymoot.policy.solana.withdrawal import check_solana_withdrawal


def check_withdrawal(intent: Intent, recovery: Address | SolanaAddress) -> Refusal | None:
    """Tell why an owner's wish is no withdrawal to `recovery`; None if it is one.

    Args:
        intent: From `read_intent`.
        recovery: An address of the same kind as the wallet's.
    """
    if isinstance(intent, EvmIntent) and isinstance(recovery, Address):
        return check_evm_withdrawal(intent, recovery)
    if isinstance(intent, SolanaIntent) and isinstance(recovery, SolanaAddress):
        return check_solana_withdrawal(intent, recovery)
    return not_a_withdrawal("method", "a withdrawal is a transaction to the recovery address")
