"""Text of strangers, shown: bounded, and harmless to whoever reads it.

Whatever a message repeats of its input goes through here. It says the same on every
version of Python and of Unicode, for it asks no table but the one below.
"""

import re

MAX_SHOWN_CHARACTERS = 128
"""Longest text that is shown of one value; what is longer is cut, with its length behind."""

MAX_SHOWN_BYTES = 4 * MAX_SHOWN_CHARACTERS + 32
"""What it can take at most in JSON (UTF-8, as `strict_json.canonical` writes): four bytes a
character, and the length of what was cut."""

_HIDDEN = re.compile(
    "["
    "\\\\"  # the escape's own first character
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # what nobody sees
    "\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # joiners, and what turns the direction
    "\u2028\u2029"  # other ends of lines
    "\ud800-\udfff"  # halves of pairs: no UTF-8
    "\ufe00-\ufe0f\ufeff\ufff0-\uffff"  # variations, byte order marks, no characters
    "\U000e0000-\U000e0fff"  # tags
    "]"
)


def shown(text: str, most: int = MAX_SHOWN_CHARACTERS) -> str:
    r"""Give at most `most` characters of `text`, and the length of the whole where it is cut.

    What cannot be seen, or turns what stands beside it, is written as `\u{7f}`; a backslash
    as two.
    """
    head = _HIDDEN.sub(_escaped, text[:most])
    if len(text) <= most and len(head) <= most:
        return head
    return f"{_cut(text[:most], most)}… ({len(text)} characters)"


def unarmed(text: str) -> str:
    """Give lines as they are, but for what nobody sees or what steers a terminal.

    The last door before a person's eyes. What a message repeats of its input was `shown` before,
    where one remembered to; so backslashes, ends of lines and tabs stay here.
    """
    return _HIDDEN.sub(lambda match: match[0] if match[0] in _LAID_OUT else _escaped(match), text)


_LAID_OUT = frozenset("\\\n\t")


def bounded(text: str, most_bytes: int) -> str:
    """Cut a message of ours to `most_bytes` of UTF-8; it has one whatever stands in it."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def _escaped(match: re.Match[str]) -> str:
    return "\\\\" if match[0] == "\\" else f"\\u{{{ord(match[0]):x}}}"


def _cut(text: str, most: int) -> str:
    if _HIDDEN.search(text) is None:
        return text[:most]
    parts: list[str] = []
    for char in text:
        part = _HIDDEN.sub(_escaped, char)
        most -= len(part)
        if most < 0:
            break
        parts.append(part)
    return "".join(parts)
