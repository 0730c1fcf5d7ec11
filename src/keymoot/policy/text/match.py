"""Try one rule on one message."""

from collections.abc import Callable

from keymoot.base.strict_json import Json, canonical
from keymoot.policy.match import Match, Trace
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.text.intent import TextIntent
from keymoot.policy.text.rule import TextRule


class TextMatch(Match):
    rule: TextRule

    def __init__(self, rule: TextRule, intent: TextIntent, trace: Trace) -> None:
        super().__init__(rule, intent.wallet, trace)
        self.intent = intent

    def checks(self) -> tuple[Callable[[], bool], ...]:
        return (self._prefix,)

    @property
    def what(self) -> str:
        return "the message"

    def amount(self, source: str) -> int:  # noqa: ARG002
        return 0

    def path(self, source: str) -> str:
        return source

    def understood(self, decoded: dict[str, Json]) -> None:
        """Add nothing: a text is shown whole."""

    def _prefix(self) -> bool:
        prefix, text = self.rule.prefix, self.intent.text
        begins = text[: len(prefix)]
        wanted = f"begins {_quoted(prefix)}"
        return self.note("message", wanted, _quoted(begins), passed=begins == prefix)


def _quoted(text: str) -> str:
    return canonical(text).decode()


def unmatched(intent: TextIntent, *, ruled: bool) -> Refusal:
    """Say what would be needed; `ruled` tells whether any rule speaks of such texts."""
    if not ruled:
        message = f"{REFUSED}{intent.method} is not signed: no rule names a prefix for it"
        return Refusal("METHOD_NOT_ALLOWED", message, path="method")
    message = f"{REFUSED}no rule allows a message that begins like this"
    return Refusal("NO_RULE", message, path="message")
