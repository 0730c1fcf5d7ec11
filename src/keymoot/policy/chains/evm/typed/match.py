"""Try one rule on typed data: domain and type, then its fields."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.evm.signature import follow
from keymoot.policy.chains.evm.typed.intent import TypedIntent
from keymoot.policy.chains.evm.typed.powers import hazard_of
from keymoot.policy.chains.evm.typed.rule import TypedRule
from keymoot.policy.match import Match, Trace, closest_of
from keymoot.policy.moment import show_moment
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW
from keymoot.policy.shown import show

TYPE, DOMAIN, NAMED, CONDITIONS = range(4)
"""How far a rule got before it stopped: whom and what it names comes before how much."""

MAX_SHOWN_FIELDS = 32


class TypedMatch(Match):
    rule: TypedRule

    def __init__(
        self, rule: TypedRule, intent: TypedIntent, now: UnixSeconds, trace: Trace
    ) -> None:
        super().__init__(rule, intent.wallet, trace)
        self.intent, self.now = intent, now

    def checks(self) -> tuple[Callable[[], bool], ...]:
        """In the order of TYPE to CONDITIONS."""
        return (self._type, self._domain, self._named, self._conditions)

    @property
    def what(self) -> str:
        return self.intent.struct.name

    def amount(self, source: str) -> int:
        return int(self._read(source))  # consensus: an integer

    def path(self, source: str) -> str:
        return f"message.{source}"

    def understood(self, decoded: dict[str, Json]) -> None:
        places = self.intent.struct.function.places
        leaves = [path for path, place in places.items() if not place.kind.startswith("(")]
        decoded["message"] = {path: show(self._read(path)) for path in leaves[:MAX_SHOWN_FIELDS]}

    def _type(self) -> bool:
        if self.rule.struct is None:
            return True
        wanted, got = self.rule.struct.encode_type, self.intent.struct.encode_type
        shown = partial(show, wanted), partial(show, got)
        return self.note("primaryType", *shown, passed=wanted == got)

    def _domain(self) -> bool:
        domain, ruled = self.intent.domain, self.rule.domain
        there, named = domain.keys(), ruled.keys()
        if there != named if self.rule.action == ALLOW else not named <= there:
            wanted, got = partial(_listed, ruled), partial(_listed, domain)
            return self.note("domain", wanted, got, passed=False)
        for name, condition in ruled.items():
            value = domain[name]
            if condition is not None and not self.compare(
                f"domain.{name}", condition, value, partial(show, value)
            ):
                return False
        return True

    def _named(self) -> bool:
        return self._hold(named=True)

    def _hold(self, *, named: bool) -> bool:
        for name, condition in self.rule.named if named else self.rule.others:
            value = self._read(name)
            if not self.compare(self.path(name), condition, value, partial(show, value)):
                return False
        return True

    def _conditions(self) -> bool:
        if not self._hold(named=False):
            return False
        for name, seconds in self.rule.within.items():
            moment, last = self._read(name), self.now + seconds
            wanted = f"at most {show_moment(last)}"
            if not self.note(self.path(name), wanted, show_moment(moment), passed=moment <= last):
                return False
        return True

    def _read(self, path: str) -> Any:
        """Give a field as conditions compare it."""
        return follow(self.intent.values, self.intent.struct.function.places[path].way)


def reach_of(rule: TypedRule, intent: TypedIntent) -> int:
    """Give how far a rule gets at most, by what is seen at once.

    TYPE or NAMED: it does not hold, and stops there or before. CONDITIONS: it may hold.
    """
    domain = intent.domain
    for name, value in rule.exact_domain:
        if domain.get(name) != value:
            return TYPE
    if rule.struct is not None and rule.struct.encode_type != intent.struct.encode_type:
        return TYPE
    if rule.action == ALLOW and domain.keys() != rule.domain.keys():
        return TYPE
    for way, value in rule.exact_fields:
        if follow(intent.values, way) != value:
            return NAMED
    return CONDITIONS


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def unmatched(matches: list[TypedMatch], intent: TypedIntent) -> Refusal:
    """Name the hazard, or what stopped the rule that went farthest."""
    closest = closest_of(matches)
    step = None if closest is None else closest.step
    if closest is not None and step is not None and (closest.stopped or 0) >= DOMAIN:
        word = "CONDITION_FAILED" if (closest.stopped or 0) >= NAMED else "NO_RULE"
        message = f'{REFUSED}rule "{step.rule}" wants {step.path} {step.wanted}, got {step.got}'
        return Refusal(word, message, rule=step.rule, path=step.path)
    # What has the name of a rule's type, and other fields.
    alike = next((match.rule for match in matches if _is_namesake(match.rule, intent)), None)
    beside, name = "", None
    if alike is not None and alike.struct is not None:
        beside, name = f'; rule "{alike.name}" is for {show(alike.struct.encode_type)}', alike.name
    hazard = hazard_of(intent.struct.name)
    if hazard is not None:
        message = f"{REFUSED}{hazard.gives}, and no rule names it here{beside}"
        return Refusal(hazard.reason, message, rule=name, path="primaryType")
    message = f"{REFUSED}no rule allows typed data of {show(intent.struct.encode_type)}{beside}"
    return Refusal("NO_RULE", message, rule=name, path="primaryType")


def _is_namesake(rule: TypedRule, intent: TypedIntent) -> bool:
    return (
        rule.action == ALLOW and rule.struct is not None and rule.struct.name == intent.struct.name
    )
