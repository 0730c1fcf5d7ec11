"""The one table of pages names all that stands, and reads and writes it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from keymoot.committee import pages
from keymoot.committee.pages import Content, PageName, PageNames, StateKeyPages
from keymoot.committee.roots import ROOTS
from tests.committee.network import CommitteeNetwork

SOURCE = Path(pages.__file__).parent


def named(value: object) -> Iterator[tuple[str, Content[Any]]]:
    """Give the pattern of each name that a part of the table holds, and what stands there."""
    if isinstance(value, PageName):
        yield value.name, value.content
    elif isinstance(value, PageNames):
        yield value.pattern.replace("{}", r"\d+"), value.content
    elif isinstance(value, StateKeyPages):
        for field in fields(value):
            yield from named(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for page in value.values():
            yield from named(page)


TABLE = dict(pair for name, value in vars(pages).items() if name.isupper() for pair in named(value))


def content_of(name: str) -> Content[Any]:
    (content,) = [content for pattern, content in TABLE.items() if re.fullmatch(pattern, name)]
    return content


def test_every_page_that_ever_stood_in_two_long_walks_has_one_name_here() -> None:
    walked = json.loads((Path(__file__).parent / "golden.json").read_text())
    for name in {name for step in walked for name in step["pages"]}:
        assert content_of(name)


@pytest.mark.parametrize("turned", [False, True])
def test_what_stands_on_a_page_is_read_and_written_to_the_same_bytes(turned: bool) -> None:
    net = CommitteeNetwork.at_rest()
    if turned:
        net.turn()
        net.settle()
    standing = dict(net.pages)
    assert {"head", "seat/1", "root/derive", "stock"} <= standing.keys()
    for name, raw in standing.items():
        content = content_of(name)
        assert content.encode(content.decode(raw)) == raw, name


def test_no_other_file_names_a_page() -> None:
    roots = "|".join(kind.name for kind in ROOTS)
    literal = re.compile(
        rf'"(head|keygen/session|roots/[a-z]+|epoch/origin|next/(digest|{roots})|admission|before(/.*)?|'
        r'state/(coming|former)|(seat|opening|batch|nonces|dealing|root|next)/\{[^"]*)"'
    )
    others = [path for path in SOURCE.rglob("*.py") if path.name != "pages.py"]
    calls = [
        f"{path}: {line}"
        for path in others
        for line in path.read_text().splitlines()
        if literal.search(line) and ".hex()" not in line
    ]
    assert calls == []
