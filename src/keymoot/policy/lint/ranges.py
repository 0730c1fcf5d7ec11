"""What conditions let through: finite sets, greatest numbers, one within the other."""

from collections.abc import Sequence
from typing import Any

from keymoot.base.fixed import Address
from keymoot.policy.condition import ALL, WALLET, Condition, Test, bounds_of

ENDLESS = 1 << 127
"""A bound from here on is none: no token has as many units. Approving as much is approving all."""

ENDLESS_NATIVE = 1 << 96
"""Of a chain's own coin, in wei or lamports: 79 billion coins of 18 decimals."""

_NOBODY = Address(bytes(Address.LENGTH))


def named(condition: Condition | None) -> frozenset[Any] | None:
    """Give the values that are all it lets through, WALLET among them; None for no such list."""
    if condition is None:
        return None
    operands: frozenset[Any] | None = None
    for test in condition.tests:
        if test.operator in ("eq", "in"):
            these = _operands(test)
            operands = these if operands is None else operands & these
    return operands


def is_wallet(condition: Condition | None) -> bool:
    """Tell whether it lets nobody through but the wallet itself."""
    if condition is None or condition.elements not in (None, ALL):
        return False
    return named(condition) == frozenset((WALLET,))


def greatest(condition: Condition | None, kind: str) -> int:
    """Give the greatest number of a type (uint256, or an array of it) that it lets through."""
    base = kind.partition("[")[0]
    most = bounds_of(base)[1] if base.startswith(("uint", "int")) else 1
    if condition is None or condition.elements not in (None, ALL):
        return most
    for test in condition.tests:
        if test.operator in ("lt", "lte"):
            most = min(most, test.operand - (test.operator == "lt"))
        elif test.operator in ("eq", "in"):
            most = min(most, max(int(operand) for operand in _operands(test)))
    return most


def least(condition: Condition | None, kind: str) -> int:
    """Give the least number of a type that it lets through."""
    base = kind.partition("[")[0]
    bound = bounds_of(base)[0] if base.startswith(("uint", "int")) else 0
    if condition is None or condition.elements not in (None, ALL):
        return bound
    for test in condition.tests:
        if test.operator in ("gt", "gte"):
            bound = max(bound, test.operand + (test.operator == "gt"))
        elif test.operator in ("eq", "in"):
            bound = max(bound, min(int(operand) for operand in _operands(test)))
    return bound


def is_endless(most: int, kind: str) -> bool:
    """Tell whether a greatest number is as good as none."""
    base = kind.partition("[")[0]
    if not base.startswith(("uint", "int")):
        return most > 0
    return most >= min(ENDLESS, bounds_of(base)[1])


def implies(stricter: Condition | None, looser: Condition | None, kind: str) -> bool:
    """Tell whether all that `stricter` lets through passes `looser`; where unsure, no."""
    if looser is None:
        return True
    if stricter is None or stricter.elements != looser.elements:
        return False
    return all(_implied(stricter, test, kind) for test in looser.tests)


def disjoint(condition: Condition | None, other: Condition | None, kind: str) -> bool:
    """Tell whether nothing passes both; where unsure, no. The wallet is nobody that is listed."""
    if condition is None or other is None or condition.elements or other.elements:
        return False
    for first, second in ((condition, other), (other, condition)):
        values = named(first)
        if values is not None:
            return not any(_passes(second.tests, value) for value in values)
    if not kind.startswith(("uint", "int")):
        return False
    low, high = (
        max(least(condition, kind), least(other, kind)),
        min(greatest(condition, kind), greatest(other, kind)),
    )
    return low > high


def _passes(tests: Sequence[Test], value: Any) -> bool:
    return all(_holds(test, value) for test in tests)


def _holds(test: Test, value: Any) -> bool:
    if value == WALLET or WALLET in _operands(test):
        return value == WALLET and test.operator in ("eq", "in") and WALLET in _operands(test)
    return test.holds(value, _NOBODY)


def _implied(stricter: Condition, test: Test, kind: str) -> bool:
    values = named(stricter)
    if values is not None:
        return all(_holds(test, value) for value in values)
    if test.operator == "notIn":
        excluded = {
            operand
            for each in stricter.tests
            if each.operator == "notIn"
            for operand in each.operand
        }
        return bool(_operands(test) <= excluded)
    if not kind.startswith(("uint", "int")) or test.operator in ("eq", "in"):
        return False
    if test.operator in ("lt", "lte"):
        return _holds(test, greatest(stricter, kind))
    return _holds(test, least(stricter, kind))


def _operands(test: Test) -> frozenset[Any]:
    """The operands of a test; text and numbers stand alone."""
    return test.operand if isinstance(test.operand, frozenset) else frozenset((test.operand,))
