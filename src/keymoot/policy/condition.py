"""Conditions on one value: an address, a number, a truth value, bytes or text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, SolanaAddress
from keymoot.base.hexes import parse_data
from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy
from keymoot.policy.names import parse_address, parse_solana_address
from keymoot.policy.shown import show

WALLET = "$wallet"
"""Stands for the wallet's own address wherever an address may stand."""

MAX_SET_MEMBERS = 1_024

ADDRESS, SOLANA_ADDRESS = "address", "solanaAddress"
"""The kinds of value that a set may hold: one in a policy, by its chain."""

Wallet: TypeAlias = Address | SolanaAddress
Value: TypeAlias = "Address | SolanaAddress | int | bool | bytes | str"
Sets: TypeAlias = Mapping[str, frozenset[Address | SolanaAddress]]

_ORDERED = {"lt", "lte", "gt", "gte"}


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison; `operand` is a value, a set of values, or WALLET.

    Attributes:
        operator: eq, in, notIn, lt, lte, gt, gte.
        operand: What is compared with.
        shown: The operand for people, cut where it is long.
    """

    operator: str
    operand: Any
    shown: str

    def holds(self, value: Any, wallet: Wallet) -> bool:
        """Tell whether `value` satisfies the comparison."""
        operand = wallet if self._names_wallet else self.operand
        if self.operator == "eq":
            return bool(value == operand)
        if self.operator == "in":
            return value in operand
        if self.operator == "notIn":
            return value not in operand
        if self.operator == "lt":
            return bool(value < operand)
        if self.operator == "lte":
            return bool(value <= operand)
        return bool(value > operand) if self.operator == "gt" else bool(value >= operand)

    def named(self, wallet: Wallet) -> frozenset[Any]:
        """Give the values that eq, in or notIn names."""
        if self._names_wallet:
            return frozenset((wallet,))
        return self.operand if isinstance(self.operand, frozenset) else frozenset((self.operand,))

    @property
    def _names_wallet(self) -> bool:
        return isinstance(self.operand, str) and self.operand == WALLET


@dataclass(frozen=True, slots=True)
class Condition:
    """All of these comparisons; for an array, of each of its elements."""

    tests: tuple[Test, ...]
    each: bool = False

    def failing(self, value: Any, wallet: Wallet) -> Test | None:
        """Give the first comparison that does not hold, or None."""
        values = value if self.each else [value]
        for test in self.tests:
            if not all(test.holds(one, wallet) for one in values):
                return test
        return None

    @property
    def positive(self) -> bool:
        """Whether it names what may be (eq, in), not only what may not."""
        return any(test.operator in ("eq", "in") for test in self.tests)

    @property
    def wanted(self) -> str:
        """The comparisons as the document writes them."""
        return wanted(self.tests)


def wanted(tests: tuple[Test, ...]) -> str:
    """Write comparisons for people."""
    return " and ".join(f"{test.operator} {test.shown}" for test in tests)


def parse_condition(json: Json, kind: str, sets: Sets, path: str) -> Condition:
    """Read a condition on a value of an ABI type.

    Raises:
        BadPolicy: an unknown comparison, or one that the type does not have.
    """
    if not isinstance(json, dict) or not json:
        raise BadPolicy('a condition is an object such as {"lte": "1000"}', path)
    if kind.endswith("]"):
        if list(json) != ["each"]:
            raise BadPolicy('a condition on an array is {"each": {…}}', path)
        inner = parse_condition(json["each"], kind[: kind.rindex("[")], sets, f"{path}.each")
        if inner.each:
            raise BadPolicy("conditions on arrays of arrays are not supported", path)
        return Condition(inner.tests, each=True)
    if kind.startswith("("):
        raise BadPolicy('name a part of the tuple instead, as "order.amount"', path)
    return Condition(tuple(_test(op, json[op], kind, sets, f"{path}.{op}") for op in sorted(json)))


def _test(operator: str, json: Json, kind: str, sets: Sets, path: str) -> Test:
    shown = show(json)
    if operator == "eq":
        return Test(operator, _value(json, kind, path), shown)
    if operator in ("in", "notIn"):
        return Test(operator, _members(json, kind, sets, path), shown)
    if operator in _ORDERED:
        if not kind.startswith(("uint", "int")):
            raise BadPolicy(f"{kind} has no order: use eq, in or notIn", path)
        return Test(operator, _value(json, kind, path), shown)
    raise BadPolicy("a comparison is one of eq, in, notIn, lt, lte, gt, gte", path)


def _members(json: Json, kind: str, sets: Sets, path: str) -> frozenset[Value]:
    if isinstance(json, str):
        if kind not in (ADDRESS, SOLANA_ADDRESS):
            raise BadPolicy(f"a set holds addresses; list the {kind} values here instead", path)
        if json not in sets:
            raise BadPolicy(f'"{show(json)}" is not one of this policy\'s sets', path)
        return frozenset(sets[json])
    if not isinstance(json, list) or not json or len(json) > MAX_SET_MEMBERS:
        raise BadPolicy(f"the name of a set, or a list of 1 to {MAX_SET_MEMBERS} values", path)
    if WALLET in json:
        raise BadPolicy('$wallet stands alone: {"eq": "$wallet"}', path)
    return frozenset(_value(one, kind, f"{path}[{at}]") for at, one in enumerate(json))


def _value(json: Json, kind: str, path: str) -> Any:
    if kind in (ADDRESS, SOLANA_ADDRESS):
        parse = parse_address if kind == ADDRESS else parse_solana_address
        return WALLET if json == WALLET else parse(json, path)
    if kind.startswith(("uint", "int")):
        return parse_amount(json, path, signed=kind.startswith("int"))
    if kind == "bool":
        if not isinstance(json, bool):
            raise BadPolicy("a truth value is true or false", path)
        return json
    if kind == "string":
        if not isinstance(json, str):
            raise BadPolicy("text is expected", path)
        return json
    try:
        return parse_data(json, path)
    except Malformed as error:
        raise BadPolicy(error.reason, path) from error


def parse_amount(json: Json, path: str, *, signed: bool = False) -> int:
    """Read a whole number of base units, written as decimal text.

    Raises:
        BadPolicy: a JSON number, a leading zero, or over 256 bits.
    """
    text = json if isinstance(json, str) else ""
    digits = text[1:] if signed and text.startswith("-") else text
    if not digits.isascii() or not digits.isdigit() or (digits[0] == "0" and len(digits) > 1):
        raise BadPolicy('an amount is decimal text in base units, such as "500000000"', path)
    if len(digits) > 78 or int(digits) >= 1 << 256:
        raise BadPolicy("an amount has at most 256 bits", path)
    return int(text)
