"""Try one rule on one part of an action of Hyperliquid."""

from collections.abc import Callable

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.evm.hyperliquid.action import ActionIntent
from keymoot.policy.chains.evm.hyperliquid.kinds import ORDER, Part
from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule
from keymoot.policy.chains.evm.hyperliquid.window import NONCE, strange_nonce, within
from keymoot.policy.match import Match, Trace, closest_of
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW
from keymoot.policy.shown import show

VENUE, VAULT, NAMED, CONDITIONS, DEFAULTS, WITHIN = range(6)
"""How far a rule got before it stopped: whom and what it names comes before how much."""


class ActionMatch(Match):
    """One rule's trial on one part."""

    rule: ActionRule

    def __init__(
        self,
        rule: ActionRule,
        intent: ActionIntent,
        part: Part,
        now: UnixSeconds,
        trace: Trace,
    ) -> None:
        super().__init__(rule, intent.wallet, trace)
        self.intent, self.part, self.now = intent, part, now

    def checks(self) -> tuple[Callable[[], bool], ...]:
        """In the order of VENUE to WITHIN."""
        return (
            self._venue,
            self._vault,
            self._named,
            self._conditions,
            self._defaults,
            self._within,
        )

    @property
    def what(self) -> str:
        return self.part.place

    def amount(self, source: str) -> int:
        return int(self.part.fields[source])  # consensus: an integer

    def path(self, source: str) -> str:
        return f"{self.part.place}.{source}"

    def understood(self, decoded: dict[str, Json]) -> None:
        """Add the rule's name to the list of those that allowed, one for each part."""
        rules = decoded.setdefault("rules", [])
        if isinstance(rules, list):
            rules.append(self.rule.name)

    def _venue(self) -> bool:
        wanted, got = self.rule.venue, self.intent.venue
        return wanted is None or self.note("network", wanted, got, passed=wanted == got)

    def _vault(self) -> bool:
        condition, vault = self.rule.vault, self.intent.vault
        if condition is None and self.rule.action != ALLOW:
            return True
        if condition is None or vault is None:
            wanted = "none" if condition is None else condition.wanted
            return self.note(
                "vaultAddress", wanted, show(vault), passed=condition is None and vault is None
            )
        return self.compare("vaultAddress", condition, vault, show(vault))

    def _named(self) -> bool:
        return self._hold(named=True)

    def _conditions(self) -> bool:
        return self._hold(named=False)

    def _hold(self, *, named: bool) -> bool:
        for name, condition in self.rule.fields.items():
            if condition.positive != named:
                continue
            value = self.part.fields.get(name)
            if value is None:
                # No builder: nothing that an ALLOW would have to bound, nor a DENY to deny.
                if self.rule.action == ALLOW:
                    continue
                return self.note(self.path(name), condition.wanted, "none", passed=False)
            if not self.compare(self.path(name), condition, value, show(value)):
                return False
        return True

    def _defaults(self) -> bool:
        """An ALLOW of orders that does not speak of them wants no builder and no open price."""
        if self.rule.action != ALLOW or self.rule.kind != ORDER:
            return True
        fields, ruled = self.part.fields, self.rule.fields
        if "builder" in fields and "builder" not in ruled:
            return self.note(self.path("builder"), "none", show(fields["builder"]), passed=False)
        if fields["isMarket"] and "isMarket" not in ruled:
            return self.note(self.path("isMarket"), "eq false", "true", passed=False)
        return True

    def _within(self) -> bool:
        return within(self.intent, self.now, self.rule.within, self.note)


def unmatched(matches: list[ActionMatch], intent: ActionIntent, part: Part) -> Refusal:
    """Say what stopped the rule that went farthest."""
    closest = closest_of(matches)
    step = None if closest is None else closest.step
    if closest is None or step is None:
        message = (
            f'{REFUSED}no rule has the type "{intent.kind}", by which one would allow the action '
            f'"{intent.action}"'
        )
        return Refusal("NO_RULE", message, path=part.place)
    if step.path == NONCE:
        return strange_nonce(intent, closest.now, closest.rule.within[NONCE], step.rule)
    word = "CONDITION_FAILED" if (closest.stopped or 0) >= NAMED else "NO_RULE"
    message = f'{REFUSED}rule "{step.rule}" wants {step.path} {step.wanted}, got {step.got}'
    return Refusal(word, message, rule=step.rule, path=step.path)
