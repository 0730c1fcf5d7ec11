"""The sequencer: founding, certificates, liars, tails, and what stays after a crash."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.moot.certified import CertifiedHeader, verify
from tests.engine.house import House
from tests.engine.parts import transfer
from tests.runtime.people import OWNER, STRANGER

BEFORE = 10**24


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    made.close()


def balance(house: House) -> int:
    return house.ledger.state().account(STRANGER.address).balance


async def test_a_network_is_founded_and_then_certifies_every_block(house: House) -> None:
    await house.found()
    record = house.ledger.founding_record()
    assert record is not None
    record.check(house.genesis)
    async with house.at_work():
        (found,) = await house.include(transfer(OWNER, 0))
    assert found.receipt.status == 1
    assert balance(house) == BEFORE + 1
    header, signature = house.ledger.certified(found.block.height)
    assert header == found.block.header
    verify(record.verifying_key, house.genesis.network, CertifiedHeader(header, signature))
    assert house.ledger.certified(Height(1)) == (house.ledger.header(Height(1)), None)
