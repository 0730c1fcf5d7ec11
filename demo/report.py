"""What the demo shows, and what it holds itself to."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

FACTS = ("reason", "rule", "path", "limit", "max", "used", "requested", "availableAt")
"""What of a refusal is shown; all of it is in the answer."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that was signed and mined.

    Attributes:
        kind: What it did.
        rule: Of the policy, that allowed it.
        milliseconds: From the call to the signature.
    """

    kind: str
    rule: str
    milliseconds: float


@dataclass(slots=True)
class Report:
    """Prints the story and keeps the score.

    Attributes:
        held: How many statements held.
        failures: Statements that turned out not to hold; empty for exit status 0.
        answers: Every answer that was shown in part, whole, by what was wished.
    """

    console: Console
    started: float = field(default_factory=time.monotonic)
    held: int = 0
    failures: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    wishes: list[tuple[str, str, str]] = field(default_factory=list)
    attacks: list[tuple[str, str, str]] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)
    balances: list[tuple[str, ...]] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        seconds = time.monotonic() - self.started
        self.console.print()
        self.console.rule(f"{title}  ({seconds:.0f} s)", align="left")

    def say(self, line: str) -> None:
        """Print a line."""
        self.console.print(Text(line))

    def answer(self, wish: str, answer: Mapping[str, Any]) -> None:
        """Print what a refusal says and why; keep it whole."""
        self.answers[wish] = answer
        data = answer.get("data", {})
        self.say(f"{wish}:")
        self.say(f"    {answer.get('message') or answer.get('error')}")
        facts = [f"{name} {data[name]}" for name in FACTS if name in data]
        for line in wrap(", ".join(facts), self.console.width - 4):
            self.say(f"    {line}")

    def hold(self, statement: str, *, true: bool) -> None:
        """Note whether a statement held."""
        mark = ("✓", "green") if true else ("✗ FAILED:", "bold red")
        self.console.print(Text.assemble("  ", mark, f" {statement}"))
        if true:
            self.held += 1
        else:
            self.failures.append(statement)

    def wish(self, wish: str, got: str, control: str) -> None:
        """Keep an entry of the table of wishes, with what came of it where nothing forbade it."""
        self.wishes.append((wish, got, control))

    def attack(self, name: str, outcome: str, lesson: str) -> None:
        """Keep an entry of the table of attacks."""
        self.attacks.append((name, outcome, lesson))

    def tables(self) -> None:
        """Print the tables; they fit into 80 columns."""
        self._table("Balances (USDC)", ("moment", "wallet", "recovery"), self.balances)
        kinds = dict.fromkeys((one.kind, one.rule) for one in self.signed)
        rows = []
        for kind, rule in kinds:
            times = [one.milliseconds for one in self.signed if one.kind == kind]
            rows.append((kind, rule, str(len(times)), f"{median(times):.0f} ms"))
        counted = ("mined", "rule", "count", "call to signature (median)")
        self._table("Signatures", counted, rows)
        self._table("Wishes", ("wish", "answer", "where nothing forbids it"), self.wishes)
        self._table("Attacks by the host", ("attack", "outcome", "what it means"), self.attacks)

    def _table(self, title: str, heads: tuple[str, ...], rows: list[Any]) -> None:
        table = Table(*heads, title=title, title_justify="left", show_lines=False)
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print()
        self.console.print(table)
