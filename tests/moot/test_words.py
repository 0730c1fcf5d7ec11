"""Whatever a seat says, at whatever moment: it is taken or refused, and no replica stops."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.contained import Unexecutable
from keymoot.base.errors import Malformed, Refused
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.assembly import Assembly
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.pages import MemoryPages
from tests.moot.town import NETWORK, Town

TRIES = 3_000


class Recorded(Town):
    """Remembers every message, with the pages as they were before it."""

    def __post_init__(self) -> None:
        self.moments = []
        super().__post_init__()

    def say(self, *messages):
        pages = dict(self.pages)
        self.moments += [(pages, self.height + 1, self.time, one) for one in messages]
        super().say(*messages)


@pytest.fixture(scope="module")
def moments():
    """A life of an assembly: founded, a start, an epoch in which one joins, and one leaves.

    Seat 2 deals badly, so that others complain.
    """
    town = Recorded()
    town.spoil = bad_boxes
    town.settle()
    town.restart(3)
    town.settle()
    town.change(joining=[5])
    town.change(leaving=[5])
    assert {one.seat for one in town.ledger.hall.head.cheats} == {2}
    by_kind = {}
    for one in town.moments:
        by_kind.setdefault(one[3].kind, []).append(one)
    assert Kind.COMPLAIN in by_kind
    return by_kind


def bad_boxes(seat, kind, body):
    """Let the last box of every envelope hold something else."""
    if seat != 2 or kind not in (Kind.FIRST, Kind.RESHARE):
        return body
    *head, content = rlp.decode(body)
    item = rlp.decode(content)
    for _, _, boxes in [item[2]] if kind is Kind.FIRST else [one[1] for one in item]:
        boxes[-1] = bytes(len(boxes[-1]))
    return rlp.encode([*head, rlp.encode(item)])


def decoded(raw):
    with suppress(Malformed):
        return rlp.decode(raw)
    return None


def spoiled(item, dice, others):
    """Change one place in a message; strings may hold lists of their own."""
    if isinstance(item, list):
        if item and dice.random() < 0.9:
            at = dice.randrange(len(item))
            return [*item[:at], spoiled(item[at], dice, others), *item[at + 1 :]]
        return dice.choice([[], item[:-1], [*item, *item[-1:]], item[::-1], b"", [item]])
    inner = decoded(item) if len(item) > 20 else None
    if isinstance(inner, list):
        return rlp.encode(spoiled(inner, dice, others))
    flipped = bytes([item[0] ^ 1 << dice.randrange(8)]) + item[1:] if item else b"\x05"
    small = dice.randrange(1, 70).to_bytes(1, "big")
    forms = [b"", b"\0", bytes(len(item)), item[:-1], item + b"\1", flipped, small]
    return dice.choice([*forms, dice.choice(others), []])


@pytest.mark.parametrize("seed", range(3))
def test_it_is_taken_or_refused(moments, monkeypatch, seed):
    # The seat itself says it, so it is signed as it must be.
    monkeypatch.setattr(NodeMessage, "signed_by", lambda *_: True)
    dice, taken = random.Random(seed), 0
    others = [one[3].body for several in moments.values() for one in several[:3]]
    for _ in range(TRIES):
        pages, height, time, message = dice.choice(moments[dice.choice(list(moments))])
        item = decoded(message.body)
        body = spoiled(message.body if item is None else rlp.encode(item), dice, others)
        kind = dice.choice(list(Kind)) if dice.random() < 0.1 else message.kind
        said = replace(message, kind=kind, body=body if isinstance(body, bytes) else b"")
        assembly = Assembly(MemoryPages(dict(pages)), NETWORK)
        try:
            assembly.apply(said, Height(height), UnixSeconds(time), lambda _: None)
            taken += 1
        except Unexecutable as error:
            raise AssertionError("nobody expected this message") from error
        except (Refused, Malformed):
            pass
    assert 0 < taken < TRIES
