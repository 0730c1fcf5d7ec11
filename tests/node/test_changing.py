"""What an operator asks for, and what becomes of it: frozen enclaves, full disks, second thoughts."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.base.errors import Refused
from keymoot.base.storage import CannotWrite
from keymoot.enclave import messages
from keymoot.enclave.client import EnclaveRefused
from keymoot.moot.errors import NotReady
from keymoot.node import changes, wanted
from keymoot.node.changes import NoChange
from keymoot.node.standing import standing_json
from tests.enclave.conftest import small_batches
from tests.enclave.parliament import Parliament
from tests.enclave.test_changes import arrive
from tests.node.embedded import Frozen, do, holder, node_of

__all__ = ["small_batches"]


@pytest.fixture
def parliament(tmp_path: Path, small_batches: None) -> Iterator[Parliament]:
    made = Parliament(tmp_path, size=5)
    yield made
    made.close()


@pytest.fixture
def node(parliament, monkeypatch):
    """A node of five enclaves; what it starts for a newcomer answers in this process."""
    monkeypatch.setattr(changes, "VOTE_SECONDS", 0.2)
    made = node_of(parliament)

    async def add(seat: int) -> None:
        parliament.said.clear()
        made._holders[seat] = holder(parliament.delegates[seat])

    monkeypatch.setattr(made, "add", add)
    return made


def freeze(node, seat: int) -> Frozen:
    held = node._holders[seat]
    held.client = Frozen(held.client.delegate)
    return held.client


def test_the_others_vote_while_one_is_frozen_and_it_is_asked_once(parliament, node):
    frozen = freeze(node, 3)

    async def twice():
        await node.changes.turn()
        await node.changes.turn()
        return node.asking.silent

    assert do(parliament, twice()) == {3}
    assert frozen.asked == [messages.TURN]
    # four of the five are enough
    assert parliament.assembly.turning.epoch.number == 1


def test_a_frozen_member_is_put_out_by_the_others(parliament, node):
    freeze(node, 3)

    async def leave():
        await node.changes.leave(3)
        await node.changes.tend()

    do(parliament, leave())
    told = standing_json(node)
    assert told["leaving"]["3"] == {"settled": True, "votes": [1, 2, 4, 5]}
    assert told["next"] == [1, 2, 4, 5]


def test_a_member_leaves_by_its_own_word_alone(parliament, node):
    do(parliament, node.changes.leave(2))
    assert standing_json(node)["leaving"]["2"] == {"settled": True, "votes": [2]}
    assert [node.holder(at).client.asked for at in (1, 3, 4, 5)] == [[], [], [], []]


def test_a_start_that_the_ledger_does_not_know_says_that_it_has_no_vote(parliament, node):
    one = parliament.delegates[2]
    one.start()
    one.join(parliament.genesis, 2)
    parliament.sync(one)
    for word, body in ((messages.TURN, b""), (messages.PART, b"\2")):
        with pytest.raises(EnclaveRefused, match="has no vote"):
            one.ask(word, body)


def test_two_leave_at_once_and_no_third(parliament, node):
    do(parliament, node.changes.leave(1))
    with pytest.raises(NoChange, match="3 would be left, an assembly has at least 4"):
        do(parliament, node.changes.leave(2))
    do(parliament, node.changes.leave(1))
    with pytest.raises(NoChange, match="nobody has seat 9: the members are 1, 2, 3, 4, 5"):
        do(parliament, node.changes.leave(9))


def test_a_newcomer_is_admitted_by_the_ledger_and_then_cannot_stay_out(parliament, node):
    arrive(parliament, 6)
    assert do(parliament, node.changes.join()) == 6
    parliament.settle()
    assert standing_json(node)["joining"] == {"6": {"settled": True, "votes": [1, 2, 3, 4, 5]}}
    with pytest.raises(NoChange, match="it can leave then"):
        do(parliament, node.changes.leave(6))


def test_two_that_are_asked_for_at_once_get_two_seats(parliament, node):
    for seat in (6, 7):
        arrive(parliament, seat)

    async def both():
        return await asyncio.gather(node.changes.join(), node.changes.join())

    assert do(parliament, both()) == [6, 7]
    assert {at: one["settled"] for at, one in standing_json(node)["joining"].items()} == {
        "6": True,
        "7": True,
    }


def test_a_newcomer_that_is_not_admitted_stays_out_if_it_is_to(parliament, node):
    arrive(parliament, 6)
    for seat in (2, 3):
        freeze(node, seat)
    do(parliament, node.changes.join())
    assert standing_json(node)["joining"] == {"6": {"settled": False, "votes": [1, 4, 5]}}
    do(parliament, node.changes.leave(6))
    assert node.holder(6) is None
    assert standing_json(node)["joining"] == {}


def test_a_full_disk_changes_nothing_and_says_so(parliament, node, monkeypatch):
    def full(path, _):
        raise CannotWrite(str(path), errno.ENOSPC)

    monkeypatch.setattr(wanted, "write_whole", full)
    arrive(parliament, 6)
    with pytest.raises(CannotWrite, match=r"changes\.json cannot be written"):
        do(parliament, node.changes.join())
    assert node.holder(6) is None
    with pytest.raises(CannotWrite):
        do(parliament, node.changes.leave(2))
    assert standing_json(node)["leaving"] == {}
    assert standing_json(node)["storage"] is None
    parliament.store.shortage = CannotWrite("the ledger", errno.ENOSPC)
    assert "the ledger cannot be written" in standing_json(node)["storage"]
    parliament.store.shortage = None
    # what is done already is struck out when there is room again; the node lives on
    node.changes._wanted.joining = {5}
    do(parliament, node.changes.tend())


def test_an_enclave_that_does_not_start_in_time_leaves_nothing_behind(
    node, parliament, monkeypatch
):
    async def hang(seat: int) -> None:
        raise TimeoutError

    monkeypatch.setattr(node, "add", hang)
    with pytest.raises(NoChange, match="did not start within 40 s"):
        do(parliament, node.changes.join())
    assert not node.changes.joining

    async def short(seat: int) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(node, "add", short)
    with pytest.raises(NoChange, match="Too many open files"):
        do(parliament, node.changes.join())


def test_a_vote_for_an_epoch_that_is_over_ends_no_other(parliament, node):
    do(parliament, node.changes.turn(7))
    assert parliament.assembly.turning.epoch.wants == frozenset()


def test_a_ninth_newcomer_of_an_epoch_is_refused_before_it_starts(parliament, node, monkeypatch):
    monkeypatch.setattr(changes, "MAX_INVITED", 0)
    with pytest.raises(NoChange, match="keymoot net turn"):
        do(parliament, node.changes.join())


def test_before_there_are_keys_nothing_can_be_asked(parliament, node, monkeypatch):
    monkeypatch.setattr(type(parliament.assembly.hall), "ready", False)
    for work in (node.changes.join(), node.changes.leave(2), node.changes.turn()):
        with pytest.raises(NotReady):
            do(parliament, work)
    assert standing_json(node)["ready"] is False
    assert issubclass(NotReady, Refused)
