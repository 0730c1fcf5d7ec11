"""What the node looks up of requests, and what it need not look up again."""

from types import SimpleNamespace
from typing import Any

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.presign.record import PresignatureId
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED, REFUSED
from keymoot.node.answers import requests
from keymoot.node.answers.requests import Requests
from keymoot.threshold.committee import Committee

KEY = Hash32(b"k" * 32)


class Ledger:
    """A state that holds what it is told to, and counts who looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.record: Any = None
        self.question: Any = None
        self.looked = 0
        monkeypatch.setattr(requests, "find_record", lambda *_: self.poll())
        monkeypatch.setattr(requests, "find_question", lambda *_: self.question)

    def poll(self) -> Any:
        self.looked += 1
        return self.record

    def state(self) -> None:
        return None


def record(status: str, bound_to: bytes = b"", height: int = 0) -> Any:
    return SimpleNamespace(
        status=status,
        bound_to=bound_to,
        bound_at=Height(height),
        time=UnixSeconds(1),
        expires_at=UnixSeconds(9),
    )


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    return Ledger(monkeypatch)


def found(ledger: Ledger) -> Requests:
    which: Any = ledger
    return Requests(which)


def test_what_is_settled_is_looked_up_once(ledger: Ledger) -> None:
    for settled in (record(REFUSED), record(BOUND, b"p" * 10, 7)):
        looks, ledger.looked, ledger.record = found(ledger), 0, settled
        assert looks.record(KEY) is looks.record(KEY) is settled
        assert ledger.looked == 1


def test_what_may_change_is_looked_up_again(ledger: Ledger) -> None:
    looks = found(ledger)
    for changing in (None, record(QUEUED), record(BOUND)):
        ledger.record = changing
        assert looks.record(KEY) is changing
    ledger.record = record(BOUND, b"p" * 10, 7)
    assert looks.record(KEY) is ledger.record


def test_what_is_bound_or_asked_needs_answers_and_nothing_else_does(ledger: Ledger) -> None:
    looks, four = found(ledger), Committee.of(4)
    ledger.record = record(QUEUED)
    assert looks.need(KEY, four) is None
    ledger.record = None
    ledger.question = SimpleNamespace(height=Height(5), expires_at=UnixSeconds(9))
    need = looks.need(KEY, four)
    assert need is not None
    assert (need.height, need.enough) == (5, 3)
    ledger.question = None
    assert looks.need(KEY, four) is None
    ledger.record = record(BOUND, bytes(PresignatureId.LENGTH), 7)
    need = looks.need(KEY, four)
    assert need is not None
    assert (need.height, need.enough) == (7, 2)


def test_only_so_much_is_remembered(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_REMEMBERED", 2)
    ledger.record = record(REFUSED)
    looks = found(ledger)
    for at in range(3):
        looks.record(Hash32(bytes([at]) * 32))
    looks.record(Hash32(b"\x02" * 32))
    assert ledger.looked == 3
    looks.record(Hash32(b"\x00" * 32))
    assert ledger.looked == 4
