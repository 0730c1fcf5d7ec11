"""Solana, in one object."""

from collections.abc import Sequence

from keymoot.base.base58 import ALPHABET
from keymoot.base.fixed import SolanaAddress
from keymoot.base.request import SIGN_SOLANA_MESSAGE, SIGN_SOLANA_TRANSACTION
from keymoot.crypto.scheme import ED25519
from keymoot.policy.chains.chain import Chain, WishKind
from keymoot.policy.chains.solana.address import NAMESPACE, SOLANA_ADDRESSES
from keymoot.policy.chains.solana.intent import read_message
from keymoot.policy.chains.solana.rule import MAX_TOKEN_OWNERS, TransferRule, parse_transfer_rule
from keymoot.policy.chains.solana.text import read_solana_text
from keymoot.policy.chains.solana.trial import comparisons, try_rules
from keymoot.policy.chains.solana.withdrawal import check_solana_withdrawal
from keymoot.policy.chains.texts import text_kind
from keymoot.policy.errors import BadPolicy
from keymoot.policy.rule import Rule

REFERENCE_LENGTH = 32
"""CAIP-2: so many characters of the genesis block's hash, in base58."""


def _is_genesis(text: str) -> bool:
    return len(text) == REFERENCE_LENGTH and set(text) <= set(ALPHABET)


def _check_rules(rules: Sequence[Rule]) -> None:
    owners = sum(rule.token_owners for rule in rules if isinstance(rule, TransferRule))
    if owners > MAX_TOKEN_OWNERS:
        raise BadPolicy(
            f"rules on tokens name {owners} addresses, at most {MAX_TOKEN_OWNERS} are asked for "
            "their token accounts: name fewer, or one in fewer rules",
            "rules",
        )


SOLANA = Chain(
    namespace=NAMESPACE,
    example="solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
    key="an Ed25519 key, of Solana",
    scheme=ED25519,
    addresses=SOLANA_ADDRESSES,
    address_of=SolanaAddress,
    is_reference=_is_genesis,
    transactions=WishKind(
        SIGN_SOLANA_TRANSACTION,
        read_message,
        parse_transfer_rule,
        try_rules,
        comparisons,
        check_solana_withdrawal,
    ),
    others=(text_kind(SIGN_SOLANA_MESSAGE, read_solana_text),),
    check_rules=_check_rules,
    told_by_length=True,
)
