"""What an operator asks for, and what becomes of it: frozen enclaves, full disks, second thoughts."""

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keymoot.base.errors import Refused
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.enclave import messages
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.keep import open_keep
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.moot.errors import NotReady
from keymoot.moot.signers import settled
from keymoot.node.admin.standing import standing_json
from keymoot.node.membership import changes, wanted
from keymoot.node.membership.changes import NoChange
from tests.node.inside import CODE, Inside, InsideClient, inside

__all__ = ["inside"]


@pytest.fixture
async def node(inside, tmp_path: Path, monkeypatch) -> AsyncIterator[Inside]:
    """A node of five enclaves, in this process."""
    monkeypatch.setattr(changes, "VOTE_SECONDS", 1.0)
    async with inside(tmp_path, 5) as made:
        yield made


def standing(node: Inside):
    return standing_json(node.membership)


def freeze(node: Inside, seat: int) -> list[str]:
    """Have an enclave answer nothing; give what it is asked from now on."""
    client = node.client(seat)
    client.hangs = True
    client.asked.clear()
    return client.asked


def epoch(node: Inside) -> int:
    return node.assembly().turning.epoch.number


def asked_to_part(node: Inside) -> list[int]:
    return [one.seat for one in node.enclaves.seats if messages.PART in node.client(one.seat).asked]


async def test_the_others_vote_while_one_is_frozen_and_it_is_asked_once(node):
    asked = freeze(node, 3)
    await node.changes.turn()
    await node.changes.turn()
    assert node.membership.asking.silent == {3}
    assert asked.count(messages.TURN) == 1
    # four of the five are enough
    await node.until(lambda: epoch(node) == 1)


async def test_a_frozen_member_is_put_out_by_the_others(node):
    freeze(node, 3)
    await node.changes.leave(3)
    await node.until(lambda: standing(node)["leaving"]["3"]["settled"])
    told = standing(node)
    assert told["leaving"]["3"] == {"settled": True, "votes": [1, 2, 4, 5]}
    assert told["next"] == [1, 2, 4, 5]


async def test_a_member_leaves_by_its_own_word_alone_and_its_enclave_ends(node):
    await node.changes.leave(2)
    await node.until(lambda: standing(node)["leaving"]["2"]["settled"])
    assert standing(node)["leaving"]["2"] == {"settled": True, "votes": [2]}
    assert asked_to_part(node) == [2]
    await node.changes.turn()
    await node.until(lambda: node.enclaves.holder(2) is None)
    assert node.assembly().hall.head.members == (1, 3, 4, 5)
    await node.until_seated()


async def test_a_start_that_the_ledger_does_not_know_says_that_it_has_no_vote(node, monkeypatch):
    async def unheard(_):
        raise Refused("nobody listens")

    monkeypatch.setattr(node.ledger, "submit", unheard)
    node.client(2).kill()
    await node.until(lambda: node.holder(2).restarts and node.holder(2).begun)
    for vote in (node.client(2).turn, lambda: node.client(2).part(2)):
        with pytest.raises(EnclaveRefused, match="has no vote"):
            await vote()


async def test_two_leave_at_once_and_no_third(node):
    await node.changes.leave(1)
    with pytest.raises(NoChange, match="3 would be left, an assembly has at least 4"):
        await node.changes.leave(2)
    await node.changes.leave(1)
    with pytest.raises(NoChange, match="nobody has seat 9: the members are 1, 2, 3, 4, 5"):
        await node.changes.leave(9)


async def test_a_newcomer_is_admitted_by_the_ledger_and_then_cannot_stay_out(node):
    assert await node.changes.join() == 6
    await node.until(lambda: standing(node)["joining"]["6"]["settled"])
    assert standing(node)["joining"] == {"6": {"settled": True, "votes": [1, 2, 3, 4, 5]}}
    with pytest.raises(NoChange, match="it can leave then"):
        await node.changes.leave(6)
    # It watches until it has the state secret; then it executes, before it is a member.
    await node.until(lambda: node.holder(6).begun)
    assert epoch(node) == 0
    await node.changes.turn()
    await node.until(lambda: epoch(node) == 1)
    await node.until_seated()


