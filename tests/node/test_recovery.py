"""A recovery among enclaves of which one is broken: the others begin a generation without it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from keymoot.base.errors import Malformed, Refused
from keymoot.enclave import messages
from keymoot.moot import stock
from keymoot.node import asking
from keymoot.node.config import Config
from keymoot.node.moot import Moot
from tests.enclave.parliament import Parliament


class Client:
    """An enclave of the parliament, as the node speaks with one."""

    def __init__(self, delegate):
        self.delegate = delegate

    async def endorse(self, certificate):
        return self.delegate.ask(messages.ENDORSE, certificate)

    async def recover(self, signed, certificate, chain):
        self.delegate.ask(messages.RECOVER, messages.recover_item(signed, certificate, chain))


@pytest.fixture
def parliament(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stock, "BATCH_SIZE", 4)
    monkeypatch.setattr(asking, "RECOVERY_SECONDS", 2.0)
    made = Parliament(tmp_path)
    yield made
    made.close()


@pytest.fixture
def moot(parliament, tmp_path):
    """The node's moot; all enclaves have just started anew."""
    parliament.said.clear()
    seats = []
    for at, one in parliament.delegates.items():
        one.start()
        one.join(parliament.genesis, at)

        async def sync(one=one):
            parliament.sync(one)

        seats.append(
            SimpleNamespace(index=at, identity=one.identity, client=Client(one), sync=sync)
        )
    made = Moot(Config(tmp_path / "data", tmp_path / "fuse"), seats)
    made._engine, made.ledger = parliament.engine, parliament.ledger
    return made


async def says_no(*_):
    raise Refused("no")


async def speaks_nonsense(*_):
    raise Malformed("what?")


async def is_silent(*_):
    await asyncio.sleep(60)


async def signs_nothing(*_):
    return b"x" * 64


LIES = [says_no, speaks_nonsense, is_silent, signs_nothing]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_that_is_broken_does_not_stop_the_others(parliament, moot, lie):
    broken = moot.holder(2)
    broken.client.endorse = broken.client.recover = broken.sync = lie
    before = parliament.assembly.hall.head.generation

    async def story():
        await moot.recover(parliament.genesis)
        await moot.enter()
        await parliament._settle()

    asyncio.run(story())
    head = parliament.assembly.hall.head
    assert (head.recoveries, head.generation != before) == (1, True)
    boots = {at: seat.boot for at, seat in parliament.assembly.hall.seats().items()}
    assert [at for at, boot in boots.items() if boot is None] == [2]


def test_with_two_that_say_no_there_is_none(parliament, moot):
    for seat in (2, 3):
        moot.holder(seat).client.endorse = says_no
    with pytest.raises(Refused, match="2 of 4 enclaves agree"):
        asyncio.run(moot.recover(parliament.genesis))


def test_a_block_that_comes_while_one_says_no_does_not_stop_the_node(parliament, moot):
    async def says_no_as_a_block_comes(*_):
        parliament.engine._renew()
        raise Refused("no")

    moot.holder(2).client.endorse = says_no_as_a_block_comes
    asyncio.run(moot.recover(parliament.genesis))
    assert moot._certificate
