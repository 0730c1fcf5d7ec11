"""Bech32: published texts, one text for each value, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base import bech32
from keymoot.base.errors import Malformed
from keymoot.base.fixed import AppId

GLOBAL = "rofl1qrev5wq76npkmcv5wxkdxxcu4dhmu704yyl30h43"
"""Of the app that is called "test global app"."""


def test_published_texts_are_read_and_written() -> None:
    raw = bech32.decode(GLOBAL, "rofl", 21)
    assert bech32.encode("rofl", raw) == GLOBAL
    # BIP 173's own: the data part of a witness program, as 5-bit groups of whole bytes
    empty = bech32.encode("a", b"")
    assert empty == "a12uel5l"
    assert bech32.decode(empty, "a", 0) == b""


@given(raw=st.binary(max_size=40), name=st.sampled_from(["rofl", "oasis", "a"]))
def test_whatever_is_written_is_read(raw: bytes, name: str) -> None:
    assert bech32.decode(bech32.encode(name, raw), name, len(raw)) == raw


@given(st.data())
def test_one_letter_that_differs_is_noticed(data: st.DataObject) -> None:
    at = data.draw(st.integers(5, len(GLOBAL) - 1))
    letter = data.draw(st.sampled_from(bech32.ALPHABET).filter(lambda one: one != GLOBAL[at]))
    with pytest.raises(Malformed, match="checksum"):
        AppId.from_text(GLOBAL[:at] + letter + GLOBAL[at + 1 :])


@given(st.text(max_size=100) | st.text(alphabet=bech32.ALPHABET, max_size=60).map("rofl1".__add__))
def test_strangers_text_is_refused_in_our_words(text: str) -> None:
    try:
        found = AppId.from_text(text)
    except Malformed:
        return
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rofl1",
        GLOBAL.upper(),
        GLOBAL[:-1],
        GLOBAL + "q",
        "oasis" + GLOBAL[4:],
        "rofl1" + "q" * 90,
        "rofl1é" + GLOBAL[6:],
        bech32.encode("rofl", bytes(20)),
        bech32.encode("rofl", bytes(22)),
    ],
)
def test_other_texts_are_none(text: str) -> None:
    with pytest.raises(Malformed):
        AppId.from_text(text)


def test_what_fills_the_last_letter_is_zeros() -> None:
    """Else one app would have several names."""
    digits = [bech32.ALPHABET.index(letter) for letter in GLOBAL[5:-6]]
    digits[-1] |= 1
    head = "rofl1" + "".join(bech32.ALPHABET[digit] for digit in digits)
    tried = 0
    for at in range(2**10):
        # the checksum is linear: search the part of it that these two letters change
        tail = [at >> 5 & 31, at & 31]
        text = head + GLOBAL[-6:-2] + "".join(bech32.ALPHABET[digit] for digit in tail)
        with pytest.raises(Malformed):
            AppId.from_text(text)
        tried += 1
    assert tried == 2**10
