"""The published transcripts: written again to the same bytes, and obeyed by who reads only them."""

import json
from difflib import unified_diff
from functools import cache
from typing import Any

import pytest

from keymoot.base.errors import KeymootError
from tests.threshold.readers import (
    certificate,
    ecdsa,
    frost,
    keygen,
    presignature,
    reshare,
    statekey,
    wallet,
)
from tests.threshold.transcripts.files import FILES, FOLDER, text_of

READERS: dict[str, Any] = {
    "keygen": keygen.Reader,
    "reshare": reshare.Reader,
    "presignature": presignature.Reader,
    "ecdsa": ecdsa.Reader,
    "frost": frost.Reader,
    "wallet": wallet.Reader,
    "certificate": certificate.Reader,
    "statekey": statekey.Reader,
}


def transcripts(name: str) -> list[Any]:
    found = json.loads((FOLDER / f"{name}.json").read_text())
    assert isinstance(found, list)
    return found


@cache
def reader(name: str, place: int) -> Any:
    return READERS[name](transcripts(name)[place])


def places() -> list[Any]:
    return [
        pytest.param(name, place, id=f"{name}: {one['description']}")
        for name in READERS
        for place, one in enumerate(transcripts(name))
    ]


def cases() -> list[Any]:
    return [
        pytest.param(name, place, case, id=f"{name} {place}: {case['step']}, {case['description']}")
        for name in READERS
        for place, one in enumerate(transcripts(name))
        for case in one["cases"]
    ]


@pytest.mark.parametrize("name", FILES)
def test_they_are_written_again_to_the_same_bytes(name: str) -> None:
    there, made = (FOLDER / f"{name}.json").read_text(), text_of(name)
    if there != made:
        lines = unified_diff(there.splitlines(), made.splitlines(), "published", "made", n=1)
        shown = "\n".join(line[:160] for line, _ in zip(lines, range(40), strict=False))
        pytest.fail(f"{name}.json is not what the code gives; run: make vectors\n{shown}")


def test_every_file_has_a_reader_and_every_file_is_written() -> None:
    assert set(READERS) == set(FILES) == {file.stem for file in FOLDER.glob("*.json")}


@pytest.mark.parametrize(("name", "place"), places())
def test_who_has_the_inputs_says_the_messages_and_gets_the_outputs(name: str, place: int) -> None:
    told = transcripts(name)[place]
    messages, outputs = reader(name, place).replay()
    assert messages == told["messages"]
    assert outputs == told["outputs"]


@pytest.mark.parametrize(("name", "place", "case"), cases())
def test_each_case_is_accepted_or_refused_as_it_says(name: str, place: int, case: Any) -> None:
    step = getattr(reader(name, place), case["step"])
    if case["valid"]:
        assert step(case["input"]) == case["says"]
        return
    with pytest.raises(KeymootError) as caught:
        step(case["input"])
    assert caught.value.code == case["error"]["code"]
    assert getattr(caught.value, "party", None) == case["error"]["party"]


def test_each_transcript_has_both_kinds_and_no_case_twice() -> None:
    for name in FILES:
        for one in transcripts(name):
            found = one["cases"]
            assert {case["valid"] for case in found} == {True, False}, name
            shown = {json.dumps([case["step"], case["input"]], sort_keys=True) for case in found}
            named = {(case["step"], case["description"]) for case in found}
            assert len(shown) == len(named) == len(found), name
