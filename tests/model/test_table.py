"""The table of rules names functions and tests that are there."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "model/README.md").read_text()
TABLE = PAGE.split("## Where the product keeps them", 1)[1]
ROWS = [
    [re.findall("`([^`]+)`", cell) for cell in line.strip("| \n").split(" | ")[1:]]
    for line in TABLE.splitlines()
    if re.match(r"\| \d", line)
]
FUNCTIONS = sorted({name for functions, _ in ROWS for name in functions})
TESTS = sorted({name for _, tests in ROWS for name in tests})


def test_every_rule_is_kept_by_something_and_held_by_a_test() -> None:
    rules = {int(number) for number in re.findall(r"^\| (\d+)", TABLE, re.MULTILINE)}
    listed = {int(number) for number in re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE)}
    assert rules == listed
    assert len(ROWS) > len(rules)
    assert all(functions and tests for functions, tests in ROWS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_there(name: str) -> None:
    assert callable(pkgutil.resolve_name(f"keymoot.{name}"))


@pytest.mark.parametrize("name", TESTS)
def test_a_test_is_there(name: str) -> None:
    file, *path = name.split("::")
    body = ast.parse((ROOT / "tests" / file).read_text()).body
    for part in path:
        found = [
            one
            for one in body
            if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == part
        ]
        assert found, f"no {part}"
        body = found[0].body
    assert path[-1].startswith("test_")
