"""Whoever has the vectors and their README alone says, accepts and refuses the same."""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.threshold.stranger.dealings import Keygen, Reshare
from tests.threshold.stranger.pairings import Certificate, StateKey
from tests.threshold.stranger.presigning import Presigning
from tests.threshold.stranger.signing import Ecdsa, Frost, Wallets
from tests.threshold.stranger.words import No

pytestmark = pytest.mark.long

FOLDER = Path(__file__).parents[3] / "vectors/threshold"

READERS: dict[str, Any] = {
    "keygen": Keygen,
    "reshare": Reshare,
    "presignature": Presigning,
    "ecdsa": Ecdsa,
    "frost": Frost,
    "wallet": Wallets,
    "certificate": Certificate,
    "statekey": StateKey,
}


def transcripts(name: str) -> list[Any]:
    found = json.loads((FOLDER / f"{name}.json").read_text())
    assert isinstance(found, list)
    return found


@cache
def reader(name: str, place: int) -> Any:
    return READERS[name](transcripts(name)[place])


PLACES = [(name, place) for name in READERS for place in range(len(transcripts(name)))]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_stranger_says_the_same(name: str, place: int) -> None:
    told = transcripts(name)[place]
    messages, outputs = reader(name, place).replay()
    assert messages == told["messages"]
    assert outputs == told["outputs"]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_stranger_accepts_and_refuses_the_same(name: str, place: int) -> None:
    wrong = []
    for case in transcripts(name)[place]["cases"]:
        due = (case["says"],) if case["valid"] else tuple(case["error"].values())
        try:
            found: Any = (getattr(reader(name, place), case["step"])(case["input"]),)
        except No as error:
            found = error.code, error.party
        if found != due:
            wrong.append((case["step"], case["description"], found, due))
    assert wrong == []


def test_every_file_is_read_by_a_stranger_who_has_nothing_of_ours() -> None:
    assert set(READERS) == {file.stem for file in FOLDER.glob("*.json")}
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not [one for one in names if one.split(".")[0] == "keymoot"], file.name
