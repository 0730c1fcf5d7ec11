"""Patterns mean what they say, and cost what they are long, whoever wrote them."""

import re
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.image.paths import PathPattern

NAMES = st.text("ab.", min_size=1, max_size=5).filter(lambda name: name not in (".", ".."))
PARTS = st.one_of(st.just("**"), st.text("ab*", min_size=1, max_size=5))
PROCESSOR_SECONDS = 20
"""Far over what a pattern takes, and far under what a search that turns back would."""


def regular(pattern: str) -> re.Pattern[str]:
    """Say the same as a regular expression: short, and slow where patterns are long."""

    def name(part: str) -> str:
        return "[^/]*".join(map(re.escape, re.sub(r"\*+", "*", part).split("*")))

    *folders, last = pattern.split("/")
    head = "".join("([^/]+/)*" if part == "**" else f"{name(part)}/" for part in folders)
    return re.compile(head + ("([^/]+/)*[^/]+" if last == "**" else name(last)))


@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(NAMES, min_size=1, max_size=5))
def test_a_pattern_means_what_its_regular_expression_would(
    parts: list[str], names: list[str]
) -> None:
    try:
        pattern = PathPattern.parse("/".join(parts))
    except Malformed:
        return
    path = "/".join(names)
    assert pattern.matches(path) == bool(regular(pattern.text).fullmatch(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 90 + "b", "a" * 250),
        ("**/" * 60 + "x", "a/" * 1_500 + "y"),
        ("**/*a*a*a*a/" * 10 + "x", ("a" * 100 + "/") * 40 + "y"),
    ],
)
def test_no_pattern_of_a_stranger_takes_long(pattern: str, path: str) -> None:
    code = (
        "import sys; from keymoot.image.paths import PathPattern; "
        "assert not PathPattern.parse(sys.argv[1]).matches(sys.argv[2])"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))

    done = subprocess.run(
        [sys.executable, "-c", code, pattern, path], preexec_fn=limit, check=False
    )
    assert done.returncode == 0
