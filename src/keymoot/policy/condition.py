"""Conditions on one value: an address, a number, a truth value, bytes or text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from keymoot.base.digits import decimal
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed
from keymoot.base.hexes import parse_data
from keymoot.base.strict_json import Json
from keymoot.policy.address import AddressForm
from keymoot.policy.errors import BadPolicy
from keymoot.policy.shown import show

WALLET = "$wallet"
"""Stands for the wallet's own address wherever an address may stand."""

MAX_SET_MEMBERS = 1_024
MAX_COMPARED_NAMES = 64
"""Longest set that is searched for a name that no other set of its condition excludes."""

Wallet: TypeAlias = Fixed
"""A wallet's own address, on whatever chain."""

Value: TypeAlias = "Fixed | int | bool | bytes | str"

ANY, ALL, EACH = "any", "all", "each"
"""Of which elements of an array a condition speaks; EACH is ALL's older name, in an ALLOW."""

_ORDERED = {"lt", "lte", "gt", "gte"}
UPPER = frozenset(("eq", "in", "lt", "lte"))
LOWER = frozenset(("eq", "in", "gt", "gte"))
"""Comparisons that bound a number from above, and from below."""


@dataclass(frozen=True, slots=True)
class Sets:
    """A policy's sets of addresses by name, all of its own chain (`form.kind` in conditions)."""

    form: AddressForm
    members: Mapping[str, frozenset[Fixed]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison (eq, in, notIn, lt, lte, gt, gte).

    `json` is the operand as the document has it.
    """

    operator: str
    operand: Any
    json: Json = field(compare=False)

    def holds(self, value: Any, wallet: Wallet) -> bool:
        operand = self.operand
        if type(operand) is str and operand == WALLET:
            operand = wallet
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
    def shown(self) -> str:
        """The operand for people, cut where it is long: only few of a policy's are ever shown."""
        return show(self.json)

    @property
    def _names_wallet(self) -> bool:
        return isinstance(self.operand, str) and self.operand == WALLET


@dataclass(frozen=True, slots=True)
class Condition:
    """All of these comparisons, on one value or on the elements of an array.

    Attributes:
        tests: What has to hold.
        elements: ANY: for one element at least; ALL: for every one, and so for an empty
            array. None: the value is no array.
    """

    tests: tuple[Test, ...]
    elements: str | None = None

    def failing(self, value: Any, wallet: Wallet) -> tuple[Test, ...]:
        """Give comparisons that do not hold; none where the condition holds."""
        if self.elements == ANY:
            passes = any(
                all(test.holds(element, wallet) for test in self.tests) for element in value
            )
            return () if passes else self.tests
        for test in self.tests:
            if self.elements is None:
                held = test.holds(value, wallet)
            else:
                held = all(test.holds(element, wallet) for element in value)
            if not held:
                return (test,)
        return ()

    @property
    def positive(self) -> bool:
        """Whether it names what may be (eq, in), not only what may not.

        Of an array, ANY names one element and leaves the others to whoever asks.
        """
        named = any(test.operator in ("eq", "in") for test in self.tests)
        return named and self.elements != ANY

    @property
    def capped(self) -> bool:
        """Whether a number has an upper bound; of an array, each one."""
        return self.elements != ANY and any(test.operator in UPPER for test in self.tests)

    @property
    def wanted(self) -> str:
        return self.written(self.tests)

    def written(self, tests: tuple[Test, ...]) -> str:
        text = " and ".join(f"{test.operator} {test.shown}" for test in tests)
        return text if self.elements is None else f"{self.elements} {text}"


def parse_condition(
    json: Json, kind: str, sets: Sets, path: str, *, denies: bool = False
) -> Condition:
    """Read a condition on a value of an ABI type; one that no value satisfies is refused.

    `denies`: a DENY has it, in which `each` once meant less than it says.
    """
    if not isinstance(json, dict) or not json:
        raise BadPolicy('a condition is an object such as {"lte": "1000"}', path)
    if kind.endswith("]"):
        return _on_elements(json, kind[: kind.rindex("[")], sets, path, denies=denies)
    if kind.startswith("("):
        raise BadPolicy(
            'name a part of the tuple instead, as "order.amount" or "orders[].amount"', path
        )
    tests = tuple(_test(op, json[op], kind, sets, f"{path}.{op}") for op in sorted(json))
    if not can_hold(tests, kind, sets.form):
        raise BadPolicy(f"no {kind} satisfies this: {Condition(tests).wanted}", path)
    return Condition(tests)


def _on_elements(
    json: dict[str, Json], kind: str, sets: Sets, path: str, *, denies: bool
) -> Condition:
    known = {ALL: ALL, ANY: ANY} if denies else {ALL: ALL, ANY: ANY, EACH: ALL}
    if denies and EACH in json:
        raise BadPolicy(
            f'in a DENY, say "{ANY}" to deny where one element is so, or "{ALL}" to deny only '
            f'where all are: "{EACH}" would let [bad, good] pass',
            f"{path}.{EACH}",
        )
    word = next(iter(json))
    if len(json) != 1 or word not in known:
        raise BadPolicy(
            f'a condition on an array is {{"{ALL}": {{…}}}} or {{"{ANY}": {{…}}}}', path
        )
    if kind.endswith("]"):
        raise BadPolicy("conditions on arrays of arrays are not supported", path)
    return Condition(
        parse_condition(json[word], kind, sets, f"{path}.{word}").tests, elements=known[word]
    )


def _test(operator: str, json: Json, kind: str, sets: Sets, path: str) -> Test:
    if operator == "eq":
        return Test(operator, _value(json, kind, sets.form, path), json)
    if operator in ("in", "notIn"):
        return Test(operator, _members(json, kind, sets, path), json)
    if operator in _ORDERED:
        if not kind.startswith(("uint", "int")):
            raise BadPolicy(f"{kind} has no order: use eq, in or notIn", path)
        return Test(operator, _value(json, kind, sets.form, path), json)
    raise BadPolicy("a comparison is one of eq, in, notIn, lt, lte, gt, gte", path)


def _members(json: Json, kind: str, sets: Sets, path: str) -> frozenset[Value]:
    if isinstance(json, str):
        if kind != sets.form.kind:
            raise BadPolicy(f"a set holds addresses; list the {kind} values here instead", path)
        if json not in sets.members:
            raise BadPolicy(f'"{show(json)}" is not one of this policy\'s sets', path)
        return frozenset(sets.members[json])
    if not isinstance(json, list) or not json or len(json) > MAX_SET_MEMBERS:
        raise BadPolicy(f"the name of a set, or a list of 1 to {MAX_SET_MEMBERS} values", path)
    if WALLET in json:
        raise BadPolicy('$wallet stands alone: {"eq": "$wallet"}', path)
    members = [_value(member, kind, sets.form, f"{path}[{at}]") for at, member in enumerate(json)]
    if len(set(members)) != len(members):
        raise BadPolicy("a value stands twice in the list", path)
    return frozenset(members)


def _value(json: Json, kind: str, form: AddressForm, path: str) -> Any:
    if kind == form.kind:
        return WALLET if json == WALLET else form.parse(json, path)
    if kind.startswith(("uint", "int")):
        amount = parse_amount(json, path, signed=kind.startswith("int"))
        least, most = bounds_of(kind)
        if not least <= amount <= most:
            raise BadPolicy(f"{kind} holds {least} to {most}, and never {amount}", path)
        return amount
    if kind == "bool":
        if not isinstance(json, bool):
            raise BadPolicy("a truth value is true or false", path)
        return json
    if kind == "string":
        if not isinstance(json, str):
            raise BadPolicy("text is expected", path)
        if json == WALLET:
            raise BadPolicy("$wallet stands for an address, and this is text", path)
        return json
    try:
        data = parse_data(json, path)
    except Malformed as error:
        raise BadPolicy(error.reason, path) from error
    length = int(kind[len("bytes") :] or len(data))  # consensus: a type of ours
    if len(data) != length:
        raise BadPolicy(
            f"{kind} has {length} bytes, and never {len(data)}: write all of them", path
        )
    return data


def _is_left(names: frozenset[Any], excluded: list[frozenset[Any]]) -> bool:
    """Tell whether any name is not excluded; of long sets, which conditions share, yes."""
    return len(names) > MAX_COMPARED_NAMES or bool(names.difference(*excluded))


def bounds_of(kind: str) -> tuple[int, int]:
    if kind.startswith("uint"):
        return 0, (1 << int(kind[4:])) - 1  # consensus: a type of ours
    half = 1 << (int(kind[3:]) - 1)  # consensus: a type of ours
    return -half, half - 1


def can_hold(tests: tuple[Test, ...], kind: str, form: AddressForm) -> bool:
    """Tell whether any value of a type satisfies all comparisons; where unsure, yes.

    A condition that cannot hold is a mistake: its DENY never fires, its ALLOW never allows.
    """
    if len(tests) == 1 and tests[0].operator in ("eq", "in"):
        return True
    if any(test.operand == WALLET for test in tests if isinstance(test.operand, str)):
        return True
    wallet = form.type(bytes(form.type.LENGTH))
    named = [test.named(wallet) for test in tests if test.operator in ("eq", "in")]
    excluded = [test.operand for test in tests if test.operator == "notIn"]
    if kind == form.kind:
        # Two names of one thing do not clash, and some chains' addresses may be that.
        alike = named if form.several_names or not named else [frozenset.intersection(*named)]
        return all(_is_left(names, excluded) for names in alike)
    if named:
        return any(all(test.holds(operand, wallet) for test in tests) for operand in named[0])
    never = frozenset[Any]().union(*excluded)
    if kind == "bool":
        return len(never) < 2
    if not kind.startswith(("uint", "int")):
        return True
    least, most = bounds_of(kind)
    for test in tests:
        if test.operator in _ORDERED:
            # lt 5 is lte 4, gt 5 is gte 6.
            if test.operator in ("lt", "lte"):
                most = min(most, test.operand - (test.operator == "lt"))
            else:
                least = max(least, test.operand + (test.operator == "gt"))
    left = most - least + 1 - sum(least <= number <= most for number in never)
    return bool(left > 0)


def parse_amount(json: Json, path: str, *, signed: bool = False) -> int:
    """Read a whole number of base units of at most 256 bits: decimal text, no leading zero."""
    text = json if isinstance(json, str) else ""
    digits = text[1:] if signed and text.startswith("-") else text
    number = decimal(digits)
    if number is None or text == "-0" or (digits[0] == "0" and len(digits) > 1):
        raise BadPolicy('an amount is decimal text in base units, such as "500000000"', path)
    if number >= 1 << 256:
        raise BadPolicy("an amount has at most 256 bits", path)
    return -number if digits != text else number


RULE, CONDITION = 32, 16
"""Comparisons that trying a rule, and each of its conditions, is worth beside those it makes."""


def made_by(condition: Condition | None, values: int = 1) -> int:
    """Count the comparisons of a condition on one value, or on so many elements."""
    return 0 if condition is None else CONDITION + len(condition.tests) * values
