"""Prefixes of texts that go on inside a word."""

from collections.abc import Iterator

from keymoot.policy.lint.finding import Finding
from keymoot.policy.text.rule import TextRule

_ENDS = " .,:;!?)]>\"'"
"""Behind these a word has ended; the parser has seen to domains."""


def open_prefix(rule: TextRule) -> Iterator[Finding]:
    """Look at where one ALLOW's prefix ends."""
    if rule.prefix[-1] not in _ENDS:
        text = f'has a prefix that ends inside a word: "{rule.prefix}…" goes on freely'
        yield Finding("OPEN_PREFIX", rule.name, text)
