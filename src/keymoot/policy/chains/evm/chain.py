"""EVM chains, in one object: Ethereum and all that has its addresses and transactions."""

from collections.abc import Sequence

from keymoot.base.digits import decimal
from keymoot.base.request import SIGN_MESSAGE, SIGN_TRANSACTION
from keymoot.crypto.scheme import ECDSA
from keymoot.crypto.secp256k1 import address_of
from keymoot.policy.chains.chain import Chain, WishKind
from keymoot.policy.chains.evm.address import EIP155, EVM_ADDRESSES
from keymoot.policy.chains.evm.hyperliquid.trial import HYPERLIQUID
from keymoot.policy.chains.evm.intent import read_transaction
from keymoot.policy.chains.evm.rule import EvmRule, parse_evm_rule, suffixes_of
from keymoot.policy.chains.evm.suffix import MAX_SUFFIXES
from keymoot.policy.chains.evm.text import read_personal_text
from keymoot.policy.chains.evm.trial import comparisons, try_rules
from keymoot.policy.chains.evm.typed.trial import TYPED_DATA
from keymoot.policy.chains.evm.withdrawal import check_evm_withdrawal
from keymoot.policy.chains.texts import text_kind
from keymoot.policy.errors import BadPolicy
from keymoot.policy.rule import Rule

MAX_CHAIN_ID = 2**63 - 1


def _is_chain_id(text: str) -> bool:
    number = decimal(text, 19)
    return number is not None and text[0] != "0" and number <= MAX_CHAIN_ID


def _check_rules(rules: Sequence[Rule]) -> None:
    ours = [rule for rule in rules if isinstance(rule, EvmRule)]
    # A selector that two rules read differently: what it calls is one of the two.
    known: dict[bytes, str] = {}
    for rule in ours:
        for selector, function in rule.functions.items():
            if known.setdefault(selector, function.signature) != function.signature:
                raise BadPolicy(
                    f"{known[selector]} and {function.signature} have the same selector", "rules"
                )
    if len(suffixes_of(ours)) > MAX_SUFFIXES:
        raise BadPolicy(f"at most {MAX_SUFFIXES} different suffixes are read behind", "rules")


EVM = Chain(
    namespace=EIP155,
    example="eip155:8453",
    key="a secp256k1 key, of Ethereum",
    scheme=ECDSA,
    addresses=EVM_ADDRESSES,
    address_of=address_of,
    is_reference=_is_chain_id,
    transactions=WishKind(
        SIGN_TRANSACTION,
        read_transaction,
        parse_evm_rule,
        try_rules,
        comparisons,
        check_evm_withdrawal,
    ),
    others=(text_kind(SIGN_MESSAGE, read_personal_text), TYPED_DATA, HYPERLIQUID),
    check_rules=_check_rules,
    told_by_length=True,
)
