"""Whatever a command says goes through one door, which no stranger's text gets past armed."""

import ast
import io
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import keymoot.cli
from keymoot.cli import output

CLI = Path(keymoot.cli.__file__).parent
DOOR = "output.py"


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_nothing_that_a_command_says_steers_the_terminal(text: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        output.note(text)
        output.say(text)
        output.result({text: text}, [text], as_json=False)
        output.result({text: text}, [text], as_json=True)
    for char in out.getvalue() + err.getvalue():
        assert unicodedata.category(char) != "Cc" or char in "\n\t"
        assert char not in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"


def test_what_people_write_is_said_as_it_is() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        output.say("C:\\wallets, ünïcode 漢字\n\ttwo lines")
    assert out.getvalue() == "C:\\wallets, ünïcode 漢字\n\ttwo lines\n"


def test_a_line_of_a_result_is_one_whatever_words_are_in_it() -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        output.result({}, ["authority  one\nledger     proved", "two"], as_json=False)
    assert said.getvalue().splitlines() == ["authority  one\\u{a}ledger     proved", "two"]


def test_no_command_has_a_door_of_its_own() -> None:
    files = [path for path in CLI.glob("*.py") if path.name != DOOR]
    assert len(files) > 10
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "print"), path.name
            assert not (isinstance(called, ast.Attribute) and called.attr == "write"
                        and "std" in ast.unparse(called)), path.name  # fmt: skip
