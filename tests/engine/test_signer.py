"""Votes are gathered among signers of whom some lie: a block needs two thirds that do not."""

import asyncio
from pathlib import Path

import pytest

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.commit import Flag
from keymoot.base.errors import Malformed, Refused
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.engine import signer
from tests.engine.parts import Machine, MemorySigner, transfer
from tests.runtime.people import OWNER


async def signs_nothing(_: Ballot) -> Votes:
    return Votes(b"x" * 64, b"x" * 64, b"x" * 64)


async def signs_with_another_key(ballot: Ballot) -> Votes:
    return await MemorySigner(Secret(b"o" * 32)).sign(ballot)


async def signs_too_little(_: Ballot) -> Votes:
    return Votes(b"", b"", b"")


async def speaks_nonsense(_: Ballot) -> Votes:
    raise Malformed("not three signatures")


async def says_no(_: Ballot) -> Votes:
    raise Refused("no")


LIES = [signs_nothing, signs_with_another_key, signs_too_little, speaks_nonsense, says_no]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
@pytest.mark.parametrize("place", [0, 3])
async def test_one_of_four_that_lies_stops_no_block(tmp_path: Path, lie, place) -> None:
    machine = Machine(tmp_path, signers=4)
    liar = machine.signers[place]
    liar.sign = lie
    await machine.ledger.submit(transfer(OWNER, 0))
    await machine.settle()
    commit = machine.ledger.signed_header(Height(2)).commit
    address = next(
        one.address
        for one in machine.genesis.validators().validators
        if one.public_key == liar.public_key
    )
    flags = {one.address: one.flag for one in commit.signatures}
    assert list(flags.values()).count(Flag.COMMIT) == 3
    assert flags.get(address, Flag.ABSENT) is Flag.ABSENT
    machine.close()


async def test_with_two_that_lie_there_is_no_block(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(signer, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(signer, "MAX_ROUNDS", 3)
    machine = Machine(tmp_path, signers=4)
    for one in machine.signers[:2]:
        one.sign = signs_nothing
    with pytest.raises(signer.BadVote, match="not its signature"):
        await machine.settle()
    assert machine.height == 0
    machine.close()


async def test_beside_one_that_hangs_another_that_said_no_is_asked_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, signers=4)
    hangs, busy = machine.signers[:2]
    votes, noes, released = busy.sign, 3, asyncio.Event()

    async def waits(ballot: Ballot) -> Votes:
        await released.wait()
        raise Refused("too late")

    async def says_no_at_first(ballot: Ballot) -> Votes:
        nonlocal noes
        noes -= 1
        if noes >= 0:
            raise Refused("the vote before is still to come")
        return await votes(ballot)

    hangs.sign, busy.sign = waits, says_no_at_first
    asyncio.get_running_loop().call_later(60, released.set)
    await machine.ledger.submit(transfer(OWNER, 0))
    await machine.settle()
    assert machine.height >= 1
    assert not released.is_set()
    machine.close()
