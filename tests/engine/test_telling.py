"""Who says what a block did: as many as are believed, one of them all of it."""

from keymoot.base.units import Height
from keymoot.engine.replicas import Telling
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import OWNER


def told(house: House, height: Height) -> dict[int, Telling]:
    return {seat: one.told[height] for seat, one in house.replicas.items() if height in one.told}


async def a_block(house: House, nonce: int) -> Height:
    async with house.at_work():
        (found,) = await house.include(transfer(OWNER, nonce))
    return found.block.header.height


async def test_one_tells_all_of_it_one_the_digest_and_two_nothing(tmp_path) -> None:
    async with founded(tmp_path) as house:
        height = await a_block(house, 0)
        assert sorted(told(house, height).values()) == [
            Telling.NOTHING,
            Telling.NOTHING,
            Telling.DIGESTS,
            Telling.OUTCOMES,
        ]


async def test_who_was_not_believed_is_asked_last_from_then_on(tmp_path) -> None:
    async with founded(tmp_path) as house:
        house.lies[1].outcome = True
        heights = [await a_block(house, nonce) for nonce in range(3)]
        first, *later = (told(house, one)[1] for one in heights)
        assert first
        assert later == [Telling.NOTHING] * 2
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