async def test_two_that_are_asked_for_at_once_get_two_seats(node):
    both = await asyncio.gather(node.changes.join(), node.changes.join())
    assert sorted(both) == [6, 7]
    await node.until(lambda: all(one["settled"] for one in standing(node)["joining"].values()))
    assert sorted(standing(node)["joining"]) == ["6", "7"]


async def test_a_newcomer_that_is_not_admitted_stays_out_if_it_is_to(node):
    for seat in (2, 3):
        freeze(node, seat)
    await node.changes.join()
    # Two of five are frozen, so no block is certified that could admit it.
    await node.changes.leave(6)
    assert node.enclaves.holder(6) is None
    assert standing(node)["joining"] == {}


async def test_a_full_disk_changes_nothing_and_says_so(node, monkeypatch):
    def full(path, _):
        raise CannotWrite(str(path), errno.ENOSPC)

    monkeypatch.setattr(wanted, "write_whole", full)
    with pytest.raises(CannotWrite, match=r"changes\.json cannot be written"):
        await node.changes.join()
    assert node.enclaves.holder(6) is None
    with pytest.raises(CannotWrite):
        await node.changes.leave(2)
    assert standing(node)["leaving"] == {}
    assert standing(node)["storage"] is None
    node.node.store.shortage = CannotWrite("the ledger", errno.ENOSPC)
    assert "the ledger cannot be written" in standing(node)["storage"]
    node.node.store.shortage = None
    # what is done already is struck out when there is room again; the node lives on
    node.changes._wanted.joining = {5}
    await node.changes.tend()


async def test_an_enclave_that_does_not_start_in_time_leaves_nothing_behind(node, monkeypatch):
    async def hang(_):
        raise TimeoutError

    monkeypatch.setattr(node.enclaves, "add", hang)
    with pytest.raises(NoChange, match="did not start within 40 s"):
        await node.changes.join()
    assert not node.changes.joining

    async def short(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(node.enclaves, "add", short)
    with pytest.raises(NoChange, match="Too many open files"):
        await node.changes.join()


async def test_a_vote_for_an_epoch_that_is_over_ends_no_other(node):
    await node.changes.turn(7)
    assert not any(messages.TURN in node.client(one.seat).asked for one in node.enclaves.seats)


async def test_a_ninth_newcomer_of_an_epoch_is_refused_before_it_starts(node, monkeypatch):
    monkeypatch.setattr(changes, "MAX_INVITED", 0)
    with pytest.raises(NoChange, match="keymoot net turn"):
        await node.changes.join()


async def test_before_there_are_keys_nothing_can_be_asked(node, monkeypatch):
    monkeypatch.setattr(type(node.assembly().hall), "ready", False)
    work = node.changes
    for asked in (work.join(), work.leave(2), work.turn()):
        with pytest.raises(NotReady):
            await asked
    assert standing(node)["ready"] is False
    assert issubclass(NotReady, Refused)


async def test_who_left_is_started_until_it_has_erased_its_keys(inside, tmp_path, monkeypatch):
    """The node ends between the switch and the erasure; the next one ends that first."""
    stored = InsideClient.stored
    monkeypatch.setattr(InsideClient, "stored", has_not)
    async with inside(tmp_path, 5) as node:
        await node.changes.leave(2)
        await node.until(lambda: standing(node)["leaving"]["2"]["settled"])
        await node.changes.turn()
        await node.until(
            lambda: 2 not in node.membership.roster.committee and settled(node.assembly())
        )
        for one in node.enclaves.seats:
            node.client(one.seat).asked.clear()
        await node.changes.tend()
        # It runs on, is no member to anybody, and nobody is asked to let it leave.
        assert node.enclaves.holder(2) is not None
        assert standing(node)["leaving"] == {}
        assert asked_to_part(node) == []
    monkeypatch.setattr(InsideClient, "stored", stored)
    async with inside(tmp_path) as node:
        await node.until(lambda: not node.changes.leaving)
        assert node.enclaves.holder(2) is None
        platform = SimulatedPlatform(Secret(bytes([2]) * 32), CODE)
        keep = open_keep(node.config.enclave_folder(2), platform)
        assert (keep.seated, keep.previous) == (0, None)


async def has_not(*_):
    return False
