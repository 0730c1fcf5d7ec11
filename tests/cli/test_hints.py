"""Whatever a message tells people to run exists."""

import ast
import re
from pathlib import Path

import pytest

import keymoot
from keymoot.cli.main import app

SOURCE = Path(keymoot.__file__).parent
COMMAND = re.compile(r"`keymoot ([a-z]+(?: [a-z][a-z-]*)?)([^`]*)`")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+)")


def _texts(path: Path) -> list[str]:
    """Give the texts of a file that tells of commands, whatever is put into them as …."""
    source, found = path.read_text(), []
    if "`keymoot" not in source:
        return []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
            found.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


HINTS = sorted(
    {
        (words, rest)
        for path in SOURCE.rglob("*.py")
        for text in _texts(path)
        for words, rest in COMMAND.findall(" ".join(text.split()))
    }
)


def test_there_are_hints() -> None:
    assert ("wallet grant", " … --out FILE") in HINTS
    assert len(HINTS) > 10


@pytest.mark.parametrize(("words", "rest"), HINTS, ids=lambda one: one.strip() or "plain")
def test_a_command_in_a_message_exists(
    words: str, rest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names, command = words.split(), app
    known = {name for name in command if not name.startswith("-")}
    assert names[0] in known, f"there is no `keymoot {names[0]}`"
    command = command[names[0]]
    within = {name for name in command if not name.startswith("-")}
    if len(names) > 1 and within:
        assert names[1] in within, f"there is no `keymoot {words}`"
    path = names if within else names[:1]
    with pytest.raises(SystemExit) as ended:
        app([*path, "--help"])
    assert not ended.value.code
    shown = capsys.readouterr().out
    for option in OPTION.findall(rest):
        assert option in shown, f"`keymoot {' '.join(path)}` has no {option}"
