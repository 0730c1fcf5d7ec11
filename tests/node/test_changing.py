"""What an operator asks for, and what becomes of it.

Frozen enclaves, full disks, second thoughts.
"""

import asyncio
import errno

import pytest

from keymoot.base.errors import Refused
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.committee.errors import NotReady
from keymoot.committee.signers import settled
from keymoot.enclave import messages
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.sealed_state import open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.node.admin.standing import standing_json
from keymoot.node.membership import changes, wanted
from keymoot.node.membership.changes import NoChange
from keymoot.testing.network import World
from keymoot.testing.process import MemoryProcess, own_code
from tests.node.stories import story, while_it_runs

pytestmark = pytest.mark.long


@pytest.fixture
def size() -> int:
    """Of which one may be broken, and one may leave."""
    return 5


def standing(world: World):
    return standing_json(world.membership)


def freeze(world: World, seat: int) -> list[str]:
    """Have an enclave answer nothing; give what it is asked from now on."""
    process = world.process(seat)
    process.freeze()
    process.asked.clear()
    return process.asked


def epoch(world: World) -> int:
    return world.machine.epochs.current.number


def asked_to_part(world: World) -> list[int]:
    return [
        one.seat for one in world.enclaves.seats if messages.PART in world.process(one.seat).asked
    ]


@while_it_runs
async def test_the_others_vote_while_one_is_frozen_and_it_is_asked_once(world):
    asked = freeze(world, 3)
    await world.changes.turn()
    await world.changes.turn()
    assert world.membership.asking.silent == {3}
    assert asked.count(messages.TURN) == 1
    # four of the five are enough
    await world.until(lambda: epoch(world) == 1)


@while_it_runs
async def test_a_frozen_member_is_put_out_by_the_others(world):
    freeze(world, 3)
    await world.changes.leave(3)
    await world.until(lambda: standing(world)["leaving"]["3"]["settled"])
    told = standing(world)
    assert told["leaving"]["3"] == {"settled": True, "votes": [1, 2, 4, 5]}
    assert told["next"] == [1, 2, 4, 5]


@while_it_runs
async def test_a_member_leaves_by_its_own_word_alone_and_its_enclave_ends(world):
    await world.changes.leave(2)
    await world.until(lambda: standing(world)["leaving"]["2"]["settled"])
    assert standing(world)["leaving"]["2"] == {"settled": True, "votes": [2]}
    assert asked_to_part(world) == [2]
    await world.changes.turn()
    await world.until(lambda: world.enclaves.holder(2) is None)
    assert world.machine.state.record.members == (1, 3, 4, 5)
    await world.until_ready()


@while_it_runs
async def test_a_start_that_the_ledger_does_not_know_says_that_it_has_no_vote(world, monkeypatch):
    async def unheard(_):
        raise Refused("nobody listens")

    monkeypatch.setattr(world.ledger, "submit", unheard)
    world.process(2).kill()
    await world.until(lambda: world.holder(2).restarts and world.holder(2).begun)
    for vote in (world.process(2).turn, lambda: world.process(2).part(2)):
        with pytest.raises(EnclaveRefused, match="has no vote"):
            await vote()


@while_it_runs
async def test_two_leave_at_once_and_no_third(world):
    await world.changes.leave(1)
    with pytest.raises(NoChange, match="3 would be left, a committee has at least 4"):
        await world.changes.leave(2)
    await world.changes.leave(1)
    with pytest.raises(NoChange, match="nobody has seat 9: the members are 1, 2, 3, 4, 5"):
        await world.changes.leave(9)


@while_it_runs
async def test_a_newcomer_is_admitted_by_the_ledger_and_then_cannot_stay_out(world):
    assert await world.changes.join() == 6
    await world.until(lambda: standing(world)["joining"]["6"]["settled"])
    seen = {"settled": True, "votes": [1, 2, 3, 4, 5], "fits": True, "refused": None}
    assert standing(world)["joining"] == {"6": seen}
    with pytest.raises(NoChange, match="it can leave then"):
        await world.changes.leave(6)
    # It watches until it has the state secret; then it executes, before it is a member.
    await world.until(lambda: world.holder(6).begun)
    assert epoch(world) == 0
    await world.changes.turn()
    await world.until(lambda: epoch(world) == 1)
    await world.until_ready()


