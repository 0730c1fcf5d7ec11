"""Enclaves that end, will not start, or speak nonsense: the node goes on with the others."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.enclave import messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.client import EnclaveClient, EnclaveGone
from keymoot.node import seats
from keymoot.node.config import Config
from keymoot.node.moot import Moot
from keymoot.node.seats import SeatHolder

ASKED = [Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)]


class Client:
    """A client of an enclave that has ended."""

    public_key = b"k" * 32

    async def ended(self):
        return 1

    async def close(self):
        pass


async def test_an_enclave_that_cannot_start_yet_is_started_again(tmp_path, monkeypatch):
    tries, started = [], asyncio.Event()

    async def start(index, config):
        tries.append(index)
        if len(tries) < 3:
            raise OSError(24, "Too many open files")
        started.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(seats, "_start", start)
    monkeypatch.setattr(seats, "RESTART_SECONDS", 0.0)
    holder = SeatHolder(2, Config(tmp_path / "data", tmp_path / "fuse"), Client())
    watching = asyncio.create_task(holder.watch())
    await asyncio.wait_for(started.wait(), 5)
    assert not watching.done()
    watching.cancel()


async def test_a_frame_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data((messages.MAX_FRAME_BYTES + 1).to_bytes(messages.LENGTH_BYTES, "big"))
    client = EnclaveClient(None, reader, None)  # type: ignore[arg-type]
    with pytest.raises(EnclaveGone):
        await asyncio.wait_for(client._read_frame(), 1)


def releasing(index, answer):
    async def release(signed, witness, requests):
        return answer(requests)

    return SimpleNamespace(index=index, client=SimpleNamespace(release=release))


def good(requests):
    return [Answer(one, b"sealed", b"signature") for one in requests]


def says_no(requests):
    raise Refused("no")


def speaks_nonsense(requests):
    raise Malformed("what?")


def answers_less(requests):
    return good(requests[:1])


def answers_another(requests):
    return good(requests[::-1])


@pytest.mark.parametrize("lie", [says_no, speaks_nonsense, answers_less, answers_another])
async def test_vaults_keys_sign_in_the_next_enclave_where_one_is_broken(tmp_path, lie):
    moot = Moot(
        Config(tmp_path / "data", tmp_path / "fuse"), [releasing(1, lie), releasing(2, good)]
    )
    assert await moot.release(None, {}, ASKED) == (2, good(ASKED))
    alone = Moot(Config(tmp_path / "data", tmp_path / "fuse"), [releasing(1, lie)])
    with pytest.raises(Refused):
        await alone.release(None, {}, ASKED)


async def test_a_block_that_comes_while_a_newcomer_begins_is_shown_to_it_too(tmp_path, monkeypatch):
    moot, shown = Moot(Config(tmp_path / "data", tmp_path / "fuse"), []), []

    class Newcomer:
        index = 5

        def attach(self, *_):
            pass

        async def join(self, _):
            pass

        async def watch(self):
            pass

        async def sync(self):
            # A block is committed while the enclave reads the state at which it begins.
            shown.extend(one.index for one in moot.seats)

    async def start(*_):
        return Newcomer()

    monkeypatch.setattr(SeatHolder, "start", start)
    moot._engine = SimpleNamespace(seat_signer=lambda _: None)
    moot.ledger = SimpleNamespace(genesis=SimpleNamespace(encode=lambda: b""))
    moot._beacons = SimpleNamespace(feed=None)
    async with asyncio.TaskGroup() as tasks:
        moot._group = tasks
        await moot.add(5)
    assert shown == [5]
