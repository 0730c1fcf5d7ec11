"""Which transactions of Solana are withdrawals: only to the recovery address."""

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.refusal import Refusal, not_a_withdrawal, too_high_a_fee
from keymoot.policy.solana.instruction import TokenTransfer
from keymoot.policy.solana.intent import SolanaIntent
from keymoot.policy.solana.token_account import associated_account

MAX_FEE_LAMPORTS = 10_000_000
"""Fee of a withdrawal at most (0.01 SOL), where its owner states no other."""


def check_solana_withdrawal(
    intent: SolanaIntent, recovery: SolanaAddress, max_fee: int | None = None
) -> Refusal | None:
    """Tell why an owner's transaction is no withdrawal to `recovery`; None if it is one.

    Every transfer goes to the recovery address: lamports to itself, tokens to its
    associated token account, which somebody has to have made before. Tokens may leave any
    account that the wallet may move: what stands in an account of its own making is not
    lost.
    """
    for one in intent.does.transfers:
        token = isinstance(one, TokenTransfer)
        home = (
            associated_account(recovery, one.mint) if isinstance(one, TokenTransfer) else recovery
        )
        if one.to != home:
            what = (
                f"the token account {home.base58} of the recovery address" if token else home.base58
            )
            return not_a_withdrawal(f"{one.place}.to", f"a withdrawal goes to {what}")
    most = MAX_FEE_LAMPORTS if max_fee is None else max_fee
    return too_high_a_fee(intent.max_fee, most, "lamports") if intent.max_fee > most else None
