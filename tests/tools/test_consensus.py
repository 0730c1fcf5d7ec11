"""The lint of consensus finds what it is there for, and ours has none of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.consensus import OUTSIDE, PACKAGES, check, findings

SOURCE = Path(__file__).parents[2] / "src" / "keymoot"

PLANTED = {
    "a library's words": """
import lib
def f(raw):
    try:
        return lib.read(raw)
    except lib.Error as error:
        raise Malformed(f"no: {error}") from error
""",
    "a library's class": """
def f(raw):
    try:
        return read(raw)
    except ValueError as error:
        raise Malformed(type(error).__name__) from error
""",
    "one of several": """
from keymoot.base.errors import Malformed
def f(raw):
    try:
        return read(raw)
    except (Malformed, KeyError) as error:
        raise Malformed(str(error)) from error
""",
    "json": "import json",
    "json, in part": "from json import loads",
    "a date": "from datetime import datetime",
    "repr": "def f(x): return repr(x)",
    "repr in a text": 'def f(x): return f"{x!r}"',
    "repr by %": 'def f(x): return "%s" % x',
    "a list as text": "def f(x: list[int]): return str(x)",
    "JSON as text": "def f(json: Json): return str(json)",
    "JSON in a text": 'def f(json: Json): return f"got {json}"',
    "bytes in a text": 'def f(raw: bytes): return f"got {raw}"',
    "a local list in a text": 'def f():\n    x: list[int] = g()\n    return f"got {x}"',
    "a tuple in a text": 'def f(a, b): return f"{(a, b)}"',
    "Unicode's digits": "def f(x): return x.isdigit()",
    "Unicode's letters": "def f(x): return x.lower()",
    "Unicode's space": "def f(x): return x.strip()",
    "other scripts' numbers": "def f(x): return int(x)",
    "other scripts' hex": "def f(x): return int(x, 16)",
    "a pattern of digits": 'import re\nP = re.compile(r"\\d{4}")',
    "a pattern of words": 'import re\nP = re.compile("a" r"\\w+")',
    "a pattern without case": 'import re\nP = re.compile("k", re.I)',
    "a fraction": "X = 0.5",
    "a division": "def f(a, b): return a / b",
    "a square root": "from math import sqrt",
    "a set's order": "def f(a):\n    for x in set(a): g(x)",
    "a set's order in a text": 'def f(a): return ", ".join(x for x in {*a})',
    "keys' order": "def f(a, b):\n    return [x for x in a.keys() | b.keys()]",
    "a hash": "def f(a): return hash(a)",
    "an address in memory": "def f(a): return id(a)",
}

FINE = {
    "a cause": """
def f(raw):
    try:
        return read(raw)
    except ValueError as error:
        raise Malformed("no") from error
""",
    "our words": """
from keymoot.base.errors import Malformed
def f(raw):
    try:
        return read(raw)
    except Malformed as error:
        raise Refused(f"no: {error}") from error
""",
    "numbers": 'def f(n: int, name: str): return f"{n} {name}" + str(n)',
    "bytes of a number": 'def f(b: bytes): return int.from_bytes(b, "big") // 2',
    "named space": 'def f(x): return x.strip(" ").split(",")',
    "a pattern": 'import re\nP = re.compile(r"[0-9]{4}")\nQ = re.compile(r"\\d", re.ASCII)',
    "a sorted set": "def f(a, b): return sorted(x for x in set(a)) + [x for x in sorted({*b})]",
    "integers of math": "from math import isqrt, lcm",
    "with a reason": "def f(x): return int(x)  # consensus: a type of ours",
}


@pytest.mark.parametrize("what", PLANTED)
def test_finds_what_is_planted(what: str) -> None:
    assert list(findings(PLANTED[what]))


@pytest.mark.parametrize("what", FINE)
def test_leaves_alone_what_is_the_same_everywhere(what: str) -> None:
    assert list(findings(FINE[what])) == []


def test_a_reason_says_something() -> None:
    assert list(findings("def f(x): return int(x)  # consensus:"))


def test_ours_has_none() -> None:
    assert check(SOURCE) == []


def test_every_package_and_every_exception_is_there() -> None:
    assert all((SOURCE / name / "__init__.py").is_file() for name in PACKAGES)
    assert all((SOURCE / name).exists() for name in OUTSIDE)


def test_a_plant_in_a_copy_ends_the_check(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
    (tmp_path / "policy" / "planted.py").write_text(PLANTED["json"])
    command = [sys.executable, "-m", "tools.consensus", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE.parents[1])
    assert done.returncode == 1
    assert "policy/planted.py:1: import of json" in done.stdout
    (tmp_path / "policy" / "planted.py").unlink()
    assert subprocess.run(command, capture_output=True, cwd=SOURCE.parents[1]).returncode == 0
