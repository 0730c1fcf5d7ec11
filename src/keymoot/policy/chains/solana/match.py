"""Try one rule on one transfer of a Solana transaction."""

from collections.abc import Callable

from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import Json
from keymoot.policy.chains.solana.instruction import TokenTransfer, Transfer
from keymoot.policy.chains.solana.rule import AMOUNT, TransferRule
from keymoot.policy.chains.solana.token_account import associated_account, is_associated
from keymoot.policy.condition import Condition, Test
from keymoot.policy.match import Match, Trace
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW

INSTRUCTION, MINT, RECIPIENT, SOURCE, HOW_MUCH = range(5)
"""How far a rule got before it stopped."""


class TransferMatch(Match):
    rule: TransferRule

    def __init__(
        self, rule: TransferRule, transfer: Transfer, wallet: SolanaAddress, trace: Trace
    ) -> None:
        super().__init__(rule, wallet, trace)
        self.transfer = transfer
        self.owner = wallet

    def checks(self) -> tuple[Callable[[], bool], ...]:
        """In the order of INSTRUCTION to HOW_MUCH."""
        return (self._instruction, self._mint, self._recipient, self._source, self._amount)

    @property
    def what(self) -> str:
        return self.transfer.place

    def amount(self, source: str) -> int:  # noqa: ARG002
        return self.transfer.amount

    def path(self, source: str) -> str:
        return f"{self.transfer.place}.{source}"

    def understood(self, decoded: dict[str, Json]) -> None:
        """Add the rule's name to the list of those that allowed, one for each transfer."""
        rules = decoded.setdefault("rules", [])
        if isinstance(rules, list):
            rules.append(self.rule.name)

    def _instruction(self) -> bool:
        wanted, got = self.rule.instruction, self.transfer.NAME
        return self.note(self.path("instruction"), wanted, got, passed=wanted == got)

    def _mint(self) -> bool:
        if self.rule.mint is None or not isinstance(self.transfer, TokenTransfer):
            return True
        mint = self.transfer.mint
        return self.compare(self.path("mint"), self.rule.mint, mint, mint.base58)

    def _recipient(self) -> bool:
        if self.rule.to is None:
            return True
        return self._is_named("to", self.rule.to, self.transfer.to)

    def _source(self) -> bool:
        if not isinstance(self.transfer, TokenTransfer):
            return True
        source, mint = self.transfer.source, self.transfer.mint
        if self.rule.source is not None:
            return self._is_named("from", self.rule.source, source)
        if self.rule.action != ALLOW:
            return True
        own = associated_account(self.owner, mint)
        wanted = f"the wallet's own {own.base58}"
        return self.note(self.path("from"), wanted, source.base58, passed=source == own)

    def _amount(self) -> bool:
        if self.rule.amount is None:
            return True
        amount = self.transfer.amount
        return self.compare(self.path(AMOUNT), self.rule.amount, amount, str(amount))

    def _is_named(self, field: str, condition: Condition, account: SolanaAddress) -> bool:
        if not isinstance(self.transfer, TokenTransfer):
            return self.compare(self.path(field), condition, account, account.base58)
        mint = self.transfer.mint
        failing = next((t for t in condition.tests if not self._holds(t, account, mint)), None)
        wanted = condition.wanted if failing is None else Condition((failing,)).wanted
        return self.note(self.path(field), wanted, account.base58, passed=failing is None)

    def _holds(self, test: Test, account: SolanaAddress, mint: SolanaAddress) -> bool:
        """Compare a token account, which is also meant where its owner is named."""
        named = test.named(self.owner)
        known = account in named or any(is_associated(account, owner, mint) for owner in named)
        return known != (test.operator == "notIn")


def unmatched(matches: list[TransferMatch], transfer: Transfer) -> Refusal:
    """Say what stopped the rule that went farthest."""
    allows = [m for m in matches if m.rule.action == ALLOW and not m.holds]
    closest = max(allows, key=lambda match: match.stopped or 0, default=None)
    step = None if closest is None else closest.step
    if closest is None or step is None or closest.stopped == INSTRUCTION:
        message = f"{REFUSED}no rule allows {transfer.NAME}"
        return Refusal("NO_RULE", message, path=transfer.place)
    if closest.stopped in (MINT, RECIPIENT):
        message = (
            f"{REFUSED}no rule allows {transfer.NAME} with {step.path} {step.got}; "
            f'"{step.rule}" comes closest'
        )
        return Refusal("NO_RULE", message, rule=step.rule, path=step.path)
    message = f'{REFUSED}rule "{step.rule}" wants {step.path} {step.wanted}, got {step.got}'
    return Refusal("CONDITION_FAILED", message, rule=step.rule, path=step.path)
