"""Try one rule on one intent, and note every comparison on the way."""

from dataclasses import dataclass, field
from typing import Any

from keymoot.base.fixed import Address
from keymoot.policy.condition import Condition, Test, canonical_value
from keymoot.policy.intent import Intent
from keymoot.policy.names import checksummed
from keymoot.policy.rule import ALLOW, DENY, Rule
from keymoot.policy.signature import BadCalldata, Function

MAX_SHOWN_CHARACTERS = 128
"""Longest text of one decoded value; a signature has room for about a hundred values."""

TARGET, FUNCTION, CALLDATA, CONDITIONS = range(4)
"""How far a rule got before it stopped."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace: what was looked at, what was wanted, what was found."""

    rule: str
    path: str
    wanted: str
    got: str
    passed: bool


@dataclass(slots=True)
class Match:
    """One rule's trial.

    Attributes:
        trace: Gets every comparison.
        stopped: Where the rule stopped, or None: it holds.
        step: The comparison that stopped it.
        function: What the calldata names, if the rule knows it.
        arguments: The decoded arguments, by path.
    """

    rule: Rule
    intent: Intent
    trace: list[Step]
    stopped: int | None = None
    step: Step | None = None
    function: Function | None = None
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether all of the rule's conditions hold."""
        return self.stopped is None

    def run(self) -> "Match":
        """Try the rule, to its first comparison that fails."""
        checks = (self._target, self._function, self._calldata, self._conditions)
        for depth, check in enumerate(checks):
            if not check():
                self.stopped = depth
                break
            if self.step is not None:
                break  # a DENY that cannot read what it names
        return self

    def _note(self, path: str, wanted: str, got: str, *, passed: bool) -> bool:
        step = Step(self.rule.name, path, wanted, got, passed)
        self.trace.append(step)
        if not passed:
            self.step = step
        return passed

    def _target(self) -> bool:
        to = self.intent.transaction.to
        if self.rule.to is None:
            return True
        if to is None:
            return self._note("to", _wanted(self.rule.to.tests), "contract creation", passed=False)
        return self._holds("to", self.rule.to, to, checksummed(to))

    def _function(self) -> bool:
        data = self.intent.transaction.data
        if not self.rule.functions:
            if self.rule.action == DENY:
                return True
            return self._note("data", "no calldata", f"{len(data)} bytes", passed=not data)
        if self.intent.transaction.to is not None:
            self.function = self.rule.functions.get(data[:4])
        wanted = " or ".join(one.signature for one in self.rule.functions.values())
        got = "0x" + data[:4].hex()
        return self._note("function", wanted, got, passed=self.function is not None)

    def _calldata(self) -> bool:
        if self.function is None:
            return True
        try:
            self.arguments = self.function.decode(self.intent.transaction.data)
        except BadCalldata as error:
            self._note("data", "canonical calldata", str(error), passed=False)
            # What a DENY names but cannot read is denied all the same.
            return self.rule.action == DENY
        return True

    def _conditions(self) -> bool:
        return self._arguments() and self._value() and self._access_list()

    def _arguments(self) -> bool:
        for path, condition in self.rule.arguments.items():
            value = self.argument(path)
            if not self._holds(f"args.{path}", condition, value, shown(value)):
                return False
        return True

    def _value(self) -> bool:
        value = self.intent.transaction.value
        if self.rule.value is not None:
            return self._holds("value", self.rule.value, value, str(value))
        if self.rule.action == DENY:
            return True
        return self._note("value", "eq 0", str(value), passed=value == 0)

    def _access_list(self) -> bool:
        if self.rule.action != ALLOW or self.rule.any_access_list:
            return True
        count = len(self.intent.transaction.access_list)
        return self._note("accessList", "empty", f"{count} entries", passed=count == 0)

    def _holds(self, path: str, condition: Condition, value: Any, got: str) -> bool:
        failing = condition.failing(value, self.intent.wallet)
        tests = condition.tests if failing is None else (failing,)
        return self._note(path, _wanted(tests), got, passed=failing is None)

    def argument(self, path: str) -> Any:
        """Give a decoded argument as conditions compare it."""
        kind = self.function.kind_of(path) if self.function else None
        return canonical_value(kind or "", self.arguments[path])

    def decoded_call(self) -> dict[str, Any]:
        """Show the function and its arguments, if the rule knows them."""
        if self.function is None:
            return {}
        paths = [path for path in self.arguments if not self._is_tuple(path)]
        shown_arguments = {path: shown(self.argument(path)) for path in paths}
        return {"function": self.function.signature, "args": shown_arguments}

    def _is_tuple(self, path: str) -> bool:
        return self.function is not None and str(self.function.kind_of(path)).startswith("(")


def _wanted(tests: tuple[Test, ...]) -> str:
    return " and ".join(f"{test.operator} {test.shown}" for test in tests)


def shown(value: Any) -> str:
    """Write a decoded value for people, cut where it is long.

    What is shown goes into a wallet's log, whose records are bounded: without the cut,
    an agent could write one that nobody can read again.
    """
    text = _text(value)
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    return f"{text[:MAX_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if isinstance(value, bytes):
        return checksummed(value) if isinstance(value, Address) else "0x" + value.hex()
    return str(value)