@while_it_runs
async def test_two_that_are_asked_for_at_once_get_two_seats(world):
    both = await asyncio.gather(world.changes.join(), world.changes.join())
    assert sorted(both) == [6, 7]
    await world.until(lambda: all(one["settled"] for one in standing(world)["joining"].values()))
    assert sorted(standing(world)["joining"]) == ["6", "7"]


@while_it_runs
async def test_a_newcomer_that_is_not_admitted_stays_out_if_it_is_to(world):
    for seat in (2, 3):
        freeze(world, seat)
    await world.changes.join()
    # Two of five are frozen, so no block is certified that could admit it.
    await world.changes.leave(6)
    assert world.enclaves.holder(6) is None
    assert standing(world)["joining"] == {}


@while_it_runs
async def test_a_full_disk_changes_nothing_and_says_so(world, monkeypatch):
    def full(path, _):
        raise CannotWrite(str(path), errno.ENOSPC)

    monkeypatch.setattr(wanted, "write_whole", full)
    with pytest.raises(CannotWrite, match=r"changes\.json cannot be written"):
        await world.changes.join()
    assert world.enclaves.holder(6) is None
    with pytest.raises(CannotWrite):
        await world.changes.leave(2)
    assert standing(world)["leaving"] == {}
    assert standing(world)["storage"] is None
    world.node.store.shortage = CannotWrite("the ledger", errno.ENOSPC)
    assert "the ledger cannot be written" in standing(world)["storage"]
    world.node.store.shortage = None
    # what is done already is struck out when there is room again; the node lives on
    world.changes._wanted.joining = {5}
    await world.changes.reconcile()


@while_it_runs
async def test_an_enclave_that_does_not_start_in_time_leaves_nothing_behind(world, monkeypatch):
    async def hang(_):
        raise TimeoutError

    monkeypatch.setattr(world.enclaves, "add", hang)
    with pytest.raises(NoChange, match="did not start within 40 s"):
        await world.changes.join()
    assert not world.changes.joining

    async def short(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(world.enclaves, "add", short)
    with pytest.raises(NoChange, match="Too many open files"):
        await world.changes.join()


@while_it_runs
async def test_a_vote_for_an_epoch_that_is_over_ends_no_other(world):
    await world.changes.turn(7)
    assert not any(messages.TURN in world.process(one.seat).asked for one in world.enclaves.seats)


@while_it_runs
async def test_a_ninth_newcomer_of_an_epoch_is_refused_before_it_starts(world, monkeypatch):
    monkeypatch.setattr(changes, "MAX_INVITED", 0)
    with pytest.raises(NoChange, match="keymoot net turn"):
        await world.changes.join()


@while_it_runs
async def test_before_there_are_keys_nothing_can_be_asked(world, monkeypatch):
    monkeypatch.setattr(type(world.machine.state), "ready", False)
    work = world.changes
    for asked in (work.join(), work.leave(2), work.turn()):
        with pytest.raises(NotReady):
            await asked
    assert standing(world)["ready"] is False
    assert issubclass(NotReady, Refused)


@story
async def test_who_left_is_started_until_it_has_erased_its_keys(world, monkeypatch):
    """The node ends between the switch and the erasure; the next one ends that first."""
    stored = MemoryProcess.stored
    monkeypatch.setattr(MemoryProcess, "stored", has_not)
    async with world.running():
        await world.changes.leave(2)
        await world.until(lambda: standing(world)["leaving"]["2"]["settled"])
        await world.changes.turn()
        await world.until(
            lambda: 2 not in world.membership.roster.committee and settled(world.machine)
        )
        for one in world.enclaves.seats:
            world.process(one.seat).asked.clear()
        await world.changes.reconcile()
        # It runs on, is no member to anybody, and nobody is asked to let it leave.
        assert world.enclaves.holder(2) is not None
        assert standing(world)["leaving"] == {}
        assert asked_to_part(world) == []
    monkeypatch.setattr(MemoryProcess, "stored", stored)
    async with world.running():
        await world.until(lambda: not world.changes.leaving)
        assert world.enclaves.holder(2) is None
        platform = SimulatedPlatform(Secret(bytes([2]) * 32), own_code())
        keep = open_sealed_state(world.host.config.enclave_folder(2), platform)
        assert (keep.seated, keep.previous) == (0, None)


async def has_not(*_):
    return False
