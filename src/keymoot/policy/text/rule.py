"""A rule on messages: how they begin.

A prefix is what the owner trusts a site with, so it may not end inside the name of one:
behind `app.example:`, as behind `https://app.example`, an attacker writes `@evil.com`, and
readers of URLs and of EIP-4361 see his site. A domain has ended behind a space; that of a URL
behind the slash that follows it.
"""

import re
from dataclasses import dataclass

from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy
from keymoot.policy.rule import ALLOW, Rule, parse_action, parse_name
from keymoot.policy.shape import known_fields, required

MIN_PREFIX = 8
"""Characters that an ALLOW names at least: fewer would let a transaction's first bytes in."""

MAX_PREFIX = 256

_CLOSED_URL = re.compile(r"[(<\"']*[A-Za-z][A-Za-z0-9+-]*://[A-Za-z0-9.:\[\]-]+/")
"""A URL whose authority has ended. Only a slash ends it for all readers: behind a backslash, `?`
or `#`, some still find a user's name."""


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
    """Read one rule of a method that signs texts."""
    known_fields(json, {"id", "action", "method", "prefix"}, path)
    action = parse_action(json, path)
    prefix = required(json, "prefix", path)
    least = MIN_PREFIX if action == ALLOW else 1
    if not isinstance(prefix, str) or not least <= len(prefix) <= MAX_PREFIX:
        raise BadPolicy(f"a prefix has {least} to {MAX_PREFIX} characters", f"{path}.prefix")
    if not all(" " <= char <= "~" for char in prefix):
        raise BadPolicy("a prefix is printable ASCII", f"{path}.prefix")
    if action == ALLOW and _ends_inside_a_domain(prefix):
        raise BadPolicy(
            f'this prefix ends inside the name of a site, and "{prefix}@evil.com" begins with it: '
            'end it behind the domain, with the space and what follows, as "app.example wants '
            'you to sign in with your Ethereum account:"; or in a URL with the / behind it',
            f"{path}.prefix",
        )
    return TextRule(name=parse_name(json, path), action=action, method=method, prefix=prefix)


def _ends_inside_a_domain(prefix: str) -> bool:
    last = prefix.rpartition(" ")[2]
    if not last or _CLOSED_URL.match(last) is not None:
        return False
    # The only word may be a domain without a dot: EIP-4361 begins with it.
    return last == prefix or any(mark in last for mark in (".", "@", "//"))
