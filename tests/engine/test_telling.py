"""Who says what a block did: as many as are believed, one of them all of it."""

import asyncio
from typing import Any

import pytest

from keymoot.base.units import Height
from keymoot.runtime.disclosure import Disclosure
from tests.engine.committee import Lies, MemoryReplica
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import OWNER

pytestmark = pytest.mark.own_time


def told(house: House, height: Height) -> dict[int, Disclosure]:
    return {seat: one.told[height] for seat, one in house.replicas.items() if height in one.told}


async def a_block(house: House, nonce: int) -> Height:
    async with house.at_work():
        (found,) = await house.include(transfer(OWNER, nonce))
    return found.block.header.height


async def test_one_tells_all_of_it_one_the_digest_and_two_nothing(tmp_path) -> None:
    async with founded(tmp_path) as house:
        height = await a_block(house, 0)
        assert sorted(told(house, height).values()) == [
            Disclosure.NOTHING,
            Disclosure.NOTHING,
            Disclosure.DIGESTS,
            Disclosure.OUTCOMES,
        ]


async def test_who_was_first_to_execute_answers_and_the_others_rest(tmp_path) -> None:
    async with founded(tmp_path) as house:
        height = await a_block(house, 0)
        # At n=4 three shares make an ECDSA signature, whoever lies.
        assert sorted(one.rested[height] for one in house.replicas.values()) == [0, 0, 0, 1]


async def test_nobody_rests_while_too_few_agree(tmp_path) -> None:
    async with founded(tmp_path) as house:
        house.lies[1].silent, house.lies[1].at = True, "execute"
        height = await a_block(house, 0)
        rested = {seat: one.rested[height] for seat, one in house.replicas.items() if seat > 1}
        assert rested == dict.fromkeys((2, 3, 4), False)


async def test_who_tells_is_shown_the_certificate_first(tmp_path, monkeypatch) -> None:
    shown: list[int] = []
    certify = MemoryReplica.certify

    async def noted(replica: MemoryReplica, *arguments: Any, **options: Any) -> Any:
        shown.append(replica.seat)
        return await certify(replica, *arguments, **options)

    monkeypatch.setattr(MemoryReplica, "certify", noted)
    async with founded(tmp_path) as house:
        for seat in (1, 2):
            house.sequencer.followers.doubt(seat)
        shown.clear()
        height = await a_block(house, 0)
        assert sorted(seat for seat, want in told(house, height).items() if want) == [3, 4]
        assert sorted(shown[:2]) == [3, 4]


async def test_who_was_not_believed_is_asked_last_from_then_on(tmp_path) -> None:
    async with founded(tmp_path) as house:
        house.lies[1].outcome = True
        heights = [await a_block(house, nonce) for nonce in range(3)]
        first, *later = (told(house, one)[1] for one in heights)
        assert first
        assert later == [Disclosure.NOTHING] * 2
        # Two who do not say the same are too few: the others were asked, and he is named.
        assert {(seat, height) for seat, height, _ in house.blamed} == {(1, heights[0])}


async def test_who_keeps_others_waiting_is_asked_last_from_then_on(tmp_path) -> None:
    async with founded(tmp_path) as house:
        house.lies[2].silent, house.lies[2].at = True, "certify"
        house.lies[1].busy = house.lies[3].busy = house.lies[4].busy = 1
        async with house.at_work():
            (found,) = await house.include(transfer(OWNER, 0))
            height = found.block.header.height
            assert told(house, height)[2]
            assert house.sequencer.followers.feeds[2].doubted == 1
        assert not house.blamed


async def test_who_is_no_member_is_not_believed_beside_a_broken_one(tmp_path) -> None:
    """A newcomer executes before it is a member: f of these may lie, and it may lie with them."""
    async with founded(tmp_path) as house:
        liar, chained = Lies(outcome=True, mute=True), house.replicas[1].chained
        house.lies[1].outcome = True
        for seat in (3, 4):
            house.lies[seat].silent, house.lies[seat].at = True, "outcome"
        async with house.at_work():
            await asyncio.sleep(0)
            house.sequencer.seat(MemoryReplica(5, chained, house.chain.tip.height, liar))
            name = await house.ledger.submit(transfer(OWNER, 0))
            claims = house.sequencer.followers.claims
            while not any(5 in one.digests for one in claims.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            # Two say the same, and one of them is a member: the one that is broken.
            ((height, said),) = claims.items()
            assert said.digests[1] == said.digests[5] != said.digests[2]
            house.lies[3].silent = False
            await house.included(name)
        assert {(seat, at) for seat, at, _ in house.blamed} == {(1, height), (5, height)}
        state = house.chain.state()
        assert state.account(OWNER.address).nonce == 1
