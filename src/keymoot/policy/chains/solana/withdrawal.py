"""Which transactions of Solana are withdrawals: only to the recovery address."""

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.chains.solana.instruction import TokenTransfer
from keymoot.policy.chains.solana.intent import SolanaIntent
from keymoot.policy.chains.solana.token_account import associated_account
from keymoot.policy.refusal import Refusal, not_a_withdrawal, too_high_a_fee

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
    for transfer in intent.does.transfers:
        home, whose = recovery, "{}"
        if isinstance(transfer, TokenTransfer):
            home = associated_account(recovery, transfer.mint)
            whose = "the token account {} of the recovery address"
        if transfer.to != home:
            what = f"a withdrawal goes to {whose.format(home.base58)}"
            return not_a_withdrawal(f"{transfer.place}.to", what)
    most = MAX_FEE_LAMPORTS if max_fee is None else max_fee
    return too_high_a_fee(intent.max_fee, most, "lamports") if intent.max_fee > most else None
