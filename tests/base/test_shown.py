"""What strangers write is shown bounded, and cannot hide anything."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import MAX_MESSAGE_BYTES, MAX_PATH_CHARACTERS, KeymootError, Malformed
from keymoot.base.shown import MAX_SHOWN_BYTES, MAX_SHOWN_CHARACTERS, bounded, shown

anything = st.text(st.characters(exclude_categories=()))
"""Lone surrogates too."""

long = st.tuples(anything, st.integers(1, 2_000)).map(lambda pair: pair[0] * pair[1])


@given(long)
def test_what_is_shown_fits_in_characters_and_in_json(text: str) -> None:
    seen = shown(text)
    cut = f"… ({len(text)} characters)"
    assert len(seen.removesuffix(cut)) <= MAX_SHOWN_CHARACTERS
    written = json.dumps(seen, ensure_ascii=False).encode()
    assert len(written) - 2 <= MAX_SHOWN_BYTES


@given(anything)
def test_nothing_that_is_shown_is_invisible_or_turns_the_line(text: str) -> None:
    for char in shown(text, 10_000):
        assert unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in PREFIXES


PREFIXES = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
PREFIXES += "".join(map(chr, (*range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4))))
PREFIXES += "".join(map(chr, range(0x1D173, 0x1D17B)))
"""Of the formatting characters those that are seen, or only join notes of music."""


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain, ünïcode 漢字", "plain, ünïcode 漢字"),
        ("a\x7fb", "a\\u{7f}b"),
        ("\u202egpj.exe", "\\u{202e}gpj.exe"),
        ("\ud800", "\\u{d800}"),
        ("\\u{7f}", "\\\\u{7f}"),
        ("two\nlines", "two\\u{a}lines"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "x" * 128 + "… (129 characters)"),
        ("\x7f" * 129, "\\u{7f}" * 21 + "… (129 characters)"),
    ],
)
def test_text_is_shown_as_it_is_where_that_is_harmless(text: str, seen: str) -> None:
    assert shown(text) == seen


@given(long)
def test_two_texts_that_are_shown_whole_are_not_shown_alike(text: str) -> None:
    whole = shown(text, 10 * len(text) + 1)
    assert "… (" not in whole or "… (" in text
    back = whole.replace("\\\\", "\0").split("\\u{")
    first, *rest = (one.replace("\0", "\\") for one in back)
    assert first + "".join(chr(int(n, 16)) + t for n, t in (r.split("}", 1) for r in rest)) == text


@given(long)
def test_every_error_of_ours_has_a_message_that_fits_a_receipt(text: str) -> None:
    for error in (KeymootError(text), Malformed(text), Malformed("wrong", text)):
        assert len(str(error).encode()) <= MAX_MESSAGE_BYTES
    assert len(Malformed("wrong", text).path) <= MAX_PATH_CHARACTERS + 32


def test_a_message_is_cut_between_characters() -> None:
    assert bounded("ab\U0001f600c", 6) == "ab\U0001f600"
    assert bounded("ab\U0001f600c", 5) == "ab"
