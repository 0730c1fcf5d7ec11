"""A node that is killed at any step: nothing acknowledged is lost, nothing is signed twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keymoot.base.units import Height
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.claims import OutcomeClaims
from keymoot.engine.folder import open_chain, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from tests.engine.house import House
from tests.engine.parts import transfer
from tests.runtime.people import OWNER, STRANGER

BEFORE = 10**24


class Crash(Exception):
    """The power goes."""


def balance(house: House) -> int:
    return house.ledger.state().account(STRANGER.address).balance


def crash(*_: object, **__: object) -> None:
    raise Crash


def in_a_call(name: str) -> Callable[[House, pytest.MonkeyPatch], None]:
    def break_it(house: House, patch: pytest.MonkeyPatch) -> None:
        del patch
        house.lies[1].over, house.lies[1].at = Crash(), name

    return break_it


def before_the_write(house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(house.store, "write", crash)


def after_the_write(house: House, patch: pytest.MonkeyPatch) -> None:
    write = house.store.write
    patch.setattr(house.store, "write", lambda batch: (write(batch), crash()))


def before_it_is_seen(house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChainStore, "adopt", crash)


def before_anybody_is_told(house: House, patch: pytest.MonkeyPatch) -> None:
    house.sequencer._writer.listeners.insert(0, crash)


def when_outcomes_are_compared(house: House, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OutcomeClaims, "believed", crash)


STEPS = [
    (in_a_call("execute"), False),
    (in_a_call("certify"), False),
    (when_outcomes_are_compared, False),
    (before_the_write, False),
    (after_the_write, True),
    (before_it_is_seen, True),
    (before_anybody_is_told, True),
]


@pytest.mark.parametrize(("step", "written"), STEPS)
async def test_a_crash_at_any_step_loses_nothing_that_was_acknowledged(
    tmp_path: Path, step: Callable[[House, pytest.MonkeyPatch], None], written: bool
) -> None:
    house = House(tmp_path / "data")
    await house.found()
    async with house.at_work():
        (acknowledged,) = await house.include(transfer(OWNER, 0))
    before = house.chain.tip
    with pytest.MonkeyPatch.context() as patch:
        step(house, patch)
        with pytest.raises(ExceptionGroup) as raised:
            async with house.at_work() as running:
                name = await house.ledger.submit(transfer(OWNER, 1))
                waiting = asyncio.create_task(house.ledger.wait(name, 60))
                await running
        assert raised.group_contains(Crash)
        # Nobody was told of the block that was under way, and none has got an answer for it.
        assert not waiting.done()
        waiting.cancel()
        assert all(height <= acknowledged.block.height for _, height, _ in house.answers)
    house.lies[1].over = None
    house.reopen()
    assert (house.chain.tip == before) is not written
    assert house.ledger.transaction(acknowledged.transaction.hash) == acknowledged
    assert balance(house) == BEFORE + (2 if written else 1)
    # It goes on, whichever it was; what was not acknowledged may be sent again.
    async with house.at_work():
        again = await house.ledger.submit(transfer(OWNER, 1))
        assert again == name
        assert (await house.included(again)).receipt.status == 1
        await house.include(transfer(OWNER, 2))
    assert balance(house) == BEFORE + 3
    house.close()


async def test_a_crash_in_the_founding_write_leaves_a_folder_that_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "data")
    with monkeypatch.context() as patch:
        before_the_write(house, patch)
        with pytest.raises(ExceptionGroup):
            async with house.at_work() as running:
                await house.ledger.submit(house.word())
                await running
    house.reopen()
    assert house.ledger.founding_record() is None
    await house.found()
    house.close()


NODE = """
import asyncio, sys
from pathlib import Path
from tests.engine.house import House
from tests.engine.parts import transfer
from tests.runtime.people import OWNER

async def main():
    house = House(Path(sys.argv[1]))
    if house.chain.record is None:
        await house.found()
    async with house.at_work():
        nonce = house.ledger.state().account(OWNER.address).nonce
        while True:
            found, = await house.include(transfer(OWNER, nonce))
            nonce += 1
            print(nonce, found.block.height, flush=True)

asyncio.run(main())
"""


def test_a_process_that_is_killed_has_all_on_disk_that_it_said(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    said = (0, 0)
    for round_ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", NODE, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as node:
            for _ in range(3 + 2 * round_):
                nonce, height = map(int, node.stdout.readline().split())
            os.kill(node.pid, signal.SIGKILL)
            rest = node.stdout.read().splitlines()
            whole = [line.split() for line in rest if len(line.split()) == 2]
            said = tuple(map(int, whole[-1])) if whole else (nonce, height)
        store = LmdbStore(folder, map_bytes=1 << 28)
        chain = open_chain(store, stored_genesis(store))
        assert chain.tip.height >= said[1]
        assert chain.state().account(OWNER.address).nonce >= said[0]
        assert chain.block(Height(said[1])) is not None
        chain.close()
        store.close()
