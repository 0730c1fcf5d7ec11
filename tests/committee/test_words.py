"""Whatever a seat says, at whatever moment: it is taken or refused, and no replica stops."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.contained import Unexecutable
from keymoot.base.errors import Malformed, Refused
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.page_store import MemoryPages
from tests.committee.network import NETWORK, CommitteeNetwork

TRIES = 3_000


class Recorded(CommitteeNetwork):
    """Remembers every message, with the pages as they were before it."""

    def __post_init__(self) -> None:
        self.moments = []
        super().__post_init__()

    def send(self, *messages):
        pages = dict(self.pages)
        self.moments += [(pages, self.height + 1, self.time, one) for one in messages]
        super().send(*messages)


@pytest.fixture(scope="module")
def moments():
    """A life of a committee: founded, a start, an epoch in which one joins, and one leaves.

    Seat 2 deals badly, so that others complain.
    """
    net = Recorded()
    net.spoil = bad_boxes
    net.settle()
    net.restart(3)
    net.settle()
    net.change(joining=[5])
    net.change(leaving=[5])
    assert {one.seat for one in net.ledger.state.record.cheats} == {2}
    by_kind = {}
    for one in net.moments:
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


def spoiled(item, rng, others):
    """Change one place in a message; strings may hold lists of their own."""
    if isinstance(item, list):
        if item and rng.random() < 0.9:
            at = rng.randrange(len(item))
            return [*item[:at], spoiled(item[at], rng, others), *item[at + 1 :]]
        return rng.choice([[], item[:-1], [*item, *item[-1:]], item[::-1], b"", [item]])
    inner = decoded(item) if len(item) > 20 else None
    if isinstance(inner, list):
        return rlp.encode(spoiled(inner, rng, others))
    flipped = bytes([item[0] ^ 1 << rng.randrange(8)]) + item[1:] if item else b"\x05"
    small = rng.randrange(1, 70).to_bytes(1, "big")
    forms = [b"", b"\0", bytes(len(item)), item[:-1], item + b"\1", flipped, small]
    return rng.choice([*forms, rng.choice(others), []])


@pytest.mark.parametrize("seed", range(3))
def test_it_is_taken_or_refused(moments, monkeypatch, seed):
    # The seat itself says it, so it is signed as it must be.
    monkeypatch.setattr(NodeMessage, "signed_by", lambda *_: True)
    rng, taken = random.Random(seed), 0
    others = [one[3].body for several in moments.values() for one in several[:3]]
    for _ in range(TRIES):
        pages, height, time, message = rng.choice(moments[rng.choice(list(moments))])
        item = decoded(message.body)
        body = spoiled(message.body if item is None else rlp.encode(item), rng, others)
        kind = rng.choice(list(Kind)) if rng.random() < 0.1 else message.kind
        said = replace(message, kind=kind, body=body if isinstance(body, bytes) else b"")
        machine = CommitteeMachine(MemoryPages(dict(pages)), NETWORK)
        try:
            machine.apply(said, Height(height), UnixSeconds(time), lambda _: None)
            taken += 1
        except Unexecutable as error:
            raise AssertionError("nobody expected this message") from error
        except (Refused, Malformed):
            pass
    assert 0 < taken < TRIES
