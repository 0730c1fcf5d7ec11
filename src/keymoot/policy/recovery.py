"""What an owner may withdraw, whatever the policy says: only to the recovery address."""

from keymoot.base.fixed import Address, SolanaAddress
from keymoot.policy.evm.intent import EvmIntent
from keymoot.policy.evm.withdrawal import check_evm_withdrawal
from keymoot.policy.intent import Intent
from keymoot.policy.refusal import Refusal, not_a_withdrawal
from keymoot.policy.solana.intent import SolanaIntent
from keymoot.policy.solana.withdrawal import check_solana_withdrawal


def check_withdrawal(
    intent: Intent, recovery: Address | SolanaAddress, max_fee: int | None = None
) -> Refusal | None:
    """Tell why an owner's wish is no withdrawal to `recovery`; None if it is one.

    Args:
        intent: From `read_intent`.
        recovery: An address of the same kind as the wallet's.
        max_fee: Fee at most, in wei or lamports, as the owner states it; None for what is
            usual on that kind of chain.
    """
    if isinstance(intent, EvmIntent) and isinstance(recovery, Address):
        return check_evm_withdrawal(intent, recovery, max_fee)
    if isinstance(intent, SolanaIntent) and isinstance(recovery, SolanaAddress):
        return check_solana_withdrawal(intent, recovery, max_fee)
    return not_a_withdrawal("method", "a withdrawal is a transaction to the recovery address")
