"""A rule on messages: how they begin."""

from dataclasses import dataclass

from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy
from keymoot.policy.rule import ALLOW, Rule, parse_action, parse_name
from keymoot.policy.shape import known_fields, required

MIN_PREFIX = 8
"""Characters that an ALLOW names at least: fewer would let a transaction's first bytes in."""

MAX_PREFIX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule(Rule):
    """One rule on texts; it spends nothing, but the meter `count` counts it.

    Attributes:
        method: Of the wishes that it speaks of.
        prefix: Printable ASCII with which the text begins.
    """

    method: str
    prefix: str


def parse_text_rule(json: dict[str, Json], method: str, path: str) -> TextRule:
    """Read one rule of a method that signs texts.

    Raises:
        BadPolicy: not a rule; `path` names the field.
    """
    known_fields(json, {"id", "action", "method", "prefix"}, path)
    action = parse_action(json, path)
    prefix = required(json, "prefix", path)
    least = MIN_PREFIX if action == ALLOW else 1
    if not isinstance(prefix, str) or not least <= len(prefix) <= MAX_PREFIX:
        raise BadPolicy(f"a prefix has {least} to {MAX_PREFIX} characters", f"{path}.prefix")
    if not all(" " <= char <= "~" for char in prefix):
        raise BadPolicy("a prefix is printable ASCII", f"{path}.prefix")
    return TextRule(name=parse_name(json, path), action=action, method=method, prefix=prefix)
