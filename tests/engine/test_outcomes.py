"""What a block did reaches the disk, however long it is and however long that takes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base import rlp
from keymoot.committee.nonces.record import MAX_COMMITMENTS_BYTES
from keymoot.contracts.builtin.wallets.queue import KINDS, MAX_BYTES, MAX_QUEUE
from keymoot.enclave import frames, messages
from keymoot.engine import outcomes
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.outcome import MAX_OUTCOME_BYTES, Outcome
from keymoot.runtime.rules import MAX_BLOCK_BYTES
from tests.engine.committee import Chained, MemoryReplica
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import OWNER

pytestmark = pytest.mark.own_time

LONG = b"b" + b"\xff" * 60
ENTRY_BYTES = 200_000


def lengthen(monkeypatch: pytest.MonkeyPatch, size_bytes: int) -> None:
    """Have every block write so much more than it does."""
    whole = Chained.outcome

    def longer(chained: Chained, height: int) -> bytes:
        outcome = Outcome.decode(whole(chained, height))
        more = {
            LONG + at.to_bytes(4, "big"): bytes(ENTRY_BYTES)
            for at in range(size_bytes // ENTRY_BYTES)
        }
        return replace(outcome, writes=outcome.writes | more).encode()

    monkeypatch.setattr(Chained, "outcome", longer)


def written(house: House) -> int:
    with house.store.snapshot() as table:
        return sum(len(value) for _, value in table.scan(LONG, LONG))


def test_all_that_one_block_can_bind_fits_into_an_outcome_many_times() -> None:
    record = MAX_COMMITMENTS_BYTES + 2_048
    kinds_of_key = 2
    records = kinds_of_key * len(KINDS) * (MAX_BYTES + MAX_QUEUE * record)
    # What a block's own requests leave: what is to be signed, and what was read out of it.
    own = 8 * MAX_BLOCK_BYTES
    assert 2 * records + own < MAX_OUTCOME_BYTES


async def test_the_longest_outcome_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with founded(tmp_path / "data") as house:
        size = MAX_OUTCOME_BYTES - 10 * ENTRY_BYTES
        lengthen(monkeypatch, size)
        async with house.at_work():
            await house.include(transfer(OWNER, 0))
        assert written(house) > size - ENTRY_BYTES
        assert house.blamed == []


async def test_an_outcome_that_takes_long_to_give_is_waited_for_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "PATIENCE_SECONDS", 0.01)
    give, certify = MemoryReplica.outcome, MemoryReplica.certify

    async def slowly(replica: MemoryReplica, height: int, *, digest: bool) -> bytes:
        await asyncio.sleep(0.1)
        return await give(replica, height, digest=digest)

    async def with_nothing(replica: MemoryReplica, *what: object, **how: object):
        released = await certify(replica, *what, **how)
        return replace(released, outcomes=(b"",) * len(released.outcomes))

    async with founded(tmp_path / "data") as house:
        monkeypatch.setattr(MemoryReplica, "outcome", slowly)
        monkeypatch.setattr(MemoryReplica, "certify", with_nothing)
        async with house.at_work():
            await house.include(transfer(OWNER, 0))
        assert house.height == 2


def test_the_longest_outcome_fits_into_a_frame_with_answers_beside_it() -> None:
    outcome = bytes(MAX_OUTCOME_BYTES)
    released = frames.ReleasedFrame(7, (outcome,), ())
    frame = messages.frame(9, messages.OK, released.item())
    number, word, body = messages.parse(frame[messages.LENGTH_BYTES :])
    assert (number, word) == (9, messages.OK)
    assert frames.ReleasedFrame.of_item(body).outcomes == (outcome,)
    with pytest.raises(rlp.Malformed, match="a frame has at most"):
        messages.frame(9, messages.OK, [outcome, bytes(messages.MAX_FRAME_BYTES + 65_536)])


async def test_one_that_hangs_is_given_up_though_another_tells_of_old_blocks_without_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "PATIENCE_SECONDS", 0.1)
    async with founded(tmp_path / "data") as house, house.at_work():
        # Who was to give all of it hangs.
        certify = MemoryReplica.certify
        hung: set[int] = set()

        async def hangs(replica: MemoryReplica, *what: object, **how: object):
            released = await certify(replica, *what, **how)
            if not hung and replica.told[replica.certified] is Disclosure.OUTCOMES:
                hung.add(replica.seat)
                await asyncio.Event().wait()
            return released

        async def catches_up() -> None:
            while True:
                house.sequencer.followers.claimed.set()
                await asyncio.sleep(0.001)

        monkeypatch.setattr(MemoryReplica, "certify", hangs)
        noise = asyncio.create_task(catches_up())
        await house.include(transfer(OWNER, 0))
        assert hung
        assert not noise.done()
        noise.cancel()
