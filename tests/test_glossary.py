"""What the glossary names is there."""

import pkgutil
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs/glossary.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| term", "| ---"))
]


def test_every_row_has_a_term_a_meaning_and_a_place() -> None:
    assert len(ROWS) > 25
    assert all(len(row) == 3 and all(row) for row in ROWS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("name", sorted({row[2] for row in ROWS}))
def test_a_terms_place_is_there(name: str) -> None:
    found = re.fullmatch(r"`([\w.]+)`", name)
    assert found
    assert pkgutil.resolve_name(f"keymoot.{found[1]}")
