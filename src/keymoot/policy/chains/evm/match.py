"""Try one rule on an EVM transaction: target, function, arguments, value."""

from collections.abc import Callable
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.strict_json import Json
from keymoot.policy.chains.evm.calldata import BadCalldata
from keymoot.policy.chains.evm.hazards import hazard_of
from keymoot.policy.chains.evm.intent import EvmIntent
from keymoot.policy.chains.evm.rule import NATIVE_VALUE, EvmRule, suffixes_behind
from keymoot.policy.chains.evm.signature import Function
from keymoot.policy.chains.evm.suffix import ERC8021, Suffix, erc8021_codes
from keymoot.policy.match import Match, Trace, closest_of
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW, DENY

TARGET, FUNCTION, CALLDATA, CONDITIONS = range(4)
"""How far a rule got before it stopped."""


class EvmMatch(Match):
    """One rule's trial on one transaction.

    Attributes:
        function: What the calldata names, if the rule knows it.
        readable: Whether the arguments are that function's.
        calldata: What they are read from: without the tag behind it, where one is seen.
        tag: That tag, for people.
    """

    rule: EvmRule

    def __init__(
        self, rule: EvmRule, intent: EvmIntent, trace: Trace, suffixes: tuple[Suffix, ...]
    ) -> None:
        super().__init__(rule, intent.wallet, trace)
        self.intent = intent
        self.function: Function | None = None
        self.readable = False
        self.calldata = intent.calldata
        self.tag: str | None = None
        self._suffixes = suffixes_behind(rule, suffixes)

    def checks(self) -> tuple[Callable[[], bool], ...]:
        """In the order of TARGET, FUNCTION, CALLDATA, CONDITIONS."""
        return (self._target, self._function, self._calldata, self._conditions)

    @property
    def what(self) -> str:
        return self.function.name if self.function else "the transfer"

    def amount(self, source: str) -> int:
        if source == NATIVE_VALUE:
            return self.intent.transaction.value
        return int(self._read(source)[0])  # consensus: an integer

    def path(self, source: str) -> str:
        return "value" if source == NATIVE_VALUE else f"args.{source}"

    def understood(self, decoded: dict[str, Json]) -> None:
        if self.function is None:
            return
        places = self.function.places if self.readable else {}
        paths = [path for path, place in places.items() if not place.kind.startswith("(")]
        decoded["function"] = self.function.signature
        if self.tag is not None:
            decoded["suffix"] = self.tag
        decoded["args"] = {path: self._read(path)[1] for path in paths}

    def _target(self) -> bool:
        if self.rule.to is None:
            return True
        to = self.intent.to
        return self.compare("to", self.rule.to, to, checksummed(to))

    def _function(self) -> bool:
        data = self.intent.transaction.data
        if not self.rule.functions:
            if self.rule.action == DENY:
                return True
            return self.note("data", "no calldata", f"{len(data)} bytes", passed=not data)
        self.function = self.rule.functions.get(data[:4])
        wanted = " or ".join(function.signature for function in self.rule.functions.values())
        got = "0x" + data[:4].hex()
        return self.note("function", wanted, got, passed=self.function is not None)

    def _calldata(self) -> bool:
        if self.function is None:
            return True
        try:
            self.calldata, tag = self.intent.calldata.read(self.function, self._suffixes)
        except BadCalldata as error:
            self.note("data", "canonical calldata", str(error), passed=False)
            # What a DENY names but cannot read is denied all the same.
            return self.rule.action == DENY
        self.readable = True
        if tag is not None:
            self.tag = tag.shown(self.intent.transaction.data)
            self.note("suffix", tag.wanted, self.tag, passed=True)
        return True

    def _conditions(self) -> bool:
        return self._arguments() and self._value() and self._access_list()

    def _arguments(self) -> bool:
        for path, condition in self.rule.arguments.items():
            value, text = self._read(path)
            if not self.compare(f"args.{path}", condition, value, text):
                return False
        return True

    def _value(self) -> bool:
        value = self.intent.transaction.value
        if self.rule.value is not None:
            return self.compare("value", self.rule.value, value, str(value))
        if self.rule.action == DENY:
            return True
        return self.note("value", "eq 0", str(value), passed=value == 0)

    def _access_list(self) -> bool:
        if self.rule.action != ALLOW or self.rule.any_access_list:
            return True
        count = len(self.intent.transaction.access_list)
        return self.note("accessList", "empty", f"{count} entries", passed=count == 0)

    def _read(self, path: str) -> tuple[Any, str]:
        """Give a decoded argument as conditions compare it, and as people see it."""
        if self.function is None:
            raise Defect("a rule without a function has no arguments")
        calldata = self.calldata
        return calldata.argument(self.function, path), calldata.text(self.function, path)


def unmatched(matches: list[EvmMatch], intent: EvmIntent) -> Refusal:
    """Name the hazard, or what stopped the rule that went farthest."""
    closest = closest_of(matches)
    if closest is not None and closest.step is not None and (closest.stopped or 0) >= CALLDATA:
        step = closest.step
        word = "MALFORMED_CALLDATA" if step.path == "data" else "CONDITION_FAILED"
        message = f'{REFUSED}rule "{step.rule}" wants {step.path} {step.wanted}, got {step.got}'
        if step.path == "data" and erc8021_codes(intent.transaction.data) is not None:
            message += f'; behind it stands a tag that a rule allows with "suffix": "{ERC8021}"'
        return Refusal(word, message, rule=step.rule, path=step.path)
    hazard = hazard_of(intent.transaction.data)
    if hazard is not None:
        return Refusal(hazard[0], f"{REFUSED}{hazard[1]}, and no rule names it here", path="data")
    if closest is not None and closest.stopped == FUNCTION and closest.step is not None:
        message = (
            f'{REFUSED}no rule allows this function there; "{closest.rule.name}" comes closest'
        )
        return Refusal("NO_RULE", message, rule=closest.rule.name, path=closest.step.path)
    message = f"{REFUSED}no rule allows calling {checksummed(intent.to)}"
    return Refusal("NO_RULE", message, path="to")
