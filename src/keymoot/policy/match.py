"""Try one rule on one thing, and note every comparison on the way."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from keymoot.base.strict_json import Json
from keymoot.policy.condition import Condition, Wallet
from keymoot.policy.refusal import Refusal
from keymoot.policy.rule import ALLOW, Rule

_M = TypeVar("_M", bound="Match")


Text: TypeAlias = "str | Callable[[], str]"
"""What a person may want to read, or what writes it then: of most comparisons nobody does."""


class Step:
    """One line of the trace: what was looked at, what was wanted, what was found."""

    __slots__ = ("_got", "_wanted", "passed", "path", "rule")

    def __init__(self, rule: str, path: str, wanted: Text, got: Text, passed: bool) -> None:  # noqa: FBT001
        self.rule, self.path, self.passed = rule, path, passed
        self._wanted, self._got = wanted, got

    @property
    def wanted(self) -> str:
        return self._wanted if isinstance(self._wanted, str) else self._wanted()

    @property
    def got(self) -> str:
        return self._got if isinstance(self._got, str) else self._got()

    def to_json(self) -> dict[str, Json]:
        return {
            "rule": self.rule,
            "path": self.path,
            "wanted": self.wanted,
            "got": self.got,
            "passed": self.passed,
        }


Trace: TypeAlias = "list[Step | Callable[[], Sequence[Step]]]"
"""Comparisons in order; or what makes those of a rule, where nobody reads them yet."""


class Match(ABC):
    """One rule's trial; each kind of intent has its own.

    Attributes:
        what: The thing that the rule was tried on, for people.
        trace: Gets every comparison.
        passed: How many conditions of the rule hold.
        stopped: Which check stopped the rule, or None: it holds.
        step: The comparison that stopped it.
    """

    def __init__(self, rule: Rule, wallet: Wallet, trace: Trace) -> None:
        self.rule = rule
        self.wallet = wallet
        self.trace = trace
        self.passed = 0
        self.stopped: int | None = None
        self.step: Step | None = None

    @property
    def holds(self) -> bool:
        return self.stopped is None

    def run(self) -> None:
        """Try the rule, to its first comparison that fails."""
        for depth, check in enumerate(self.checks()):
            if not check():
                self.stopped = depth
                break
            if self.step is not None:
                break  # a DENY that cannot read what it names

    @abstractmethod
    def checks(self) -> tuple[Callable[[], bool], ...]:
        """In order: each tells whether to go on."""

    @property
    @abstractmethod
    def what(self) -> str:
        """The thing that the rule was tried on, for people."""

    @abstractmethod
    def amount(self, source: str) -> int:
        """Give the amount that the rule's `spend` calls so."""

    @abstractmethod
    def path(self, source: str) -> str:
        """Say where in the wish that amount stands."""

    @abstractmethod
    def understood(self, decoded: dict[str, Json]) -> None:
        """Add to what is shown of an allowed wish what only the rule knows."""

    def note(self, path: str, wanted: Text, got: Text, *, passed: bool) -> bool:
        """Write a comparison down, and give its outcome."""
        step = Step(self.rule.name, path, wanted, got, passed)
        self.trace.append(step)
        if not passed:
            self.step = step
        return passed

    def compare(self, path: str, condition: Condition, value: Any, got: Text) -> bool:
        failing = condition.failing(value, self.wallet)
        wanted = partial(condition.written, failing or condition.tests)
        passed = self.note(path, wanted, got, passed=not failing)
        self.passed += passed
        return passed


def steps_of(trace: Trace) -> tuple[Step, ...]:
    """Give every comparison, made by now or not."""
    made: list[Step] = []
    for written in trace:
        made += (written,) if isinstance(written, Step) else written()
    return tuple(made)


def closest_of(matches: Sequence[_M]) -> _M | None:
    """Give the ALLOW that got farthest without holding; of equals, the document's first."""
    allows = [match for match in matches if match.rule.action == ALLOW and not match.holds]
    return max(allows, key=lambda match: (match.stopped or 0, match.passed), default=None)


@dataclass(frozen=True, slots=True)
class Trial:
    """The rules on one part of a wish.

    Attributes:
        matches: One for each rule that speaks of such parts, in the document's order; each has
            run. A rule of which it is known that it does not hold may be left out.
        unmatched: Says why no ALLOW among them holds.
    """

    matches: Sequence[Match]
    unmatched: Callable[[], Refusal]
