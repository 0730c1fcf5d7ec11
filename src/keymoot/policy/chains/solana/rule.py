"""A rule on one kind of transfer of Solana: to whom, of what, how much."""

from dataclasses import dataclass

from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import Json
from keymoot.policy.chains.solana.address import SOLANA_ADDRESS
from keymoot.policy.chains.solana.instruction import SystemTransfer, TokenTransfer
from keymoot.policy.condition import Condition, Sets
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.rule import ALLOW, Rule, parse_action, parse_field, parse_name, parse_spend
from keymoot.policy.shape import known_fields, required

AMOUNT = "amount"
"""What `spend` calls what is transferred, in base units."""

MAX_TOKEN_OWNERS = 64
"""Addresses that the rules on tokens of one policy name at most: for each of them, and each
mint of a transaction, a token account is derived (`trial.py` counts them)."""

_FIELDS = {"id", "action", "method", "instruction", "to", "amount", "spend"}
_TOKEN_FIELDS = _FIELDS | {"mint", "from"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRule(Rule):
    """One rule on transfers; `spend` names AMOUNT.

    Attributes:
        instruction: NAME of the kind of transfer that it speaks of.
        mint: On the token.
        to: On the recipient: for tokens, holds for a token account that is named, and
            for the associated one of an owner that is named.
        source: On the token account that the tokens leave, in the same way; where it is
            None, an ALLOW wants the wallet's own associated one.
        amount: On what is transferred, in base units.
    """

    instruction: str
    mint: Condition | None
    to: Condition | None
    source: Condition | None
    amount: Condition | None

    @property
    def token_owners(self) -> int:
        """How many addresses it names, each of which may own a token account."""
        if self.instruction != TokenTransfer.NAME:
            return 0
        return sum(
            _all_named(condition) for condition in (self.to, self.source) if condition is not None
        )

    def derived_accounts(self, mints: int) -> int:
        """How many token accounts a transaction of so many mints can make it derive."""
        if self.mint is not None and self.mint.positive:
            mints = min(mints, _smallest(self.mint))
        return mints * self.token_owners


def parse_transfer_rule(
    json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str
) -> TransferRule:
    """Read one rule of the method solana_signTransaction."""
    # 1. What it speaks of.
    instruction = required(json, "instruction", path)
    if instruction not in (SystemTransfer.NAME, TokenTransfer.NAME):
        known = f'"{SystemTransfer.NAME}" or "{TokenTransfer.NAME}"'
        raise BadPolicy(f"an instruction is {known}", f"{path}.instruction")
    of_tokens = instruction == TokenTransfer.NAME
    known_fields(json, _TOKEN_FIELDS if of_tokens else _FIELDS, path)
    # 2. Its conditions.
    action = parse_action(json, path)
    rule = TransferRule(
        name=parse_name(json, path),
        action=action,
        instruction=str(instruction),
        mint=parse_field(json, "mint", SOLANA_ADDRESS, sets, path),
        to=parse_field(json, "to", SOLANA_ADDRESS, sets, path),
        source=parse_field(json, "from", SOLANA_ADDRESS, sets, path),
        amount=parse_field(json, "amount", "uint64", sets, path),
        spend=parse_spend(json.get("spend", {}), action, limits, _source, f"{path}.spend"),
    )
    # 3. An ALLOW names whom and what: not only whom not.
    if action == ALLOW and not (rule.to and rule.to.positive):
        raise BadPolicy("an ALLOW names its recipients, with eq or in", f"{path}.to")
    if action == ALLOW and of_tokens and not (rule.mint and rule.mint.positive):
        raise BadPolicy("an ALLOW of tokens names its mints, with eq or in", f"{path}.mint")
    return rule


def _source(source: str, path: str) -> str:
    if source != AMOUNT:
        raise BadPolicy(f'a transfer spends its "{AMOUNT}"', path)
    return source


def _smallest(condition: Condition) -> int:
    positive = [test for test in condition.tests if test.operator in ("eq", "in")]
    return min(len(test.named(_ANYBODY)) for test in positive)


def _all_named(condition: Condition) -> int:
    return sum(len(test.named(_ANYBODY)) for test in condition.tests)


_ANYBODY = SolanaAddress(bytes(32))
