"""A wallet on Solana, its agent, and the messages that they sign, by Solana's own types."""

import time

from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from keymoot.agent.credential import Credential
from keymoot.agent.owner import Owner
from keymoot.agent.solana import SolanaAccount
from keymoot.agent.views import WalletView
from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds, Wei

PAYEE = Keypair().pubkey()
RECOVERY = SolanaAddress(bytes(Keypair().pubkey()))
LOGIN = "app.example wants you to sign in with your Solana account:"


def policy(limit: int = 10**9) -> dict:
    return {
        "version": "1",
        "chain": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
        "rules": [
            {
                "id": "pay",
                "action": "ALLOW",
                "method": "solana_signTransaction",
                "instruction": "system.transfer",
                "to": {"eq": str(PAYEE)},
                "amount": {"lte": "1000000"},
                "spend": {"day": "amount"},
            },
            {
                "id": "login",
                "action": "ALLOW",
                "method": "solana_signMessage",
                "prefix": LOGIN,
            },
        ],
        "limits": [
            {"id": "day", "max": str(limit), "window": "24h", "kind": "rolling"},
            {"id": "fee", "meter": "maxFee", "max": "50000", "per": "tx"},
        ],
    }


def payment(account: SolanaAccount | SolanaAddress, lamports: int, to: Pubkey = PAYEE) -> Message:
    """A transfer, with a recent blockhash of its own."""
    own = account.pubkey if isinstance(account, SolanaAccount) else account
    payer = Pubkey.from_bytes(bytes(own))
    params = TransferParams(from_pubkey=payer, to_pubkey=to, lamports=lamports)
    return Message.new_with_blockhash([transfer(params)], payer, Hash.new_unique())


def wallet_on_solana(
    owner: Owner, name: str = "treasury", limit: int = 10**9
) -> tuple[WalletView, Credential, SolanaAccount]:
    """Make a wallet on Solana, and an agent for it."""
    wallet = owner.create_solana(name, RECOVERY, Wei(100 * 10**18))
    owner.set_policy(wallet.wallet, canonical(policy(limit)), 0)
    until = UnixSeconds(int(time.time()) + 3_600)
    credential = owner.grant(wallet.wallet, name, until)
    return wallet, credential, SolanaAccount(credential, owner.network.url)


def pays(account: SolanaAccount, lamports: int = 1) -> VersionedTransaction:
    """Have a payment signed; Solana's own types verify it."""
    made = VersionedTransaction.from_bytes(account.sign_transaction(payment(account, lamports)))
    assert made.verify_with_results() == [True]
    assert str(made.message.account_keys[0]) == account.address
    return made
