"""What enclave and host say to each other about state: bytes that mean one thing, in bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.units import Height
from keymoot.store.questions import (
    MAX_KEY_BYTES,
    MAX_QUESTION_BYTES,
    EntryQuestion,
    NewestQuestion,
    PathQuestion,
    Question,
    read_answer,
    read_question,
)

heights = st.integers(0, 2**64 - 1).map(Height)
paths = st.integers(0, 64).flatmap(
    lambda size: st.builds(
        PathQuestion,
        heights,
        st.binary(min_size=1, max_size=33),
        st.lists(st.integers(0, 15), min_size=size, max_size=size).map(bytes),
        st.integers(0, size),
    )
)
questions = st.one_of(
    st.just(NewestQuestion()),
    st.builds(EntryQuestion, heights, st.binary(min_size=1, max_size=MAX_KEY_BYTES)),
    paths,
)


@given(questions)
def test_questions_come_back(question: Question) -> None:
    assert read_question(question.encode()) == question
    assert len(question.encode()) <= MAX_QUESTION_BYTES


@given(st.binary(max_size=100))
def test_other_bytes_are_malformed(raw: bytes) -> None:
    try:
        assert read_question(raw).encode() == raw
    except Malformed:
        return


@pytest.mark.parametrize(
    "fields",
    [
        [b"\1", b"p", b"\x10", b""],
        [b"\1", b"p", b"\1", b"\2"],
        [b"\1", b"p", bytes(65), b""],
        [b"\0", b"key"],
        [b"\1", bytes(MAX_KEY_BYTES + 1)],
        [b"\1", b""],
        [b"\1", b"", b"", b""],
        [b"\1"],
        [b"\1", [b"key"]],
    ],
)
def test_a_question_keeps_its_bounds(fields: list) -> None:
    with pytest.raises(Malformed):
        read_question(rlp.encode(fields))


@pytest.mark.parametrize("items", [[b"1", b"2", b"3"], [b"1", b""], [[b"1"]]])
def test_an_answer_keeps_its_bounds(items: list) -> None:
    with pytest.raises(Malformed):
        read_answer(rlp.encode(items), 2)
    with pytest.raises(Malformed):
        read_answer(b"\x01", 2)
