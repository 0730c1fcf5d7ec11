"""The house keeps to its measure: files stay short, and a class's name means one thing."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "keymoot"
MAX_LINES = 400


@pytest.mark.parametrize("part", ["src", "demo", "bench", "tools", "model", "examples", "tests"])
def test_no_file_is_over_400_lines(part: str) -> None:
    lines = {path: len(path.read_text().splitlines()) for path in (ROOT / part).rglob("*.py")}
    assert lines
    assert {str(path): count for path, count in lines.items() if count > MAX_LINES} == {}


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict[str, list[Path]](list)
    for path in SOURCES.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(SOURCES))
    assert len(places) > 500
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
