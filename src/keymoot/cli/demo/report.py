"""What the demo shows, and what it holds itself to."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

REFUSAL_LINES = 40


@dataclass(slots=True)
class Report:
    """Prints the story and keeps the score.

    Attributes:
        failures: Statements that turned out not to hold; empty for exit status 0.
    """

    console: Console
    started: float = field(default_factory=time.monotonic)
    failures: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)
    attacks: list[tuple[str, str, str]] = field(default_factory=list)
    rounds: list[tuple[str, ...]] = field(default_factory=list)
    signatures: list[tuple[str, ...]] = field(default_factory=list)
    balances: list[tuple[str, ...]] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        seconds = time.monotonic() - self.started
        self.console.print()
        self.console.rule(f"{title}  ({seconds:.0f} s)", align="left")

    def say(self, line: str) -> None:
        """Print a line."""
        self.console.print(line, markup=False, highlight=False)

    def raw(self, title: str, answer: Any) -> None:
        """Print a raw answer."""
        self.say(f"{title}:")
        text = json.dumps(answer, indent=1, sort_keys=True)
        for line in text.splitlines()[:REFUSAL_LINES]:
            self.say(f"    {line}")

    def hold(self, statement: str, *, true: bool) -> None:
        """Note whether a statement held."""
        self.say(f"  {'✓' if true else '✗ FAILED:'} {statement}")
        if not true:
            self.failures.append(statement)

    def refusal(self, wish: str, wanted: str, got: str) -> None:
        """Keep an entry of the table of refusals."""
        self.refusals.append((wish, wanted, got))

    def attack(self, name: str, outcome: str, lesson: str) -> None:
        """Keep an entry of the table of attacks."""
        self.attacks.append((name, outcome, lesson))

    def tables(self) -> None:
        """Print the tables."""
        self._table(
            "Rounds (yields are scripted)",
            ("round", "rates bp", "decision", "vault", "tx", "wallet USDC", "standing still"),
            self.rounds,
        )
        self._table("Balances (USDC)", ("moment", "wallet", "recovery"), self.balances)
        heads = ("what", "rule or reason", "nonce", "transaction", "call to answer")
        self._table("Signatures that were mined", heads, self.signatures)
        self._table("Wishes", ("wish", "expected", "answer"), self.refusals)
        self._table("Attacks by the host", ("attack", "outcome", "what it means"), self.attacks)

    def _table(self, title: str, heads: tuple[str, ...], rows: list[Any]) -> None:
        table = Table(*heads, title=title, title_justify="left", show_lines=False)
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)
